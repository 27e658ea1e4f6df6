// The report of a file, and the form in which a person confirms or corrects it. While it is shown, it takes the place
// of the chat.

import { confirmFile, fetchFile, shareFile } from "./api.js";
import { describeQuality, describeType } from "./column.js";
import { announce, byId, el } from "./dom.js";
import { drawRemoval } from "./removal.js";
import { describeState } from "./state.js";
import { formatBytes, formatCount, sentence } from "./words.js";

const kinds = {
  shipments: "Shipments", inventory: "Inventory", purchase_orders: "Purchase orders", suppliers: "Suppliers",
  bill_of_materials: "Bill of materials", sales_orders: "Sales orders", invoices: "Invoices", products: "Products",
  unknown: "Something else",
};
const separators = { ",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars" };
const home = { title: byId("title").textContent, page: document.title };
let shown = ""; // the id of the file
const drafts = new Map(); // corrections that are not confirmed, by the id of the file

/** hasDrafts reports whether there are corrections that are not confirmed. */
export const hasDrafts = () => drafts.size > 0;

function show(isReport, title = home.title) {
  byId("home").hidden = isReport;
  byId("lead").hidden = isReport;
  byId("report").hidden = !isReport;
  byId("title").textContent = title;
  document.title = isReport ? `${title} – ${home.page}` : home.page;
}

/** closeReport shows the chat again. It reports whether a report was shown. */
export function closeReport() {
  const wasOpen = !byId("report").hidden;
  shown = "";
  show(false);
  byId("report").replaceChildren();
  return wasOpen;
}

/**
 * openReport shows the report of a file. changed is called when the file has changed, close to show the chat again, and
 * ask to ask a question.
 */
export async function openReport(id, actions) {
  const section = byId("report");
  shown = id;
  show(true, "Report");
  const back = el("button", { type: "button", class: "button small back", onClick: actions.close }, "← Back to the chat");
  const body = el("div", {}, el("p", { class: "hint" }, "One moment…"));
  section.replaceChildren(back, body);
  scrollTo(0, 0);
  const again = async (words) => {
    await load(id, body, { ...actions, again });
    if (words) announce(words);
  };
  await again();
  if (shown === id) byId("title").focus({ preventScroll: true });
}

async function load(id, body, actions) {
  try {
    const found = await fetchFile(id);
    if (shown !== id) return;
    show(true, found.file.name);
    body.replaceChildren(...draw(found, actions));
  } catch (err) {
    if (shown !== id) return;
    if (err.status === 404) {
      show(true, "This file was not found");
      body.replaceChildren(el("p", { class: "notice" }, "Either it does not exist, or it is not yours. A file belongs to " +
        "the person who has uploaded it. Nobody of another tenant sees it, and nobody learns whether it exists. If it " +
        "is your own, check who you are in the menu above."));
      return;
    }
    show(true, "The report could not be loaded");
    body.replaceChildren(el("p", { class: "notice error", role: "alert" }, `${err.message} `,
      el("button", { type: "button", class: "button small", onClick: () => actions.again() }, "Try again")));
  }
}

function draw({ file, report }, actions) {
  const { label, tone, reason } = describeState(file);
  const removal = file.can_delete ? drawRemoval(file, () => {
    drafts.delete(file.id);
    actions.changed();
    actions.close();
  }) : "";
  const state = el("p", { class: "standing" }, el("span", { class: `chip ${tone}` }, label));
  if (!report) {
    const more = reason ? sentence(reason) : "This file does not have a report yet.";
    return [state, el("p", { class: reason ? "flaw" : "" }, more), removal];
  }
  const { profile } = report;
  const isOpen = Boolean(file.can_confirm);
  const draft = drafts.get(file.id)?.version === report.version ? drafts.get(file.id) : undefined;
  if (!draft) drafts.delete(file.id); // the report has changed
  const form = { isOpen, inputs: new Map(), error: el("div", {}), draft };
  const kind = draft?.kind ?? report.kind ?? "unknown";
  form.kind = el("select", { id: "kind", disabled: !isOpen },
    Object.entries(kinds).map(([value, name]) => el("option", { value, selected: value === kind }, name)));
  const notes = (report.notes ?? []).map((n) => el("li", {}, sentence(n)));
  return [
    state,
    reason ? el("p", { class: "flaw" }, sentence(reason)) : "",
    el("form", { onInput: () => keepDraft(file, report, form), onSubmit: (e) => {
      e.preventDefault();
      confirm(file, report, form, actions);
    } },
      report.summary ? el("p", { class: "summary" }, report.summary) : "",
      drawTiles(profile, report),
      el("p", { class: "hint" }, describeFormat(report)),
      notes.length > 0 ? el("ul", { class: "notes", "aria-label": "Notes about the file" }, notes) : "",
      el("p", { class: "kind" }, el("label", { for: "kind" }, "Kind of data"), form.kind),
      isOpen ? el("p", { class: "hint" }, "Correct the kind and the meanings of the columns if they are wrong, then confirm.") : "",
      drawColumns(report, form),
      form.error,
      el("p", { class: "actions" },
        isOpen ? el("button", { class: "button primary" }, "Confirm") : "",
        file.step === "done" || file.owner !== "you" ? el("button", { type: "button", class: "button primary", onClick: actions.ask }, "Ask about it") : "",
        file.step === "done" && file.owner === "you" && !file.is_shared && actions.steward
          ? el("button", { type: "button", class: "button", onClick: () => share(file, form.error, actions) }, "Share with colleagues") : "")),
    removal,
  ];
}

function drawTiles(profile, report) {
  const tiles = [["Rows", formatCount(profile.rows)], ["Columns", formatCount(profile.has_columns ?? profile.columns?.length)], ["Size", formatBytes(report.size)]];
  const flaw = (name, n, about = "") => n > 0 && tiles.push([name, about + formatCount(n), true]);
  flaw("Rows that repeat an earlier one", profile.duplicates, profile.duplicates_exact ? "" : "about ");
  flaw("Rows with too many or too few values", profile.ragged);
  flaw("Rows that cannot be read", profile.malformed);
  flaw("Records that have a name twice", profile.twice);
  flaw("Rows read in part, since they are long", profile.cut);
  return el("dl", { class: "tiles" }, tiles.map(([name, value, isFlaw]) =>
    el("div", { class: isFlaw ? "tile bad" : "tile" }, el("dt", {}, name), el("dd", {}, value))));
}

/** describeFormat returns a line about the format and the encoding. */
function describeFormat(report) {
  const format = report.format === "csv"
    ? `CSV${separators[report.separator] ? ` with ${separators[report.separator]}` : ""}`
    : { json: "JSON", jsonl: "JSON Lines" }[report.format] ?? report.format;
  const encoding = report.encoding ? `in ${report.encoding}${report.encoding_assumed ? " (assumed)" : ""}` : "";
  return sentence(`${format} ${encoding}`.trim() + "; the whole file was measured");
}

function drawColumns(report, form) {
  const heads = ["Column", "Meaning", "Type", "Flaws", "Range", "Distinct values", "Examples"];
  const columns = report.profile.columns ?? [];
  return el("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": "Columns of the file" },
    el("table", { class: "columns", role: "table" },
      el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, heads.map((h) => el("th", { scope: "col", role: "columnheader" }, h)))),
      el("tbody", { role: "rowgroup" }, columns.map((c) => drawColumn(c, report, form, heads)))));
}

function drawColumn(column, report, form, heads) {
  const flaws = describeQuality(column, report.profile.rows);
  const { type, details } = describeType(column);
  const cell = (i, props, ...children) => el("td", { role: "cell", "data-label": heads[i], ...props }, ...children);
  return el("tr", { role: "row" },
    el("th", { scope: "row", role: "rowheader" }, column.name),
    cell(1, {}, drawMeaning(column, report, form)),
    cell(2, {}, type, details.map((d) => el("span", { class: "hint detail" }, d))),
    cell(3, { class: flaws.length > 0 ? "flaw" : "none" }, flaws.length > 0 ? flaws.map((f) => el("span", { class: "detail" }, f)) : "–"),
    cell(4, { class: column.min ? "" : "none" }, column.min ? `${column.min} to ${column.max}` : "–"),
    cell(5, {}, `${column.distinct_exact ? "" : "about "}${formatCount(column.distinct)}`),
    cell(6, { class: "examples" }, (column.examples ?? []).slice(0, 3).join(", ") || "–"));
}

function drawMeaning(column, report, form) {
  const before = report.meanings?.[column.name] ?? "";
  if (!form.isOpen || column.repeated) return before || "–";
  const input = el("textarea", { rows: Math.min(3, Math.ceil((before.length + 1) / 26)), maxlength: 300, "aria-label": `Meaning of ${column.name}`, onKeydown: (e) => {
    if (e.key !== "Enter") return; // a meaning is one line
    e.preventDefault();
    input.form.requestSubmit();
  } });
  input.value = form.draft?.meanings.get(column.name) ?? before;
  form.inputs.set(column.name, { input, before });
  return input;
}

/** keepDraft keeps the corrections until they are confirmed, also if the person goes back to the chat. */
function keepDraft(file, report, form) {
  const meanings = new Map([...form.inputs].map(([name, { input }]) => [name, input.value]));
  drafts.set(file.id, { version: report.version, kind: form.kind.value, meanings });
}

/** showProblem shows why a step failed. A report that has changed can be looked at again. */
function showProblem(slot, err, actions) {
  const again = el("button", { type: "button", class: "button small", onClick: () => actions.again() }, "Look at it again");
  slot.replaceChildren(el("p", { class: "notice error", role: "alert" }, err.message, " ", err.status === 409 ? again : ""));
}

async function confirm(file, report, form, actions) {
  const columns = [];
  for (const [name, { input, before }] of form.inputs) {
    const meaning = input.value.replaceAll(/\s*\n\s*/g, " ");
    if (meaning !== before) columns.push({ name, meaning });
  }
  try {
    await confirmFile(file.id, { version: report.version, kind: form.kind.value, columns });
    drafts.delete(file.id);
    actions.changed();
    await actions.again(`${file.name} is confirmed.`);
    byId("title").focus({ preventScroll: true });
    scrollTo(0, 0);
  } catch (err) {
    showProblem(form.error, err, actions);
  }
}

async function share(file, error, actions) {
  try {
    await shareFile(file.id);
    actions.changed();
    await actions.again(`${file.name} is shared with your colleagues, who can ask about it now.`);
    byId("title").focus({ preventScroll: true });
  } catch (err) {
    showProblem(error, err, actions);
  }
}
