import assert from "node:assert/strict";
import test from "node:test";
import { Attempts, readRejection } from "./rejection.js";

test("a conflict names the run in flight", () => {
  assert.deepEqual(readRejection({ status: 409, message: "A run is in flight.", location: "/api/runs/a-b.2/events" }), {
    message: "A run is in flight.", run: "a-b.2", canRetry: true,
  });
  for (const location of ["", undefined, "https://example.com/api/runs/a/events", "/api/runs/a/b/events"]) {
    assert.deepEqual(
      readRejection({ status: 409, message: "No.", location }), { message: "No.", run: "", canRetry: false }
    );
  }
});

test("only a failure that can pass is tried again", () => {
  const can = (status) => readRejection({ status, message: "", location: "/api/runs/a/events" }).canRetry;
  assert.deepEqual([0, 429, 500, 503].map(can), [true, true, true, true]);
  assert.deepEqual([400, 401, 404, 413, 422].map(can), [false, false, false, false, false]);
});

test("a repeated message keeps its key in the same chat, once", () => {
  let n = 0;
  const create = () => `key-${++n}`;
  const attempts = new Attempts();
  const body = { message: "hi" };
  attempts.keep("chat", body, attempts.key("chat", body, create));
  assert.equal(attempts.key("chat", { message: "hi" }, create), "key-1");
  assert.equal(attempts.key("chat", { message: "hi" }, create), "key-2");
  attempts.keep("chat", body, "key-2");
  assert.equal(attempts.key("other", body, create), "key-3");
  for (let i = 0; i < 30; i++) attempts.keep("chat", { message: `m${i}` }, `k${i}`);
  assert.equal(attempts.key("chat", body, create), "key-4");
});
