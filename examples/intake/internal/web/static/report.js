// The report of a file as a table, and the form in which a person confirms or corrects it.

import { confirmFile, deleteFile, fetchFile, shareFile } from "./api.js";
import { announce, byId, el } from "./dom.js";
import { describeQuality, formatBytes, formatCount } from "./fold.js";

const kinds = {
  shipments: "Shipments", inventory: "Inventory", purchase_orders: "Purchase orders", suppliers: "Suppliers",
  bill_of_materials: "Bill of materials", sales_orders: "Sales orders", invoices: "Invoices", products: "Products",
  unknown: "Something else",
};

/** closeReport hides the report. */
export function closeReport() {
  byId("report").hidden = true;
  byId("report").replaceChildren();
}

/** openReport shows the report of a file. changed is called when the file has changed. */
export async function openReport(id, { steward, changed, close }) {
  const section = byId("report");
  const title = el("h2", { id: "report-title", tabindex: "-1" }, "Report");
  section.hidden = false;
  section.replaceChildren(title, el("p", { class: "hint" }, "One moment…"));
  try {
    draw(section, title, await fetchFile(id), { steward, changed, close, again: () => openReport(id, { steward, changed, close }) });
  } catch (err) {
    section.replaceChildren(title, el("p", { class: "notice error", role: "alert" }, err.message));
  }
  title.focus();
}

function draw(section, title, { file, report }, actions) {
  title.textContent = file.name;
  const closing = el("button", { type: "button", class: "button small", onClick: actions.close }, "Close");
  const head = el("div", { class: "report-head" }, title, closing);
  if (!report) {
    section.replaceChildren(head, el("p", {}, `This file does not have a report yet: it is ${file.state}.`),
      file.failure ? el("p", { class: "flaw" }, file.failure) : "", file.can_delete ? drawDeletion(file, actions) : "");
    return;
  }
  const { profile } = report;
  const isOpen = file.can_confirm;
  const flaws = [];
  if (profile.duplicates) flaws.push(`${formatCount(profile.duplicates)} rows repeat an earlier one (${profile.duplicates_exact ? "counted" : "estimated"})`);
  if (profile.ragged) flaws.push(`${formatCount(profile.ragged)} rows have more or fewer values than columns`);
  if (profile.malformed) flaws.push(`${formatCount(profile.malformed)} rows cannot be read`);
  const facts = [`${formatCount(profile.rows)} rows`, `${formatCount(profile.has_columns)} columns`, formatBytes(report.size),
    `${report.format} in ${report.encoding}`, report.whole ? "measured whole" : "measured from a sample"];
  const select = el("select", { id: "kind", disabled: !isOpen },
    Object.entries(kinds).map(([value, label]) => el("option", { value, selected: value === (report.kind ?? "unknown") }, label)));
  const inputs = new Map();
  const rows = (profile.columns ?? []).map((column) => drawColumn(column, report, isOpen && !column.repeated, inputs));
  const note = el("p", { class: "hint" }, isOpen ? "Correct the kind and the meanings, then confirm." : `This report is ${file.state}.`);
  const error = el("div", {});
  const form = el("form", { onSubmit: (e) => {
    e.preventDefault();
    confirm(file, report, select, inputs, error, actions);
  } },
    el("p", { class: "kind" }, el("label", { for: "kind" }, "Kind of data "), select),
    report.summary ? el("p", {}, report.summary) : "",
    el("p", { class: "hint" }, facts.join(" · ")),
    [...flaws, ...(report.notes ?? [])].map((f) => el("p", { class: "flaw" }, f)),
    el("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": "Columns" },
      el("table", {},
        el("thead", {}, el("tr", {}, ["Column", "Meaning", "Type", "Flaws", "Range", "Distinct", "Examples"].map((h) => el("th", { scope: "col" }, h)))),
        el("tbody", {}, rows))),
    note, error,
    el("p", { class: "actions" },
      isOpen ? el("button", { class: "button primary" }, "Confirm") : "",
      file.step === "done" && file.owner === "you" && !file.is_shared && actions.steward
        ? el("button", { type: "button", class: "button", onClick: () => share(file, error, actions) }, "Share with colleagues") : ""));
  section.replaceChildren(head, form, file.can_delete ? drawDeletion(file, actions) : "");
}

function drawColumn(column, report, isOpen, inputs) {
  const meaning = report.meanings?.[column.name] ?? "";
  let cell = meaning || "–";
  if (isOpen) {
    cell = el("input", { value: meaning, maxlength: 300, "aria-label": `Meaning of ${column.name}` });
    inputs.set(column.name, { input: cell, before: meaning });
  }
  const flaws = describeQuality(column, report.profile.rows);
  return el("tr", {},
    el("th", { scope: "row" }, column.name), el("td", {}, cell), el("td", {}, column.type),
    el("td", { class: flaws.length > 0 ? "flaw" : "" }, flaws.join("; ") || "–"),
    el("td", {}, column.min ? `${column.min} to ${column.max}` : "–"),
    el("td", {}, `${column.distinct_exact ? "" : "about "}${formatCount(column.distinct)}`),
    el("td", { class: "examples" }, (column.examples ?? []).slice(0, 3).join(", ") || "–"));
}

async function confirm(file, report, select, inputs, error, actions) {
  const columns = [];
  for (const [name, { input, before }] of inputs) {
    if (input.value !== before) columns.push({ name, meaning: input.value });
  }
  try {
    await confirmFile(file.id, { version: report.version, kind: select.value, columns });
    announce(`${file.name} is confirmed.`);
    actions.changed();
    actions.again();
  } catch (err) {
    error.replaceChildren(el("p", { class: "notice error", role: "alert" }, err.message));
  }
}

/** drawDeletion draws the button that deletes a file, which asks once more. */
function drawDeletion(file, actions) {
  const error = el("div", {});
  const row = el("p", { class: "actions" });
  const button = (label, onClick) => el("button", { type: "button", class: "button small", onClick }, label);
  const begin = button("Delete this file", () => {
    const keep = button("Keep it", () => {
      row.replaceChildren(begin);
      begin.focus();
    });
    row.replaceChildren(button("Delete it for good", remove), keep);
    keep.focus();
  });
  async function remove() {
    try {
      await deleteFile(file.id);
      announce(`${file.name} is deleted.`);
      actions.changed();
      actions.close();
    } catch (err) {
      error.replaceChildren(el("p", { class: "notice error", role: "alert" }, err.message));
    }
  }
  row.append(begin);
  return el("div", {}, row, error);
}

async function share(file, error, actions) {
  try {
    await shareFile(file.id);
    announce(`${file.name} is shared with your colleagues, who can ask about it now.`);
    actions.changed();
    actions.again();
  } catch (err) {
    error.replaceChildren(el("p", { class: "notice error", role: "alert" }, err.message));
  }
}
