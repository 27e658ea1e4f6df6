// What a person reads of tool calls: words, and names of files in place of the model's handles. It does not need a DOM.

import { plural } from "./words.js";

const names = { // while it runs, then when it is done, then when it has failed
  list_files: ["Looking at your files", "Looked at your files", "Could not look at your files"],
  sample: [
    "Looking at rows from all over the file", "Looked at rows from all over the file",
    "Could not read rows of the file",
  ],
  describe_file: ["Describing the file", "Described the file", "Could not describe the file"],
  read_chunk: ["Reading a part of the file", "Read a part of the file", "Could not read a part of the file"],
  search: ["Searching the file", "Searched the file", "Could not search the file"],
  count: ["Counting", "Counted", "Could not count"],
  profile_file: ["Measuring the whole file", "Measured the whole file", "Could not measure the file"],
  get_profile: ["Reading the report", "Read the report", "Could not read the report"],
  record_profile: ["Recording the report", "Recorded the report", "Could not record the report"],
  query_file: ["Calculating from the file", "Calculated from the file", "Could not calculate from the file"],
  query_files: ["Calculating from the files together", "Calculated from the files together",
    "Could not calculate from the files together"],
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
  const { items, by } = item.output ?? {};
  if (item.name === "sample" && items) return plural(items.length, by === "rows" ? "row" : "line");
  if (item.state === "failed") return nameHandles(item.summary, files).replace(hint, "");
  return nameHandles(item.summary, files);
}

const labels = {
  file: "File", upload_id: "", from: "From", count: "Rows", kind: "Kind", match: "Name contains",
  where: "Only rows with", group_by: "For each", groups: "Only", measures: "Calculate", columns: "Columns",
  join: "Together with", limit: "At most", summary: "Summary", ascending: "Smallest first", pattern: "Text", cursor: "",
};
const origins = { spread: "all over the file", head: "the beginning", tail: "the end" };
const functions = {
  avg: "average", min: "smallest", max: "largest", numbers: "number of numbers", count: "number of values",
};
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
      return formatList(value, formatCondition);
    case "measures":
      return formatList(value, formatMeasure);
    case "columns":
      return formatList(value, (c) => (typeof c === "object" ? `${c.name}: ${c.meaning}` : String(c)), "; ");
    case "join":
      return typeof value === "object" && value ? formatJoin(value, files) : "";
  }
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const formatCondition = ({ column, operator, value }) =>
  [column, operators[operator] ?? operator, value].filter((text) => text != null).join(" ");

const formatMeasure = (m) => (m.column ? `${functions[m.function] ?? m.function} of ${m.column}` : "number of rows");

const formatJoin = (join, files) => `${nameHandles(join.file, files)}, where ${join.on} equals its ${join.equals}`;

const formatList = (value, format, separator = ", ") =>
  (Array.isArray(value) ? value.filter((v) => v != null).map(format).join(separator) : String(value ?? ""));
