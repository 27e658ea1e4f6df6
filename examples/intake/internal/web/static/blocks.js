// The structure of an answer: paragraphs, lists and tables. It does not need a DOM.

/**
 * splitText returns the parts of a text: {list: [text]} for lines that begin with a dash, {table: {columns, rows}} for
 * lines between bars that have a line of dashes below the first one, and {text} for the others.
 */
export function splitText(text) {
  const parts = [];
  let isNew = true; // the next line begins a paragraph
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    const last = parts.at(-1);
    const table = readTable(lines, i);
    if (table) {
      parts.push({ table: { columns: table.columns, rows: table.rows } });
      i += table.rows.length + 1;
      isNew = true;
      continue;
    }
    const item = /^\s*[-*•] (.*)/.exec(line);
    if (item && last?.list) last.list.push(item[1]);
    else if (item) parts.push({ list: [item[1]] });
    else if (line.trim() === "") isNew = true;
    else if (isNew || !last?.text) parts.push({ text: line });
    else last.text += `\n${line}`;
    if (line.trim() !== "") isNew = false;
  }
  return parts;
}

const isRow = (line) => /^\s*\|.*\|\s*$/.test(line ?? "");

/** readTable returns {columns, rows} of the table that begins at a line, or undefined. */
function readTable(lines, start) {
  if (!isRow(lines[start]) || !/^\s*\|(\s*:?-+:?\s*\|)+\s*$/.test(lines[start + 1] ?? "")) return undefined;
  const columns = readRow(lines[start]);
  const rows = [];
  for (let i = start + 2; isRow(lines[i]); i++) {
    const row = readRow(lines[i]);
    rows.push(columns.map((_, n) => row[n] ?? ""));
  }
  return { columns, rows };
}

/** readRow returns the cells of a row. A backslash precedes a bar or a backslash that is part of a cell. */
function readRow(line) {
  const cells = [...line.trim().slice(1).matchAll(/((?:\\.|[^|\\])*)\|/g)].map((found) => found[1]);
  return cells.map((text) => text.trim().replaceAll(/\\([|\\])/g, "$1"));
}
