import assert from "node:assert/strict";
import { test } from "node:test";
import { describeControls, describeLoss, describeRunEnd, nameOf, newChatState, readEvent } from "./chatstate.js";

const empty = { text: "", entries: 0 };

test("the path has the id of the chat", () => {
  assert.equal(newChatState("/chat").chat, "");
  assert.equal(newChatState("/chat/0199").chat, "0199");
});

test("a message can be sent when nothing is in flight and the box has text", () => {
  const ready = { ...newChatState("/chat"), status: "ready" };
  assert.equal(describeControls(ready, empty).canSend, false);
  assert.equal(describeControls(ready, { text: " \n", entries: 0 }).canSend, false);
  assert.equal(describeControls(ready, { text: "List my books", entries: 0 }).canSend, true);
  for (const status of ["loading", "sending", "reading"]) {
    assert.equal(describeControls({ ...ready, status }, { text: "x", entries: 0 }).canSend, false, status);
  }
  const missing = describeControls({ ...ready, isMissing: true }, { text: "x", entries: 0 });
  assert.deepEqual([missing.canSend, missing.hasBox, missing.hasGreeting], [false, false, false]);
});

test("the reader can be stopped while it works, not while the message is on its way", () => {
  const state = newChatState("/chat/1");
  assert.deepEqual(pick({ ...state, status: "sending" }), [true, false]);
  assert.deepEqual(pick({ ...state, status: "reading" }), [true, true]);
  assert.deepEqual(pick({ ...state, status: "ready" }), [false, false]);
});

const pick = (state) => {
  const { isBusy, canStop } = describeControls(state, empty);
  return [isBusy, canStop];
};

test("only an empty new chat has a greeting", () => {
  const ready = { ...newChatState("/chat"), status: "ready" };
  assert.equal(describeControls(ready, empty).hasGreeting, true);
  assert.equal(describeControls(ready, { text: "", entries: 1 }).hasGreeting, false);
  assert.equal(describeControls({ ...ready, chat: "1" }, empty).hasGreeting, false);
  assert.equal(describeControls({ ...ready, status: "loading" }, empty).hasGreeting, false);
});

test("only the first run that is followed takes turns out of the transcript", () => {
  assert.deepEqual(readEvent({ type: "chat", turns: 3 }, true), { turns: 3 });
  assert.deepEqual(readEvent({ type: "chat", turns: 0 }, true), { turns: 0 });
  assert.deepEqual(readEvent({ type: "chat", turns: 3 }, false), {});
  assert.deepEqual(readEvent({ type: "chat" }, true), {});
  assert.deepEqual(readEvent({ type: "user_message", text: "Hi" }, false), { message: "Hi" });
  assert.deepEqual(readEvent({ type: "run_queued" }, false), { pulse: "waiting for a place" });
  assert.deepEqual(readEvent({ type: "text_delta", delta: "x" }, true), {});
});

test("a run that is gone cannot be followed by another try", () => {
  for (const status of [404, 410]) assert.equal(describeLoss({ status }).isFinal, true);
  for (const status of [0, 500, 503]) assert.equal(describeLoss({ status }).isFinal, false);
});

test("the notice about an end offers the last message again, if there is one", () => {
  assert.equal(describeRunEnd({ type: "complete" }, "Hi"), undefined);
  assert.equal(describeRunEnd({ type: "pending" }, "Hi"), undefined);
  assert.equal(describeRunEnd({ type: "error", code: "stopped" }, "Hi").again, "Hi");
  assert.equal(describeRunEnd({ type: "error", code: "throttled", message: "busy" }, "").again, undefined);
});

test("the name of a chat is one line", () => {
  assert.equal(nameOf("List\n my  books"), "List my books");
  assert.equal(nameOf("x".repeat(500)).length, 120);
});
