import assert from "node:assert/strict";
import { test } from "node:test";
import { describeStatus, formatReason, formatStage } from "./status.js";

const row = (fields) => ({ user_id: "ann", own: true, stage: "enrichment", ...fields });
const actions = (r) =>
  ["canOpen", "canRead", "canRetry", "canCancel"].filter((name) => describeStatus(r)[name]).join(" ");

test("what waits for a person is apart from what runs", () => {
  const waiting = row({ class: "waiting", state: "waiting" });
  assert.equal(describeStatus(waiting).badge, "Waiting for you");
  assert.equal(actions(waiting), "canOpen canCancel");
  const theirs = { ...waiting, own: false };
  assert.equal(describeStatus(theirs).badge, "Waiting for ann");
  assert.equal(actions(theirs), "canCancel", "the desk of another person is not theirs");
  const running = row({ class: "active", state: "running" });
  assert.equal(describeStatus(running).badge, "Reading");
  assert.equal(describeStatus(running).kind, "active");
});

test("an active upload says what it waits for", () => {
  const upload = row({ class: "active", stage: "user_upload", state: "running" });
  assert.equal(describeStatus(upload).badge, "Uploading");
  assert.equal(actions(upload), "canCancel");
  assert.equal(describeStatus(row({ class: "active", state: "queued" })).badge, "Not read yet");
  assert.equal(describeStatus(row({ class: "active", state: "released" })).badge, "Interrupted");
  assert.equal(describeStatus(row({ class: "active", stage: "av_scan", state: "running" })).detail, "Virus scan");
  assert.equal(describeStatus({ class: "active" }).badge, "Running", "an index without the stage");
});

test("a failure says why, and what is left to do", () => {
  const busy = row({ class: "failed", reason: "throttled", retryable: true });
  assert.deepEqual([describeStatus(busy).badge, describeStatus(busy).detail], ["Failed", "The model was too busy."]);
  assert.equal(actions(busy), "canOpen canRetry canCancel");
  const bad = row({ class: "failed", reason: "not_an_image", retryable: false });
  assert.equal(describeStatus(bad).badge, "Failed for good");
  assert.equal(actions(bad), "");
  assert.equal(describeStatus(row({ class: "failed", reason: "cancelled", retryable: false })).kind, "closed");
  const left = row({ class: "failed", reason: "abandoned", stage: "user_upload", retryable: false });
  assert.equal(describeStatus(left).detail, "Upload: Nobody continued in time.");
  assert.equal(actions(row({ class: "success" })), "canRead");
  assert.equal(actions(row({ class: "success", own: false })), "");
});

test("unknown reasons and stages are named as they are", () => {
  assert.equal(formatReason("out_of_paper"), "Out of paper.");
  assert.equal(formatReason(""), "");
  assert.equal(formatReason("constructor"), "Constructor.");
  assert.equal(formatStage("routing"), "Routing");
});
