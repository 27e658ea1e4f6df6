import assert from "node:assert/strict";
import { test } from "node:test";

import { formatView, isSameList, parseView } from "./opsview.js";

const id = (n) => `0199a1b2-c3d4-7e5f-8a9b-00000000000${n}`;

test("a view survives its URL", () => {
  for (const view of [
    { status: "", q: "", owner: "", open: [] },
    { status: "waiting", q: "Émile & Co, 50 %", owner: "me", open: [id(1), id(2)] },
    { status: "", q: "<b>", owner: "", open: [id(1)] },
  ]) {
    assert.deepEqual(parseView(new URL(formatView(view), "http://x").search), view);
  }
  assert.equal(formatView({}), "/ops");
});

test("what a URL must not have is ignored", () => {
  const none = { status: "", q: "", owner: "", open: [] };
  assert.deepEqual(parseView("?status=other&owner=ann&open=x,../y,%00&more=1"), none);
  assert.deepEqual(parseView("", "#main"), none);
  assert.deepEqual(parseView("?q=%20%20"), none);
  assert.equal(parseView(`?q=${"x".repeat(500)}`).q.length, 200);
  assert.equal(
    parseView(`?open=${Array.from({ length: 30 }, (_, n) => id(0).slice(0, -2) + String(n + 10)).join()}`).open.length,
    10,
  );
});

test("the desk's link opens an upload", () => {
  assert.deepEqual(parseView("?status=failed", `#${id(1)}`), { status: "failed", q: "", owner: "", open: [id(1)] });
  assert.deepEqual(parseView(`?open=${id(1)}`, `#${id(1)}`).open, [id(1)]);
});

test("only the list decides whether it is the same list", () => {
  const view = parseView("?status=failed&q=x");
  assert.ok(isSameList(view, { ...view, open: [id(1)] }));
  assert.ok(!isSameList(view, { ...view, owner: "me" }));
});
