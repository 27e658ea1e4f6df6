// The numbers of a report, and what its file is.

import { el } from "./dom.js";
import { formatBytes, formatCount, sentence } from "./words.js";

const separators = { ",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars" };

/** drawTiles draws the numbers of a report. */
export function drawTiles({ profile, size }) {
  const columns = formatCount(profile.has_columns ?? profile.columns?.length);
  const tiles = [["Rows", formatCount(profile.rows)], ["Columns", columns], ["Size", formatBytes(size)]];
  const flaw = (name, n, about = "") => n > 0 && tiles.push([name, about + formatCount(n), true]);
  flaw("Rows that repeat an earlier one", profile.duplicates, profile.duplicates_exact ? "" : "about ");
  flaw("Rows with too many or too few values", profile.ragged);
  flaw("Rows that cannot be read", profile.malformed);
  flaw("Records that have a name twice", profile.twice);
  flaw("Rows read in part, since they are long", profile.cut);
  return el("dl", { class: "tiles" }, tiles.map(([name, value, isFlaw]) =>
    el("div", { class: isFlaw ? "tile bad" : "tile" }, el("dt", {}, name), el("dd", {}, value))));
}

/** describeFormat returns a line about the format and the encoding of a report. */
export function describeFormat(report) {
  const format = report.format === "csv"
    ? `CSV${separators[report.separator] ? ` with ${separators[report.separator]}` : ""}`
    : { json: "JSON", jsonl: "JSON Lines" }[report.format] ?? report.format;
  const encoding = report.encoding ? `in ${report.encoding}${report.encoding_assumed ? " (assumed)" : ""}` : "";
  return sentence(`${format} ${encoding}`.trim() + "; the whole file was measured");
}
