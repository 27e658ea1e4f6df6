// A tool call in the chat: what it does, how far it is, and what it found.

import { fetchResult } from "./api.js";
import { describeCall, listArguments, nameHandles, summarize, tableOf } from "./calls.js";
import { el } from "./dom.js";
import { readOutput } from "./fold.js";
import { drawTable } from "./table.js";
import { formatBytes } from "./words.js";

const marks = { running: "…", done: "✓", failed: "✗" };

/** drawCall draws a call. files are the names of the handles, and run is the id of the call's run. */
export function drawCall(item, files, run) {
  const words = describeCall(item);
  const head = el("span", { class: `call ${item.state}` }, el("span", { class: "mark", "aria-hidden": "true" }, marks[item.state]), words);
  if (item.state === "running") {
    const { read, size } = item.progress ?? {};
    return el("div", { class: "step" }, el("div", { class: "step-head" }, head, size > 0
      ? [el("progress", { max: size, value: read, "aria-label": words }), el("span", { class: "hint" }, `${formatBytes(read)} of ${formatBytes(size)}`)]
      : ""));
  }
  const summary = summarize(item, files);
  return drawDetails(item, files, run, el("summary", { class: "step-head" }, head, summary ? el("span", { class: "hint" }, summary) : ""));
}

function drawDetails(item, files, run, head) {
  const words = describeCall(item);
  const found = listArguments(item, files);
  const result = el("div", {});
  const body = el("div", { class: "details" }, found.length > 0
    ? el("dl", { class: "arguments" }, found.map(([label, text]) => el("div", {}, el("dt", {}, label), el("dd", {}, text))))
    : "", result);
  const show = (of) => {
    const table = tableOf(of);
    const notes = (Array.isArray(of.output?.notes) ? of.output.notes : []).map((n) => el("p", { class: "hint" }, nameHandles(n, files)));
    const text = item.state === "done" && typeof of.output === "string" ? el("p", { class: "hint" }, nameHandles(of.output, files)) : "";
    result.replaceChildren(...(table ? [drawTable(table, words)] : []), ...notes, text);
  };
  show(item);
  const details = el("details", { class: "step", onToggle: async () => {
    if (!details.open || !item.isLong || item.output !== undefined) return;
    result.replaceChildren(el("p", { class: "hint" }, "One moment…"));
    try {
      item.output = readOutput((await fetchResult(run, item.id)).blocks);
      show(item);
    } catch (err) {
      result.replaceChildren(el("p", { class: "flaw", role: "alert" }, err.message));
    }
  } }, head, body);
  return details;
}
