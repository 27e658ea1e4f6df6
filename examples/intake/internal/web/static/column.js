// Words about a column of a report. It does not need a DOM. The server leaves out what a column does not have.

import { formatCount, formatName } from "./words.js";

const types = {
  empty: "Empty", integer: "Whole number", decimal: "Number", date: "Date", boolean: "Yes or no", text: "Text",
};
const decimals = { ".": "decimal point", ",": "decimal comma" };
const orders = { day: "the day comes first", month: "the month comes first" };

/** describeType returns the name of a column's type, and how its values are read: {type, details}. */
export function describeType(column) {
  const details = [];
  const isNumber = column.type === "integer" || column.type === "decimal";
  const assumed = column.assumed ? " (assumed)" : "";
  if (isNumber && decimals[column.decimal]) details.push(decimals[column.decimal] + assumed);
  if (column.type === "date" && orders[column.date_order]) details.push(orders[column.date_order] + assumed);
  const units = column.units ?? [];
  if (units.length === 1 && units[0].format) details.push(`in ${units[0].format}`);
  if (units.length > 1) {
    details.push(`in ${units.map((u) => `${u.format || "no unit"} (${formatCount(u.count)})`).join(", ")}`);
  }
  return { type: types[column.type] ?? column.type, details };
}

/** describeQuality returns short sentences about the flaws of a column. */
export function describeQuality(column, rows) {
  const share = (n) => (rows > 0 ? ` (${n / rows < 0.0005 ? "under 0.1" : ((100 * n) / rows).toFixed(1)} %)` : "");
  const list = [];
  if (column.missing) list.push(`${formatCount(column.missing)} missing${share(column.missing)}`);
  if (column.wrong) list.push(`${formatCount(column.wrong)} of another type${share(column.wrong)}`);
  if (column.negative) list.push(`${formatCount(column.negative)} below zero${share(column.negative)}`);
  if (column.units?.length > 1) list.push("several units");
  if (column.formats?.length > 1) {
    const how = column.type === "date" ? "as" : "like";
    list.push(column.formats.map((f) => `${formatCount(f.count)} ${how} ${formatName(f.format)}`).join("; "));
  }
  if (column.assumed) {
    const example = column.assumed_example ? `, such as ${column.assumed_example}` : "";
    list.push(`${formatCount(column.assumed)} can be read in two ways${example}`);
  }
  if (column.formulas === 1) list.push("1 like a formula");
  if (column.formulas > 1) list.push(`${formatCount(column.formulas)} like formulas`);
  if (column.repeated) list.push("the name is used before");
  return list;
}
