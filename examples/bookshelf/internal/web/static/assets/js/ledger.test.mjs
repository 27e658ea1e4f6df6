import assert from "node:assert/strict";
import { test } from "node:test";
import { extendList, fetchFilledPage, refreshList } from "./ledger.js";

const rows = (...ids) => ids.map((upload_id) => ({ upload_id }));
const ids = (list) => list.rows.map((r) => r.upload_id).join("");

test("a refreshed first page replaces what it covers and keeps older pages", () => {
  const list = { rows: rows("h", "g", "f", "e", "d", "c"), next: "c" };
  // A new row came, and "g" has left the filter.
  const after = refreshList(list, { files: rows("i", "h", "f"), next: "f" });
  assert.equal(ids(after), "ihfedc");
  assert.equal(after.next, "c");
});

test("with one page loaded, the new page is the list", () => {
  const after = refreshList({ rows: rows("c", "b"), next: "b" }, { files: rows("c", "b"), next: "b" });
  assert.deepEqual(after, { rows: rows("c", "b"), next: "b" });
});

test("rows pushed off the first page stay, and the list goes on after them", () => {
  const after = refreshList({ rows: rows("c", "b"), next: "b" }, { files: rows("d", "c"), next: "c" });
  assert.equal(ids(after), "dcb");
  assert.equal(after.next, "b");
});

test("a first page that is also the last one is all there is", () => {
  assert.deepEqual(refreshList({ rows: rows("c", "b", "a"), next: "a" }, { files: rows("c") }), { rows: rows("c"), next: undefined });
  assert.deepEqual(refreshList({ rows: rows("a") }, { files: [] }), { rows: [], next: undefined });
});

test("an empty first page with a cursor removes nothing", () => {
  const list = { rows: rows("c", "b"), next: "b" };
  assert.deepEqual(refreshList(list, { files: [], next: "x" }), list);
  assert.deepEqual(refreshList({ rows: [] }, { files: [], next: "x" }), { rows: [], next: "x" });
});

test("empty pages are passed over, but not for ever", async () => {
  const pages = { "": { files: [], next: "1" }, 1: { next: "2" }, 2: { files: rows("a"), next: "3" } };
  const cursors = [];
  const ask = async (cursor = "") => (cursors.push(cursor), pages[cursor]);
  assert.deepEqual(await fetchFilledPage(ask), pages[2]);
  assert.deepEqual(cursors, ["", "1", "2"]);
  let asked = 0;
  const page = await fetchFilledPage(async () => ({ files: [], next: String(++asked) }));
  assert.equal(page.next, "5");
  assert.deepEqual(await fetchFilledPage(async () => ({ files: [] })), { files: [] });
});

test("a further page repeats nothing and hands on its cursor", () => {
  const after = extendList({ rows: rows("c", "b"), next: "b" }, { files: rows("b", "a") });
  assert.equal(ids(after), "cba");
  assert.equal(after.next, undefined);
});
