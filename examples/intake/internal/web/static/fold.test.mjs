import assert from "node:assert/strict";
import test from "node:test";
import { fold, readOutput, requestOf, undo } from "./fold.js";
import { parseBlock, splitBlocks } from "./sse.js";

test("events become text and calls in order", () => {
  const view = fold([
    { type: "user_message", text: "hi" },
    { type: "text_delta", delta: "I " },
    { type: "text_delta", delta: "look." },
    { type: "tool_call", id: "c1", name: "profile_file", input: { file: "f1" } },
    { type: "tool_progress", id: "c1", value: { file: "f1", read: 5, size: 10 } },
    { type: "tool_progress", id: "unknown", value: { read: 5, size: 10 } },
    { type: "tool_result", id: "c1", summary: "<b>3</b> rows", is_error: false },
    { type: "text_delta", delta: "Done." },
    { type: "a later version's event" },
    { type: "finished", outcome: "complete" },
  ]);
  assert.equal(view.question, "hi");
  assert.deepEqual(
    view.items.map((i) => i.text ?? `${i.name} ${i.state} ${i.summary}`),
    ["I look.", "profile_file done <b>3</b> rows", "Done."]
  );
  assert.equal(view.outcome, "complete");
  assert.equal(view.error, "");
});

test("progress is shown until the result", () => {
  const start = [
    { type: "tool_call", id: "c1", name: "profile_file" },
    { type: "tool_progress", id: "c1", value: { read: 5, size: 10 } },
  ];
  assert.deepEqual(fold(start).items[0].progress, { read: 5, size: 10 });
  assert.equal(fold([...start, { type: "tool_result", id: "c1", is_error: true }]).items[0].progress, undefined);
  assert.equal(fold([...start, { type: "tool_result", id: "c1", is_error: true }]).items[0].state, "failed");
});

test("a retraction takes back what came after it", () => {
  const events = ["000000000001.0000", "000000000002.0000", "000000000002.0001"].map((at) => ({ at }));
  assert.equal(undo(events, "000000000002.0000").length, 2);
  assert.equal(undo(events, "").length, 0);
});

test("failures have words", () => {
  assert.equal(fold([{ type: "failed", code: "internal", message: "No." }]).error, "No.");
  assert.equal(fold([{ type: "failed" }]).error, "Something went wrong.");
  assert.equal(fold([{ type: "failed" }]).canRetry, false);
  assert.equal(fold([{ type: "failed", retryable: true }]).canRetry, true);
  assert.match(fold([{ type: "finished", outcome: "limit" }]).error, /limit/);
  assert.match(fold([{ type: "finished", outcome: "complete", stop_reason: "refusal" }]).error, /may not be an answer/);
});

test("a person's own stop is not a failure", () => {
  const { outcome, error } = fold([{ type: "finished", outcome: "stopped" }]);
  assert.deepEqual([outcome, error], ["stopped", ""]);
});

test("results are JSON or text, and long ones are read later", () => {
  assert.deepEqual(readOutput([{ json: { rows: 3 } }]), { rows: 3 });
  assert.deepEqual(readOutput([{ text: '{"rows":3}' }]), { rows: 3 });
  assert.equal(readOutput([{ text: "no table" }]), "no table");
  for (const nothing of [undefined, null, [], "x"]) assert.equal(readOutput(nothing), undefined);
  const call = { type: "tool_call", id: "c1", name: "sample" };
  const result = { type: "tool_result", id: "c1", is_error: false };
  assert.equal(fold([call, { ...result, truncated: true }]).items[0].isLong, true);
  assert.deepEqual(fold([call, { ...result, output: [{ json: [1] }] }]).items[0].output, [1]);
});

test("blocks of server-sent events are parsed", () => {
  assert.deepEqual(splitBlocks("data: a\nid: 1\n\ndata: b"), { blocks: ["data: a\nid: 1"], rest: "data: b" });
  assert.deepEqual(parseBlock("data: a\nid: 1"), { id: "1", data: "a" });
  assert.deepEqual(parseBlock(":comment\ndata:x\ndata: y"), { id: "", data: "x\ny" });
  assert.equal(parseBlock(": keep-alive"), undefined);
});

test("a question is asked again with the request that asked it", () => {
  const of = (...events) => requestOf(fold(events));
  const question = { type: "user_message", text: "how many rows" };
  const take = { type: "user_message", text: "Take in a.csv" };
  const began = { type: "text_delta", delta: "I look." };
  assert.deepEqual(of(question), { message: "how many rows" });
  assert.deepEqual(of(take, { type: "custom", name: "file", value: { id: "u1" } }, began), { file_id: "u1" });
  assert.deepEqual(
    of(take, { type: "custom", name: "other", value: { id: "u1" } }, began), { message: "Take in a.csv" }
  );
  assert.equal(of(take), undefined, "it is not known which file it was");
});
