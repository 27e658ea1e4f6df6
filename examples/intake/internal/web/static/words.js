// Words and numbers for people. It does not need a DOM.

/** formatBytes returns a size. */
export function formatBytes(n) {
  for (const [unit, size] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) {
    if (n >= size) return `${(n / size).toFixed(1).replace(/\.0$/, "")} ${unit}`;
  }
  return n === 1 ? "1 byte" : `${n} bytes`;
}

/** formatCount returns a number with commas. */
export function formatCount(n) {
  return Number(n ?? 0).toLocaleString("en");
}

/** plural returns a count with its noun. */
export function plural(n, noun, several = `${noun}s`) {
  return `${formatCount(n)} ${Number(n) === 1 ? noun : several}`;
}

/** describeRest says how many are left out. */
export const describeRest = (n, noun) => `${plural(n, noun)} ${Number(n) === 1 ? "is" : "are"} left out.`;

/** sentence returns a text as a sentence: with a capital letter and a full stop. */
export function sentence(text) {
  const trimmed = String(text ?? "").trim();
  if (trimmed === "") return "";
  const first = trimmed[0].toUpperCase() + trimmed.slice(1);
  return /[.!?…]$/.test(first) ? first : `${first}.`;
}

/** formatDay returns the day of a time, or the time of today. A text that is not a time is "". */
export function formatDay(text, now) {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return "";
  if (at.toDateString() !== now.toDateString()) {
    return at.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
  }
  return `today, ${at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}`;
}

const formats = {
  "2006-01-02": "YYYY-MM-DD", "2006-01-02 15:04": "YYYY-MM-DD hh:mm", "2006/01/02": "YYYY/MM/DD",
  "20060102": "YYYYMMDD",
  "02.01.2006": "DD.MM.YYYY", "31/12/2006": "DD/MM/YYYY", "12/31/2006": "MM/DD/YYYY", "31-12-2006": "DD-MM-YYYY",
  "12-31-2006": "MM-DD-YYYY",
  "02/01/06": "DD/MM/YY", "03/04/2006 (day or month first)": "DD/MM/YYYY or MM/DD/YYYY",
};

/** formatName returns the name of a format of a report. Numbers are shown as the server shows them. */
export const formatName = (format) => formats[format] ?? format;
