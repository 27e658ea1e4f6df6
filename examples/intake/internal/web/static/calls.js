// What a person sees of tool calls: words, names of files in place of the model's handles, and results as tables. It
// does not need a DOM.

import { formatCount, plural } from "./words.js";

const names = { // while it runs, then when it is done, then when it has failed
  list_files: ["Looking at your files", "Looked at your files", "Could not look at your files"],
  sample: ["Looking at rows from all over the file", "Looked at rows from all over the file", "Could not read rows of the file"],
  describe_file: ["Describing the file", "Described the file", "Could not describe the file"],
  read_chunk: ["Reading a part of the file", "Read a part of the file", "Could not read a part of the file"],
  search: ["Searching the file", "Searched the file", "Could not search the file"],
  count: ["Counting", "Counted", "Could not count"],
  profile_file: ["Measuring the whole file", "Measured the whole file", "Could not measure the file"],
  get_profile: ["Reading the report", "Read the report", "Could not read the report"],
  record_profile: ["Recording the report", "Recorded the report", "Could not record the report"],
  query_file: ["Calculating from the file", "Calculated from the file", "Could not calculate from the file"],
};

/** describeCall returns the words for a tool call in its state. */
export function describeCall(item) {
  const words = names[item.name] ?? Array(3).fill(String(item.name ?? "").replaceAll("_", " "));
  return words[{ running: 0, done: 1, failed: 2 }[item.state] ?? 0];
}

/** collectFiles adds the files that results name to a map: handle to {name, id}. */
export function collectFiles(items, files = new Map()) {
  for (const { output } of items) {
    if (typeof output !== "object" || output === null) continue;
    for (const f of Array.isArray(output.files) ? output.files : [output]) {
      if (typeof f?.file !== "string" || typeof f.name !== "string") continue;
      files.set(f.file, { name: f.name, id: f.upload_id ?? files.get(f.file)?.id });
    }
  }
  return files;
}

/** nameHandles returns a text of a tool with the names of files in place of their handles. */
export function nameHandles(text, files) {
  return String(text ?? "").replace(/\bf\d{1,6}\b/g, (handle) => files.get(handle)?.name ?? "the file");
}

// hint is the end of a correction that is for the model.
const hint = /([:.] (use|call) [a-z]+_[a-z]+.*|, so this tool can't read it\.?)$/i;

/** summarize returns the short result of a call. The name of a file is left out if it is the only one in the call. */
export function summarize(item, files) {
  if (item.name === "sample" && item.output?.items) return plural(item.output.items.length, item.output.by === "rows" ? "row" : "line");
  if (item.state === "failed") return nameHandles(item.summary, files).replace(hint, "");
  return nameHandles(item.summary, files);
}

const labels = {
  file: "File", upload_id: "", from: "From", count: "Rows", kind: "Kind", match: "Name contains", where: "Only rows with",
  group_by: "For each", groups: "Only", measures: "Calculate", columns: "Columns", join: "Together with", limit: "At most", summary: "Summary",
  ascending: "Smallest first", pattern: "Text", cursor: "",
};
const origins = { spread: "all over the file", head: "the beginning", tail: "the end" };
const functions = { avg: "average", min: "smallest", max: "largest", numbers: "number of numbers", count: "number of values" };
const operators = {
  eq: "is", ne: "is not", lt: "is below", le: "is at most", gt: "is above", ge: "is at least", contains: "contains",
  missing: "is missing", present: "is present",
};

/** listArguments returns the arguments of a call for a person: [[label, text]]. */
export function listArguments(item, files) {
  const list = [];
  const { file, ...others } = item.input ?? {};
  for (const [name, value] of Object.entries(file === undefined ? others : { file, ...others })) {
    const label = labels[name] ?? name.replaceAll("_", " ");
    const text = formatArgument(name, value, files);
    if (label && text) list.push([label, text]);
  }
  return list;
}

function formatArgument(name, value, files) {
  switch (name) {
    case "file":
      return nameHandles(value, files);
    case "from":
      return origins[value] ?? String(value);
    case "kind":
      return String(value).replaceAll("_", " ");
    case "where":
      return formatList(value, (w) => [w.column, operators[w.operator] ?? w.operator, w.value].filter((t) => t != null).join(" "));
    case "measures":
      return formatList(value, (m) => (m.column ? `${functions[m.function] ?? m.function} of ${m.column}` : "number of rows"));
    case "columns":
      return formatList(value, (c) => (typeof c === "object" ? `${c.name}: ${c.meaning}` : String(c)), "; ");
    case "join":
      return typeof value === "object" && value ? `${nameHandles(value.file, files)}, where ${value.on} equals its ${value.equals}` : "";
  }
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const formatList = (value, format, separator = ", ") =>
  (Array.isArray(value) ? value.filter((v) => v != null).map(format).join(separator) : String(value ?? ""));

const maxColumns = 30; // of a table
const maxRows = 50;

/** tableOf returns the result of a call as {columns, rows, more}, or undefined if it is not a table. */
export function tableOf(item) {
  const { output } = item;
  if (item.state !== "done" || typeof output !== "object" || output === null) return undefined;
  if (item.name === "list_files" && Array.isArray(output.files)) return tableOfFiles(output.files);
  if (item.name === "query_file" && Array.isArray(output.columns) && Array.isArray(output.rows)) {
    return limit(output.columns, output.rows);
  }
  if (item.name === "sample" && Array.isArray(output.items)) return tableOfSample(output);
  const columns = output.profile?.columns;
  return Array.isArray(columns) ? tableOfProfile(columns) : undefined;
}

const words = (state) => (state === "stopped" ? "stopped by you" : state);

function tableOfFiles(list) {
  const rows = list.map((f) => [f.name, f.kind === "unknown" ? "" : String(f.kind ?? "").replaceAll("_", " "), f.rows ? formatCount(f.rows) : "", words(f.state)]);
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
  const records = texts.filter((t) => !/^\s*[[\]]\s*,?\s*$/.test(t ?? "")).map(parseRecord); // not the brackets of an array
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
