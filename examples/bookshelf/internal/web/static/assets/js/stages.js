// The record of an upload: its stages with attempts, times, places and errors.

import { el, icon } from "./dom.js";
import { humanizeName, formatDuration, formatTime } from "./words.js";

const states = { success: "Done", failed: "Failed", in_progress: "In progress" };

/** drawRecord returns the element of a record of /api/ops/files/{id}. */
export function drawRecord(file) {
  const stages = file.stage_progress ?? [];
  return el(
    "div",
    { class: "record" },
    el(
      "dl",
      { class: "facts" },
      fact("Upload", el("code", {}, file.upload_id)),
      fact("Updated", time(file.updated_at)),
      file.reason && fact("Reason", humanizeName(file.reason)),
      file.current_status === "FAILED" && fact("Retry", file.retryable ? "possible" : "not possible"),
    ),
    stages.length > 0 ? el("ol", { class: "stages" }, stages.map(stage)) : el("p", { class: "hint" }, "No stage has started."),
    el("p", {}, el("a", { href: `/#${file.upload_id}` }, "Open at the desk")),
  );
}

function stage(s) {
  return el(
    "li",
    { class: `stage ${s.status}` },
    el("span", { class: "stage-mark" }, s.status === "success" ? icon("done") : s.status === "failed" && icon("failed")),
    el(
      "div",
      { class: "stage-body" },
      el(
        "p",
        { class: "stage-head" },
        el("strong", {}, humanizeName(s.stage_name)),
        el("span", { class: "stage-state" }, states[s.status] ?? humanizeName(s.status)),
        s.attempt > 1 && el("span", { class: "hint" }, `attempt ${s.attempt}`),
        Number.isFinite(s.processing_time) && el("span", { class: "hint" }, `took ${formatDuration(s.processing_time * 1000)}`),
      ),
      s.error_message && el("p", { class: "stage-error" }, s.error_message),
      el(
        "dl",
        { class: "facts" },
        fact("Began", time(s.start_time)),
        fact("Ended", time(s.end_time)),
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

function time(iso) {
  const at = new Date(iso ?? "");
  return Number.isNaN(at.getTime()) ? undefined : el("time", { datetime: iso }, formatTime(at));
}
