// The columns of a report, with the inputs for corrections of their meanings.

import { describeQuality, describeType } from "./column.js";
import { el } from "./dom.js";
import { formatCount } from "./words.js";

const heads = ["Column", "Meaning", "Type", "Flaws", "Range", "Distinct values", "Examples"];

/** drawColumns draws the columns of a report. form has isOpen, the draft, and the inputs, to which it adds. */
export function drawColumns(report, form) {
  const columns = report.profile.columns ?? [];
  return el("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": "Columns of the file" },
    el("table", { class: "columns", role: "table" },
      el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, heads.map(drawHead))),
      el("tbody", { role: "rowgroup" }, columns.map((c) => drawColumn(c, report, form)))));
}

const drawHead = (name) => el("th", { scope: "col", role: "columnheader" }, name);

function drawColumn(column, report, form) {
  const flaws = describeQuality(column, report.profile.rows);
  const { type, details } = describeType(column);
  const cell = (i, props, ...children) => el("td", { role: "cell", "data-label": heads[i], ...props }, ...children);
  return el("tr", { role: "row" },
    el("th", { scope: "row", role: "rowheader" }, column.name),
    cell(1, {}, drawMeaning(column, report, form)),
    cell(2, {}, type, details.map((d) => el("span", { class: "hint detail" }, d))),
    drawFlaws(cell, flaws),
    cell(4, { class: column.min ? "" : "none" }, column.min ? `${column.min} to ${column.max}` : "–"),
    cell(5, {}, `${column.distinct_exact ? "" : "about "}${formatCount(column.distinct)}`),
    cell(6, { class: "examples" }, (column.examples ?? []).slice(0, 3).join(", ") || "–"));
}

function drawFlaws(cell, flaws) {
  if (flaws.length === 0) return cell(3, { class: "none" }, "–");
  return cell(3, { class: "flaw" }, flaws.map((f) => el("span", { class: "detail" }, f)));
}

function drawMeaning(column, report, form) {
  const before = report.meanings?.[column.name] ?? "";
  if (!form.isOpen || column.repeated) return before || "–";
  const onKeydown = (e) => {
    if (e.key !== "Enter") return; // a meaning is one line
    e.preventDefault();
    input.form.requestSubmit();
  };
  const rows = Math.min(3, Math.ceil((before.length + 1) / 26));
  const input = el("textarea", { rows, maxlength: 300, "aria-label": `Meaning of ${column.name}`, onKeydown });
  input.value = form.draft?.meanings.get(column.name) ?? before;
  form.inputs.set(column.name, { input, before });
  return input;
}
