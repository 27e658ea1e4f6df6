import assert from "node:assert/strict";
import { test } from "node:test";
import { describeEnd as describeChatEnd } from "./chatwords.js";
import { describeEnd, describeRefusal, sumUsage } from "./outcome.js";

test("a stop by the person is not an error", () => {
  assert.equal(describeEnd({ type: "complete" }, true), undefined);
  const stopped = { type: "error", code: "stopped", message: "The run was stopped." };
  assert.equal(describeEnd(stopped, true).kind, "info");
  assert.match(describeEnd(stopped, true).detail, /accept/);
  assert.doesNotMatch(describeEnd(stopped, false).detail, /accept/);
  const message = "The token budget is used up. Try again in 2 hours.";
  assert.deepEqual(describeEnd({ type: "error", code: "budget", message }, true).detail, message);
  assert.equal(describeEnd({ type: "error", code: "throttled", message: "…" }, true).kind, "error");
});

test("a refusal of the model is not an answer", () => {
  const end = { type: "complete", metadata: {}, stop_reason: "content_policy" };
  for (const describe of [describeEnd, describeChatEnd]) {
    assert.equal(describe(end).kind, "info");
    assert.match(describe(end).detail, /content policy/);
  }
});

test("a refusal depends on its status", () => {
  assert.equal(describeRefusal({ status: 429 }), "The reader is busy");
  assert.equal(describeRefusal({ status: 0 }), "The connection to the reader was lost");
});

test("usage is added up", () => {
  const events = [
    { type: "usage", input_tokens: 2, output_tokens: 1, at: "x" },
    { type: "text_delta" },
    { type: "usage", input_tokens: 3 },
  ];
  assert.deepEqual(sumUsage(events), { input_tokens: 5, output_tokens: 1 });
});
