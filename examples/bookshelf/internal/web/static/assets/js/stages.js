// The record of an upload: its stages with attempts, times, places and errors.

import { el, icon } from "./dom.js";
import { formatReason, formatStage } from "./status.js";
import { formatAgo, formatMoment, locale } from "./times.js";
import { formatDuration, humanizeName } from "./words.js";

const states = { success: "Done", failed: "Failed", in_progress: "In progress" };
const currentStates = { waiting: "Waiting for review", released: "Interrupted" };

/** drawRecord returns the element of a record of /api/ops/files/{id}. */
export function drawRecord(file) {
  const stages = file.stage_progress ?? [];
  return el(
    "div",
    { class: "record" },
    el(
      "dl",
      { class: "facts" },
      fact("Title", file.title),
      fact("Upload", el("code", {}, file.upload_id)),
      fact("File", file.display_name || file.filename),
      file.display_name && fact("Kept as", file.filename),
      fact("By", file.user_id),
      fact("Created", moment(file.created_at)),
      fact("Changed", moment(file.changed_at)),
      file.reason && fact("Reason", formatReason(file.reason)),
      file.current_status === "FAILED" && fact("Retry", file.retryable ? "possible" : "not possible"),
    ),
    stages.length > 0
      ? el("ol", { class: "stages" }, stages.map((s) => stage(s, file)))
      : el("p", { class: "hint" }, "No stage has started."),
  );
}

/** ago returns a time element. updateAges updates its text. */
export function ago(iso) {
  const then = Date.parse(iso);
  if (Number.isNaN(then)) return undefined;
  return el("time", { datetime: iso, lang: locale, title: formatMoment(then) }, formatAgo(then, Date.now()));
}

/** updateAges updates the texts of the time elements in a node. */
export function updateAges(node) {
  for (const time of node.querySelectorAll("time")) {
    const text = formatAgo(Date.parse(time.dateTime), Date.now());
    if (time.textContent !== text) time.textContent = text;
  }
}

function stage(s, file) {
  const isAwaited = s.stage_name === "user_upload" && s.status === "in_progress";
  const current = s.stage_name === file.stage ? currentStates[file.state] : undefined;
  return el(
    "li",
    { class: `stage ${s.status}` },
    el(
      "span",
      { class: "stage-mark" },
      s.status === "success" ? icon("done") : s.status === "failed" && icon("failed"),
    ),
    el(
      "div",
      { class: "stage-body" },
      el(
        "p",
        { class: "stage-head" },
        el("strong", {}, formatStage(s.stage_name)),
        el(
          "span",
          { class: "stage-state" },
          current ?? (isAwaited ? "Waiting for the file" : (states[s.status] ?? humanizeName(s.status))),
        ),
        s.stage_name !== "user_upload" && el("span", { class: "hint" }, `Attempt ${s.attempt}`),
        Number.isFinite(s.processing_time) &&
          el("span", { class: "hint" }, `took ${formatDuration(s.processing_time * 1000)}`),
      ),
      s.error_message && el("p", { class: "stage-error" }, s.error_message),
      el(
        "dl",
        { class: "facts" },
        fact("Began", moment(s.start_time)),
        fact("Ended", moment(s.end_time)),
        fact("From", place(s.source), "wide"),
        fact("To", place(s.destination), "wide"),
      ),
    ),
  );
}

function fact(term, value, kind) {
  return value && el("div", { class: kind }, el("dt", {}, term), el("dd", {}, value));
}

function place(p) {
  return p?.key && el("code", {}, `${p.bucket}/${p.key}`);
}

/** moment returns a time in both forms, since a finger cannot reach a title. */
function moment(iso) {
  const time = ago(iso);
  return time && [time, el("span", { class: "moment", lang: locale }, time.title)];
}
