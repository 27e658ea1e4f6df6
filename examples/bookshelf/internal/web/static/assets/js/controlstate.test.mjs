import assert from "node:assert/strict";
import { test } from "node:test";
import { describeControls, describeRefusedMessage } from "./controlstate.js";

const open = { status: "ready", absent: "", isEditable: true, run: "" };
const reading = { ...open, status: "reading", run: "s.1" };
const entered = { isFilled: true, message: "The year is 1813" };

test("an open card can be accepted and corrected by a message, if there is something to accept or to say", () => {
  const { card, accept, message, stop } = describeControls(open, entered);
  assert.deepEqual([card.isOpen, accept.isEnabled, message.canSend, stop.isVisible], [true, true, true, false]);
  const empty = describeControls(open, { isFilled: false, message: " \n" });
  assert.notEqual(empty.card.hint, card.hint);
  assert.deepEqual([empty.card.isOpen, empty.accept.isEnabled, empty.message.canSend], [true, false, false]);
});

test("while the reader reads, only sending is off: the box for the next message stays", () => {
  const { card, accept, message, isWorking } = describeControls(reading, entered);
  assert.deepEqual([message.isVisible, message.canSend, isWorking], [true, false, true]);
  assert.deepEqual([card.isOpen, card.hasFields, accept.isVisible, accept.isEnabled], [false, true, true, false]);
});

test("a run can be stopped once it has an id, and once", () => {
  assert.deepEqual(describeControls({ ...reading, run: "" }, entered).stop.isVisible, false);
  assert.deepEqual(describeControls(reading, entered).stop, { isVisible: true, isEnabled: true });
  assert.deepEqual(describeControls({ ...reading, isStopping: true }, entered).stop.isEnabled, false);
});

test("a card that is over does not have controls", () => {
  for (const status of ["accepted", "closed"]) {
    const { accept, message, stop } = describeControls({ ...open, status }, entered);
    assert.deepEqual([accept.isVisible, message.isVisible, stop.isVisible], [false, false, false], status);
  }
});

test("a card without fields shows why, except while the reader fills it in", () => {
  const { card, accept } = describeControls({ ...open, absent: "It is empty." }, entered);
  assert.deepEqual([card.hasFields, card.absent, card.isOpen, accept.isVisible], [false, "It is empty.", false, false]);
  assert.equal(describeControls({ ...reading, absent: "It is empty." }, entered).card.hasFields, true);
});

test("a message that is not sent now is refused with the reason, if there is one", () => {
  assert.match(describeRefusedMessage(reading, "The year is 1813"), /when it has finished/);
  assert.match(describeRefusedMessage({ ...open, status: "sending" }, "x"), /photo is on its way/);
  assert.equal(describeRefusedMessage(reading, " "), "");
  assert.equal(describeRefusedMessage(open, "x"), "");
});
