// Numbers, times and names in words. Pure functions.

/** bytes says a size: "812 B", "3.4 MB". */
export function bytes(n) {
  const units = ["B", "kB", "MB", "GB"];
  let i = 0;
  while (n >= 1000 && i < units.length - 1) {
    n /= 1000;
    i++;
  }
  return `${i === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[i]}`;
}

/** millis says a duration given in milliseconds: "84 ms", "2.4 s", "3 min 5 s". */
export function millis(ms) {
  if (!Number.isFinite(ms) || ms < 0) return "";
  if (ms < 1) return "< 1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const s = Math.round(ms / 1000);
  if (s < 3600) return s % 60 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${s / 60} min`;
  const min = Math.round(s / 60);
  return min % 60 ? `${Math.floor(min / 60)} h ${min % 60} min` : `${min / 60} h`;
}

/** ago says how long before now (both in milliseconds) a moment was. */
export function ago(then, now) {
  const s = Math.max(0, Math.round((now - then) / 1000));
  if (s < 10) return "just now";
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ago`;
  const days = Math.floor(s / 86_400);
  return days === 1 ? "yesterday" : `${days} days ago`;
}

/** moment says a point in time to the second, in the reader's own way. */
export function moment(date) {
  return date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

/** human turns a name such as set_field or check_isbn into "Set field", "Check ISBN". */
export function human(name) {
  const words = String(name).replaceAll(/[_-]+/g, " ").replaceAll(/\bisbn\b/gi, "ISBN").trim();
  return words === "" ? "" : words[0].toUpperCase() + words.slice(1);
}

/** count says a number; one that the server stopped counting at has a plus. */
export function count(n, capped) {
  const limit = 1000;
  return n.toLocaleString() + (capped && n >= limit ? "+" : "");
}

/** used says what a run has read and written, in whatever its reader counts: "Read 1,238 · wrote 129". */
export function used({ input_tokens: read = 0, output_tokens: wrote = 0 }) {
  return read + wrote > 0 ? `Read ${read.toLocaleString()} · wrote ${wrote.toLocaleString()}` : "";
}

/** inline says a tool's input on one line: "isbn: 978…, strict: true". */
export function inline(input) {
  if (input === null || typeof input !== "object") return input === undefined ? "" : String(input);
  return Object.entries(input)
    .map(([k, v]) => `${k}: ${typeof v === "string" ? v : JSON.stringify(v)}`)
    .join(", ");
}
