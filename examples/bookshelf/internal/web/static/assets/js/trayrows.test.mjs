import assert from "node:assert/strict";
import { test } from "node:test";
import { fetchRows, findUnlisted } from "./trayrows.js";

/** server has that many uploads of each class, in pages of at most 100. */
const server = (counts) => {
  const limits = [];
  return {
    limits,
    list: async ({ status, limit, cursor = "0" }) => {
      assert.ok(limit >= 1 && limit <= 100, `limit ${limit}`);
      limits.push([status, limit]);
      const from = Number(cursor);
      const end = Math.min(from + limit, counts[status] ?? 0);
      const files = Array.from({ length: end - from }, (_, i) => ({ upload_id: `${status}-${from + i}` }));
      return { files, next: end < (counts[status] ?? 0) ? String(end) : undefined };
    },
  };
};

test("each class has its newest rows, and it is known whether there are older ones", async () => {
  const some = server({ active: 2, waiting: 40, failed: 30 });
  const first = await fetchRows(some.list, 30);
  assert.deepEqual([first.rows.length, first.hasMore], [2 + 30 + 30, true]);
  const all = await fetchRows(some.list, 60);
  assert.deepEqual([all.rows.length, all.hasMore], [72, false]);
});

test("more rows than a page has are requested in pages", async () => {
  const many = server({ waiting: 500 });
  const { rows, hasMore } = await fetchRows(many.list, 150);
  assert.deepEqual([rows.length, hasMore], [150, true]);
  assert.deepEqual(many.limits.filter(([status]) => status === "waiting").map(([, limit]) => limit), [100, 50]);
});

test("a book of this visit that is not among the rows is found by its id", () => {
  const rows = [{ upload_id: "s1" }];
  const uploads = [
    { session: "s1", state: "started" },
    { session: "s2", state: "started" },
    { session: "s3", state: "sending" },
  ];
  assert.deepEqual(findUnlisted(rows, uploads, new Set(["s1", "s2", "s4"])), ["s2", "s4"]);
});
