// The person's decision about a report: corrections, which are kept until they are confirmed, and the sharing of its
// file.

import { confirmFile, shareFile } from "./api.js";
import { byId, el } from "./dom.js";

const drafts = new Map(); // corrections that are not confirmed, by the id of the file

/** hasDrafts reports whether there are corrections that are not confirmed. */
export const hasDrafts = () => drafts.size > 0;

/** dropDraft forgets the corrections of a file. */
export const dropDraft = (file) => drafts.delete(file.id);

/** draftOf returns the corrections of a report, or undefined. It forgets those of an earlier version. */
export function draftOf(file, report) {
  if (drafts.get(file.id)?.version !== report.version) drafts.delete(file.id);
  return drafts.get(file.id);
}

/** keepDraft keeps the corrections until they are confirmed, also if the person goes back to the chat. */
export function keepDraft(file, report, form) {
  const meanings = new Map([...form.inputs].map(([name, { input }]) => [name, input.value]));
  drafts.set(file.id, { version: report.version, kind: form.kind.value, meanings });
}

/** showProblem shows why a step failed. A report that has changed can be looked at again. */
function showProblem(slot, err, actions) {
  const look = () => actions.again();
  const again = err.status === 409
    ? el("button", { type: "button", class: "button small", onClick: look }, "Look at it again")
    : "";
  slot.replaceChildren(el("p", { class: "notice error", role: "alert" }, err.message, " ", again));
}

/** confirm confirms a report with the corrections of its form. */
export async function confirm(file, report, form, actions) {
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

/** share shares a confirmed file with the tenant. error shows why that failed. */
export async function share(file, error, actions) {
  try {
    await shareFile(file.id);
    actions.changed();
    await actions.again(`${file.name} is shared with your colleagues, who can ask about it now.`);
    byId("title").focus({ preventScroll: true });
  } catch (err) {
    showProblem(error, err, actions);
  }
}
