// The results of tool calls as tables. It does not need a DOM.

import { formatCount } from "./words.js";

const maxColumns = 30; // of a table
const maxRows = 50;

/** tableOf returns the result of a call as {columns, rows, more}, or undefined if it is not a table. */
export function tableOf(item) {
  const { output } = item;
  if (item.state !== "done" || typeof output !== "object" || output === null) return undefined;
  if (item.name === "list_files" && Array.isArray(output.files)) return tableOfFiles(output.files);
  if (["query_file", "query_files"].includes(item.name) && Array.isArray(output.columns) && Array.isArray(output.rows)) {
    return limit(output.columns, output.rows);
  }
  if (item.name === "sample" && Array.isArray(output.items)) return tableOfSample(output);
  const columns = output.profile?.columns;
  return Array.isArray(columns) ? tableOfProfile(columns) : undefined;
}

const words = (state) => (state === "stopped" ? "stopped by you" : state);

function tableOfFiles(list) {
  const kind = (f) => (f.kind === "unknown" ? "" : String(f.kind ?? "").replaceAll("_", " "));
  const rows = list.map((f) => [f.name, kind(f), f.rows ? formatCount(f.rows) : "", words(f.state)]);
  return limit(["File", "Kind", "Rows", "State"], rows);
}

function tableOfProfile(list) {
  const rows = list.map((c) => [c.name, c.type, formatCount(c.missing), formatCount(c.distinct)]);
  return limit(["Column", "Type", "Missing", "Distinct"], rows);
}

/** tableOfSample returns rows of CSV, or records of JSON with a column for each name. */
function tableOfSample({ columns, items }) {
  if (Array.isArray(columns) && columns.length > 0) return limit(columns, items.map((i) => i.row ?? [i.text]));
  const texts = items.length === 1 ? splitArray(items[0].text) ?? [items[0].text] : items.map((i) => i.text);
  const isBracket = (t) => /^\s*[[\]]\s*,?\s*$/.test(t ?? ""); // of an array
  const records = texts.filter((t) => !isBracket(t)).map(parseRecord);
  if (records.some((r) => r === undefined)) return limit(["Line"], items.map((i) => [i.text ?? ""]));
  const found = [];
  const seen = new Set();
  for (const name of records.flatMap(Object.keys)) {
    if (!seen.has(name)) found.push(name);
    seen.add(name);
  }
  return limit(found, records.map((r) => found.map((name) => r[name])));
}

/** splitArray returns the texts of the complete records of an array whose end may be left out, or undefined. */
function splitArray(text) {
  if (!/^\s*\[\s*\{/.test(text ?? "")) return undefined;
  const records = [];
  let start = 0;
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === "{" && depth++ === 0) start = index;
    if (token === "}" && --depth === 0) records.push(text.slice(start, index + 1));
  }
  return records.length > 0 ? records : undefined;
}

/** parseRecord returns the members of a record of JSON, with those of records in it, or undefined. */
function parseRecord(text) {
  try {
    const value = JSON.parse(String(text).trim().replace(/,$/, ""));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? flatten(value) : undefined;
  } catch {
    return undefined;
  }
}

function flatten(record, prefix = "", into = Object.create(null)) {
  for (const [name, value] of Object.entries(record)) {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) flatten(value, `${prefix}${name}.`, into);
    else into[prefix + name] = value;
  }
  return into;
}

function limit(columns, rows) {
  const cell = (v) => (v === undefined || v === null ? "" : typeof v === "object" ? JSON.stringify(v) : String(v));
  return {
    columns: columns.slice(0, maxColumns).map(cell),
    rows: rows.slice(0, maxRows).map((r) => columns.slice(0, maxColumns).map((_, i) => cell(r[i]))),
    more: Math.max(0, columns.length - maxColumns),
  };
}
