import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem, seconds, sentence } from "./api.js";
import { ago, bytes, count, human, inline, millis, used } from "./words.js";

test("durations round up into the next unit, never to 60 s", () => {
  assert.deepEqual(
    [0, 84, 999.4, 2_449, 59_960, 65_000, 3_599_600, 5_400_000].map(millis),
    ["< 1 ms", "84 ms", "999 ms", "2.4 s", "1 min", "1 min 5 s", "1 h", "1 h 30 min"],
  );
  assert.equal(millis(-1), "");
  assert.equal(millis(undefined), "");
});

test("sizes, moments, counts and names", () => {
  assert.deepEqual([812, 19_100, 3_449_000, 250_000_000].map(bytes), ["812 B", "19.1 kB", "3.4 MB", "250 MB"]);
  assert.deepEqual([0, 59e3, 3599e3, 86399e3, 86400e3, 3 * 86400e3].map((d) => ago(0, d)), ["just now", "59 s ago", "59 min ago", "23 h ago", "yesterday", "3 days ago"]);
  assert.equal(ago(5000, 0), "just now"); // the server's clock is ahead
  assert.equal(count(7, true), "7");
  assert.match(count(1000, true), /\+$/);
  assert.deepEqual(["set_field", "check_isbn", ""].map(human), ["Set field", "Check ISBN", ""]);
  assert.equal(inline({ isbn: "978", n: 2 }), "isbn: 978, n: 2");
});

test("what was used names no unit, for not every reader counts tokens", () => {
  assert.equal(used({ input_tokens: 238, output_tokens: 29 }), "Read 238 · wrote 29");
  assert.equal(used({ input_tokens: 0, output_tokens: 29 }), "Read 0 · wrote 29");
  assert.equal(used({}), "");
});

test("Retry-After is a number of seconds or a date", () => {
  const now = Date.parse("2024-05-01T12:00:00Z");
  assert.equal(seconds("20"), 20);
  assert.equal(seconds("Wed, 01 May 2024 12:00:30 GMT", now), 30);
  assert.equal(seconds("Wed, 01 May 2024 11:00:00 GMT", now), 0);
  assert.equal(seconds("soon"), undefined);
  assert.equal(seconds(null), undefined);
});

test("a refusal is a sentence; a body that is no JSON is not shown", async () => {
  assert.equal(sentence(" no such session "), "No such session.");
  const refused = new Response(JSON.stringify({ title: "Conflict", detail: "a run is under way" }), {
    status: 409,
    headers: { "Content-Type": "application/problem+json", "Retry-After": "1" },
  });
  const problem = await Problem.from(refused);
  assert.deepEqual([problem.message, problem.status, problem.retryAfter], ["A run is under way.", 409, 1]);
  const page = new Response("<html>secret stack</html>", { status: 502, headers: { "Content-Type": "text/html" } });
  assert.equal((await Problem.from(page)).message, "The server had a problem (502).");
});
