import assert from "node:assert/strict";
import { test } from "node:test";
import { leavesEditable, mustResume, planReview } from "./reviewstate.js";

const stages = (...names) => names.map((stage_name) => ({ stage_name, status: "success" }));
const arrived = { current_status: "IN_PROGRESS", class: "active", stage_progress: stages("user_upload") };
const read = { ...arrived, class: "waiting", stage_progress: stages("user_upload", "enrichment") };
const accepted = { ...read, current_status: "SUCCESS", class: "success" };
const failed = { ...read, current_status: "FAILED", class: "failed", retryable: true };
const closed = { ...failed, retryable: false };
const empty = { metadata: {}, runs: [] };
const filled = { metadata: { title: "Emma" }, runs: ["s.1"] };

test("the reader is asked for a photo that nobody has read, once", () => {
  assert.equal(planReview(arrived, empty).mustAsk, true);
  assert.equal(planReview(arrived, empty).notice, undefined);
  const again = planReview(arrived, { ...empty, runs: ["s.1"] });
  assert.equal(again.mustAsk, false);
  assert.equal(again.notice.ask, "Read the cover");
});

test("a card that is filled in is shown without a notice", () => {
  const plan = planReview(read, filled);
  assert.deepEqual([plan.status, plan.absent, plan.notice], ["ready", "", undefined]);
  assert.equal(planReview(read, { ...empty, runs: ["s.1"] }).notice.ask, "Read it again");
});

test("an empty card that waits for a person, was not read, or has text that is not valid yet can be filled in", () => {
  assert.equal(planReview(read, { ...empty, runs: ["s.1"] }).absent, "");
  assert.deepEqual([planReview(failed, empty).absent, planReview(failed, empty).canEdit], ["", true]);
  assert.equal(planReview(arrived, empty).canEdit, false);
  assert.equal(planReview(failed, { ...empty, texts: { isbn: "12" } }).absent, "");
});

test("a failure is explained also if the card has values", () => {
  const plan = planReview(failed, filled);
  assert.deepEqual([plan.status, plan.absent, plan.notice.kind], ["failed", "", "error"]);
  assert.deepEqual([plan.canEdit, planReview(closed, filled).canEdit], [true, false]);
});

test("a closed upload shows no card, and cannot be read again", () => {
  const plan = planReview(closed, filled);
  assert.equal(plan.status, "closed");
  assert.notEqual(plan.absent, "");
  assert.equal(plan.notice.ask, undefined);
  assert.equal(plan.isUploaded, false);
});

test("an accepted card without its fields says where they are, and offers nothing else", () => {
  const plan = planReview(accepted, empty);
  assert.equal(plan.status, "accepted");
  assert.equal(plan.notice.hasAnother, false);
  assert.equal(planReview(accepted, filled).notice, undefined);
});

test("an upload that has changed elsewhere is shown anew", () => {
  const now = { ...accepted, updated_at: "2" };
  assert.equal(mustResume(now, filled, { isOpen: true, seen: "1" }), true, "another tab has accepted it");
  assert.equal(mustResume(now, filled, { isOpen: true, seen: "2" }), false, "it is what is shown");
});

test("a run in flight and a draft that has changed do not replace the card", () => {
  const now = { ...read, updated_at: "2" };
  assert.equal(mustResume(now, { ...filled, run_id: "s.2" }, { isOpen: false, seen: "1" }), false);
  assert.equal(mustResume(now, filled, { isOpen: true, seen: "1" }), false);
  assert.equal(mustResume(now, filled, { isOpen: false, seen: "1" }), true);
  const typing = { ...failed, updated_at: "2" }; // the card that is typed after a stop
  assert.equal(mustResume(typing, filled, { isOpen: true, seen: "1" }), false);
});

test("after a run the card can be edited, also if the run was stopped or failed", () => {
  const error = { type: "error", code: "throttled" };
  const stopped = { type: "error", code: "stopped" };
  assert.equal(leavesEditable({ type: "complete" }, false, undefined), true);
  assert.equal(leavesEditable(stopped, true, undefined), true);
  for (const end of [stopped, error]) {
    assert.equal(leavesEditable(end, false, failed), true);
    assert.equal(leavesEditable(end, false, closed), false);
    assert.equal(leavesEditable(end, false, undefined), false, "nobody knows");
  }
  assert.equal(leavesEditable(undefined, true, failed), false, "the run may be in flight");
});
