// The page of a file: its report, with the form in which a person confirms or corrects it. While it is shown, it takes
// the place of the chat.

import { fetchFile } from "./api.js";
import { confirm, draftOf, dropDraft, keepDraft, share } from "./decision.js";
import { announce, byId, el } from "./dom.js";
import { drawRemoval } from "./removal.js";
import { drawColumns } from "./reportcolumns.js";
import { describeFormat, drawTiles } from "./reportfacts.js";
import { describeState } from "./state.js";
import { sentence } from "./words.js";

const kinds = {
  shipments: "Shipments", inventory: "Inventory", purchase_orders: "Purchase orders", suppliers: "Suppliers",
  bill_of_materials: "Bill of materials", sales_orders: "Sales orders", invoices: "Invoices", products: "Products",
  unknown: "Something else",
};
const home = { title: byId("title").textContent, page: document.title };
const instruction = "Correct the kind and the meanings of the columns if they are wrong, then confirm.";
const notFound = "Either it does not exist, or it is not yours. A file belongs to the person who has uploaded it. " +
  "Nobody of another tenant sees it, and nobody learns whether it exists. If it is your own, check who you are in " +
  "the menu above.";
let shown = ""; // the id of the file

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
  const leave = { type: "button", class: "button small back", onClick: actions.close };
  const back = el("button", leave, "← Back to the chat");
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
      body.replaceChildren(el("p", { class: "notice" }, notFound));
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
    dropDraft(file);
    actions.changed();
    actions.close();
  }) : "";
  const state = el("p", { class: "standing" }, el("span", { class: `chip ${tone}` }, label));
  if (!report) {
    const more = reason ? sentence(reason) : "This file does not have a report yet.";
    return [state, el("p", { class: reason ? "flaw" : "" }, more), removal];
  }
  const isOpen = Boolean(file.can_confirm);
  const draft = draftOf(file, report);
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
      drawTiles(report),
      el("p", { class: "hint" }, describeFormat(report)),
      notes.length > 0 ? el("ul", { class: "notes", "aria-label": "Notes about the file" }, notes) : "",
      el("p", { class: "kind" }, el("label", { for: "kind" }, "Kind of data"), form.kind),
      isOpen ? el("p", { class: "hint" }, instruction) : "",
      drawColumns(report, form),
      form.error,
      el("p", { class: "actions" }, drawDecisions(file, form, actions))),
    removal,
  ];
}

/** drawDecisions draws the buttons for what a person can do with a report. */
function drawDecisions(file, { isOpen, error }, actions) {
  if (isOpen) return [el("button", { class: "button primary" }, "Confirm")];
  const isOwn = file.owner === "you";
  if (isOwn && file.step !== "done") return [];
  const canShare = isOwn && !file.is_shared && actions.steward;
  const onShare = () => share(file, error, actions);
  return [
    el("button", { type: "button", class: "button primary", onClick: actions.ask }, "Ask about it"),
    canShare ? el("button", { type: "button", class: "button", onClick: onShare }, "Share with colleagues") : "",
  ];
}
