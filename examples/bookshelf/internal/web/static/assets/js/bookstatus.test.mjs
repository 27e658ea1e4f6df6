import assert from "node:assert/strict";
import { test } from "node:test";
import { closedCard, describeRow, readStatus } from "./bookstatus.js";

const record = (current_status, stages, more = {}) => ({
  current_status,
  stage_progress: Object.entries(stages).map(([stage_name, s]) => ({ stage_name, ...s })),
  ...more,
});

test("an upload on its way, one that arrived, one that is open", () => {
  const sending = readStatus(record("IN_PROGRESS", { user_upload: { status: "in_progress" } }));
  assert.equal(sending.status, "sending");
  assert.ok(sending.ask);
  assert.equal(readStatus(record("IN_PROGRESS", { user_upload: { status: "success" } })).status, "unread");
  const open = record("IN_PROGRESS", { user_upload: { status: "success" }, enrichment: { status: "in_progress" } });
  assert.equal(readStatus(open).status, "ready");
  // Lines are missed only where the reader has been at the book.
  assert.equal(sending.card, "");
  assert.notEqual(readStatus(open).card, "");
});

test("an empty card that waits for a person can be filled in", () => {
  const stages = { user_upload: { status: "success" }, enrichment: { status: "in_progress" } };
  const empty = readStatus(record("IN_PROGRESS", stages, { class: "waiting" }));
  assert.deepEqual([empty.status, empty.step, empty.card], ["ready", "review", ""]);
  assert.ok(empty.ask);
});

test("a failure says its cause, and offers another try only where there is one", () => {
  const stages = {
    user_upload: { status: "success" },
    enrichment: { status: "failed", error_message: "throttled (429)" },
  };
  const again = readStatus(record("FAILED", stages, { retryable: true }));
  assert.equal(again.status, "failed");
  assert.equal(again.detail, "throttled (429)");
  assert.equal(again.kind, "error");
  const stopped = readStatus(record("FAILED", stages, { retryable: true, reason: "stopped" }));
  assert.equal(stopped.kind, "info");
  assert.ok(stopped.ask);
  assert.ok(again.ask);
  const closed = readStatus(record("FAILED", stages, { retryable: false }));
  assert.equal(closed.status, "closed");
  assert.equal(closed.ask, undefined);
  assert.deepEqual([closed.step, closed.card], ["reading", closedCard]);
  assert.equal(readStatus(record("FAILED", { user_upload: { status: "failed" } }, { retryable: false })).step, "photo");
  assert.equal(readStatus(record("FAILED", {}, { retryable: false, reason: "abandoned" })).detail, "abandoned");
});

test("a cancelled upload is said to be one, and is not an error", () => {
  const stages = { user_upload: { status: "success" }, enrichment: { status: "failed", error_message: "Cancelled." } };
  const cancelled = readStatus(record("FAILED", stages, { retryable: false, reason: "cancelled" }));
  assert.deepEqual(
    [cancelled.status, cancelled.kind, cancelled.title],
    ["closed", "info", "This upload was cancelled"],
  );
  assert.notEqual(cancelled.card, closedCard);
  assert.equal(describeRow({ class: "failed", retryable: false, reason: "cancelled" }).words, "Cancelled");
  assert.equal(describeRow({ class: "failed", retryable: false, reason: "rejected" }).words, "Cannot be read");
});

test("an accepted card says where it is kept", () => {
  const stages = { enrichment: { status: "success", destination: { bucket: "b", key: "k/metadata.json" } } };
  const accepted = readStatus(record("SUCCESS", stages));
  assert.equal(accepted.status, "accepted");
  assert.equal(accepted.key, "k/metadata.json");
  assert.equal(accepted.ask, undefined);
});

test("a record without stages is no crash", () => {
  assert.equal(readStatus({ current_status: "QUEUED" }).status, "sending");
});
