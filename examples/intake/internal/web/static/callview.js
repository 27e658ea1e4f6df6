// A tool call in the chat: what it does, how far it is, and what it found.

import { fetchResult } from "./api.js";
import { describeCall, listArguments, nameHandles, summarize } from "./calls.js";
import { tableOf } from "./calltable.js";
import { el } from "./dom.js";
import { readOutput } from "./fold.js";
import { drawTable } from "./table.js";
import { formatBytes } from "./words.js";

const marks = { running: "…", done: "✓", failed: "✗" };

/** drawCall draws a call. files are the names of the handles, and run is the id of the call's run. */
export function drawCall(item, files, run) {
  const words = describeCall(item);
  const mark = el("span", { class: "mark", "aria-hidden": "true" }, marks[item.state]);
  const head = el("span", { class: `call ${item.state}` }, mark, words);
  if (item.state === "running") {
    return el("div", { class: "step" }, el("div", { class: "step-head" }, head, drawProgress(item.progress, words)));
  }
  const summary = summarize(item, files);
  const found = summary ? el("span", { class: "hint" }, summary) : "";
  return drawDetails(item, files, run, el("summary", { class: "step-head" }, head, found));
}

function drawProgress({ read, size } = {}, words) {
  if (!(size > 0)) return "";
  const text = `${formatBytes(read)} of ${formatBytes(size)}`;
  return [el("progress", { max: size, value: read, "aria-label": words }), el("span", { class: "hint" }, text)];
}

function drawArguments(found) {
  if (found.length === 0) return "";
  const rows = found.map(([label, text]) => el("div", {}, el("dt", {}, label), el("dd", {}, text)));
  return el("dl", { class: "arguments" }, rows);
}

function drawDetails(item, files, run, head) {
  const words = describeCall(item);
  const result = el("div", {});
  const body = el("div", { class: "details" }, drawArguments(listArguments(item, files)), result);
  const hint = (text) => el("p", { class: "hint" }, nameHandles(text, files));
  const show = (of) => {
    const table = tableOf(of);
    const notes = (Array.isArray(of.output?.notes) ? of.output.notes : []).map(hint);
    const text = item.state === "done" && typeof of.output === "string" ? hint(of.output) : "";
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
