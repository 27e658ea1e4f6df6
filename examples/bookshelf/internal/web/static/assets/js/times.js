// Times in the locale of the person. All functions are pure.

const units = [
  ["year", 365 * 86_400],
  ["month", 30 * 86_400],
  ["week", 7 * 86_400],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/**
 * formatAgo formats the age of a time: "5 minutes ago", "yesterday", "now". Both times
 * are in milliseconds. The clock of the server may be ahead.
 * @param {string} [locale] default: the person's
 */
export function formatAgo(then, now, locale) {
  const format = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "long" });
  const s = Math.max(0, Math.round((now - then) / 1000));
  if (s < 10) return format.format(0, "second");
  const [unit, size] = units.find(([, size]) => s >= size) ?? ["second", 1];
  return format.format(-Math.floor(s / size), unit);
}

/** locale is the person's, for the lang attribute of a text that is in their language. */
export const locale = new Intl.DateTimeFormat().resolvedOptions().locale;

/** formatMoment formats a time to the second. */
export function formatMoment(then, locale) {
  return new Date(then).toLocaleString(locale, { dateStyle: "medium", timeStyle: "medium" });
}
