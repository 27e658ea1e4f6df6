// The list of files, with the next steps of each.

import { listFiles } from "./api.js";
import { byId, el } from "./dom.js";
import { drawRemoval } from "./removal.js";
import { describeState, nextSteps, progress } from "./state.js";
import { formatBytes, plural, sentence } from "./words.js";

let next = "";

function drawFile(file, actions) {
  const { label, tone, reason } = describeState(file);
  const kind = file.kind === "unknown" ? "" : file.kind_label;
  const facts = [kind, file.rows ? plural(file.rows, "row") : "", file.size ? formatBytes(file.size) : ""];
  const text = facts.filter(Boolean).join(" · ");
  return el("li", { class: "file", "data-id": file.id },
    el("div", { class: "file-head" },
      el("button", { type: "button", class: "name", onClick: () => actions.open(file.id) }, file.name),
      el("span", { class: `chip ${tone}` }, label)),
    text ? el("p", { class: "hint" }, text) : "",
    reason ? el("p", { class: "flaw" }, sentence(reason)) : "",
    file.owner === "you" && tone !== "bad" && file.step !== "done" ? drawProgress(file) : "",
    drawSteps(file, actions));
}

function drawProgress(file) {
  return el("ol", { class: "steps", "aria-label": `Progress of ${file.name}` },
    progress(file).map(({ label, isDone }) => el("li", { class: isDone ? "past" : "" }, label,
      isDone ? el("span", { class: "visually-hidden" }, ", done") : "")));
}

function drawSteps(file, actions) {
  const steps = nextSteps(file);
  if (steps.length === 0) return "";
  return el("div", { class: "actions" }, steps.map(({ action, label, isMain }) => {
    if (action === "remove") return drawRemoval(file, actions.changed);
    const onClick = () => actions[action](file.id, file.name);
    return el("button", { type: "button", class: `button small${isMain ? " primary" : ""}`, onClick },
      label, el("span", { class: "visually-hidden" }, ` ${file.name}`));
  }));
}

/** focusFile moves the focus to a file in the list, or to the list. */
export function focusFile(id) {
  const found = [...document.querySelectorAll(".file")].find((node) => node.dataset.id === id);
  (found?.querySelector(".name") ?? byId("files-title")).focus();
}

let reading = 0; // the newest request for the first page

/** refreshFiles draws the first page of the list, or adds an older one. */
export async function refreshFiles(actions, older = false) {
  const list = byId("files");
  const error = byId("files-error");
  const mine = ++reading;
  try {
    const page = await listFiles(older ? next : "");
    if (mine !== reading) return; // a newer request answers
    next = page.next ?? "";
    const drawn = page.files.map((f) => drawFile(f, actions));
    const focused = document.activeElement?.closest?.(".file")?.dataset.id;
    const label = document.activeElement?.textContent;
    if (older) list.append(...drawn);
    else {
      if (drawn.length === 0) drawn.push(el("li", { class: "hint" }, "You have not taken in a file yet."));
      list.replaceChildren(...drawn);
      byId("shared").replaceChildren(...page.shared.map((f) => drawFile(f, actions)));
      byId("shared-title").hidden = page.shared.length === 0;
      if (focused) keepFocus(focused, label);
    }
    byId("more").hidden = next === "";
    error.replaceChildren();
  } catch (err) {
    if (mine === reading) error.replaceChildren(el("p", { class: "flaw", role: "alert" }, err.message));
  } finally {
    list.setAttribute("aria-busy", "false");
  }
}

/** keepFocus gives the focus back to the element that had it before the list was drawn again. */
function keepFocus(id, label) {
  const file = [...document.querySelectorAll(".file")].find((node) => node.dataset.id === id);
  const same = file && [...file.querySelectorAll("button")].find((b) => b.textContent === label);
  if (same) same.focus({ preventScroll: true });
  else focusFile(id);
}
