// Functions that format numbers, times and names. All are pure.

/** formatBytes formats a size: "812 B", "3.4 MB". */
export function formatBytes(n) {
  const units = ["B", "kB", "MB", "GB"];
  let i = 0;
  while (n >= 1000 && i < units.length - 1) {
    n /= 1000;
    i++;
  }
  return `${i === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[i]}`;
}

/** formatDuration formats a duration in milliseconds: "84 ms", "2.4 s", "3 min 5 s". */
export function formatDuration(ms) {
  if (!Number.isFinite(ms) || ms < 0) return "";
  if (ms < 1) return "< 1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const s = Math.round(ms / 1000);
  if (s < 3600) return s % 60 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${s / 60} min`;
  const min = Math.round(s / 60);
  return min % 60 ? `${Math.floor(min / 60)} h ${min % 60} min` : `${min / 60} h`;
}

/** formatAge formats the age of a time. Both times are in milliseconds. */
export function formatAge(then, now) {
  const s = Math.max(0, Math.round((now - then) / 1000));
  if (s < 10) return "just now";
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ago`;
  const days = Math.floor(s / 86_400);
  return days === 1 ? "yesterday" : `${days} days ago`;
}

/** formatTime formats a time to the second in the locale of the browser. */
export function formatTime(date) {
  return date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

/** humanizeName formats a name: set_field becomes "Set field", check_isbn "Check ISBN". */
export function humanizeName(name) {
  const words = String(name).replaceAll(/[_-]+/g, " ").replaceAll(/\bisbn\b/gi, "ISBN").trim();
  return words === "" ? "" : words[0].toUpperCase() + words.slice(1);
}

/** formatCount formats a number. It adds a plus if the server stopped counting there. */
export function formatCount(n, capped) {
  const limit = 1000;
  return n.toLocaleString() + (capped && n >= limit ? "+" : "");
}

/** formatUsage formats the usage of a run in the unit of its reader: "Read 1,238 · wrote 129". */
export function formatUsage({ input_tokens: read = 0, output_tokens: wrote = 0 }) {
  return read + wrote > 0 ? `Read ${read.toLocaleString()} · wrote ${wrote.toLocaleString()}` : "";
}

/** isKept reports whether a call failed since the person has typed the field. */
export function isKept(tool, summary = "") {
  return tool === "set_field" && summary.includes("has typed this field");
}

/** formatInput formats the input of a tool on one line: "isbn: 978…, strict: true". */
export function formatInput(input) {
  if (input === null || typeof input !== "object") return input === undefined ? "" : String(input);
  return Object.entries(input)
    .map(([k, v]) => `${k}: ${typeof v === "string" ? v : JSON.stringify(v)}`)
    .join(", ");
}

/** describePulse returns the words for a connection to the reader. */
export function describePulse({ isLost, isOffline }) {
  if (!isLost) return "working";
  return isOffline ? "offline" : "reconnecting";
}
