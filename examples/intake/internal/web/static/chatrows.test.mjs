import assert from "node:assert/strict";
import test from "node:test";
import { addPage, describeRow } from "./chatrows.js";

const rows = (...ids) => ids.map((id) => ({ chat_id: id }));
const ids = ({ rows: all, next }) => [all.map((r) => r.chat_id).join(""), next];
const empty = { rows: [], next: "" };

test("pages of chats are joined", () => {
  const first = addPage(empty, { chats: rows("d", "c"), next: "c" }, false);
  assert.deepEqual(ids(first), ["dc", "c"]);
  const all = addPage(first, { chats: rows("b", "a") }, true);
  assert.deepEqual(ids(all), ["dcba", ""]);
  assert.deepEqual(ids(addPage(all, { chats: rows("e", "d"), next: "d" }, false)), ["edcba", ""], "a new chat");
  assert.deepEqual(ids(addPage(first, { chats: rows("h", "g"), next: "g" }, false)), ["hg", "g"], "a gap");
  assert.deepEqual(ids(addPage(all, { chats: rows("d", "b") }, false)), ["db", ""], "deleted chats");
  assert.deepEqual(ids(addPage(all, { chats: [] }, false)), ["", ""]);
});

test("a chat is described by its title and its day", () => {
  const now = new Date(2026, 10, 28, 18, 0);
  const row = (title, ...at) => describeRow({ title, started_at: new Date(...at).toISOString() }, now);
  assert.equal(row("list my files", 2026, 10, 28, 9, 5).label, "list my files, today, 09:05");
  assert.equal(row("<b>", 2026, 10, 27, 9, 5).label, "<b>, 27 November 2026");
  assert.equal(row(" ", 2025, 0, 1).title, "Chat without a title");
  assert.equal(describeRow({ title: "x", started_at: "nonsense" }, now).label, "x");
});
