import assert from "node:assert/strict";
import { test } from "node:test";
import { extendList, fetchFilledPage, newList, refreshList, settleList, updateRows } from "./ledger.js";

const rows = (...ids) => ids.map((upload_id) => ({ upload_id }));
const join = (files) => files.map((r) => r.upload_id).join("");
const ids = (list) => join(list.rows);
const list = (files, next) => newList({ files: rows(...files), next });

test("a refresh keeps new rows back, and leaves rows that the filter no longer selects in their place", () => {
  const after = refreshList(list("hgfedc", "c"), { files: rows("i", "h", "f"), next: "f" });
  assert.equal(ids(after), "hgfedc");
  assert.equal(join(after.fresh), "i");
  assert.deepEqual([...after.left], ["g"]);
  assert.equal(after.next, "c");

  const settled = settleList(after);
  assert.equal(ids(settled), "ihfedc");
  assert.equal(settled.next, "c");
  assert.equal(settled.fresh.length + settled.left.size, 0);
});

test("a row that a filter selects later is kept back too, and settles in its place", () => {
  const after = refreshList(list("ge", undefined), { files: rows("g", "f", "e") });
  assert.equal(join(after.fresh), "f");
  assert.equal(ids(settleList(after)), "gfe");
});

test("a row that is listed again has not left", () => {
  let after = refreshList(list("cb"), { files: rows("c") });
  assert.deepEqual([...after.left], ["b"]);
  after = refreshList(after, { files: rows("c", "b") });
  assert.equal(after.left.size, 0);
  assert.equal(after.fresh.length, 0);
});

test("rows take newer data, and ignore older data of an index that lags", () => {
  const old = newList({ files: [{ upload_id: "a", changed_at: "2" }] });
  assert.equal(updateRows(old, [{ upload_id: "a", changed_at: "1", x: 1 }]).rows[0].x, undefined);
  assert.equal(updateRows(old, [{ upload_id: "a", changed_at: "2", x: 1 }]).rows[0].x, 1);
  assert.equal(refreshList(old, { files: [{ upload_id: "a", changed_at: "3" }] }).rows[0].changed_at, "3");
});

test("an empty list shows what comes", () => {
  assert.equal(ids(refreshList(list(""), { files: rows("b", "a"), next: "a" })), "ba");
  assert.equal(refreshList(list(""), { files: [], next: "x" }).next, "x");
});

test("a page without rows that is not the last says nothing", () => {
  const after = refreshList(list("cb", "b"), { files: [], next: "x" });
  assert.equal(ids(after), "cb");
  assert.equal(after.left.size, 0);
  assert.equal(after.next, "b");
});

test("more new rows than a page has begin the list anew, since there may be others in between", () => {
  const after = refreshList(list("cba"), { files: rows("i", "h"), next: "h" });
  assert.equal(ids(after), "cba");
  const settled = settleList(after);
  assert.equal(ids(settled), "ih");
  assert.equal(settled.next, "h");
  assert.equal(refreshList(after, { files: rows("d", "c", "b", "a") }).gap, undefined);
});

test("an older page is refreshed in its range only", () => {
  let after = extendList(list("hgf", "f"), { files: rows("e", "d", "b"), next: "b" });
  assert.equal(ids(after), "hgfedb");
  assert.deepEqual(after.pages, [{ cursor: "f", before: "f" }]);
  after = refreshList(after, { files: rows("j", "h", "g"), next: "g" });
  after = refreshList(after, { files: rows("e", "c", "b", "a"), next: "a" }, "f");
  assert.equal(ids(after), "hgfedb");
  assert.deepEqual([...after.left], ["d"]);
  assert.equal(join(after.fresh), "jc", "a comes with the next page");
  assert.equal(after.next, "b");
  assert.equal(ids(settleList(after)), "jhgfecb");
});

test("a row of a later page is not new", () => {
  assert.equal(refreshList(list("hg", "g"), { files: rows("h", "g", "f") }).fresh.length, 0);
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
  const after = extendList(list("cb", "b"), { files: rows("b", "a") });
  assert.equal(ids(after), "cba");
  assert.equal(after.next, undefined);
});
