import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem, parseRetryAfter, toSentence } from "./api.js";
import {
  formatAge,
  formatBytes,
  formatCount,
  humanizeName,
  formatInput,
  formatDuration,
  formatUsage,
  isKept,
  describePulse,
} from "./words.js";

test("durations round up into the next unit, never to 60 s", () => {
  assert.deepEqual(
    [0, 84, 999.4, 2_449, 59_960, 65_000, 3_599_600, 5_400_000].map(formatDuration),
    ["< 1 ms", "84 ms", "999 ms", "2.4 s", "1 min", "1 min 5 s", "1 h", "1 h 30 min"],
  );
  assert.equal(formatDuration(-1), "");
  assert.equal(formatDuration(undefined), "");
});

test("sizes, moments, counts and names", () => {
  assert.deepEqual([812, 19_100, 3_449_000, 250_000_000].map(formatBytes), ["812 B", "19.1 kB", "3.4 MB", "250 MB"]);
  assert.deepEqual(
    [0, 59e3, 3599e3, 86399e3, 86400e3, 3 * 86400e3].map((d) => formatAge(0, d)),
    ["just now", "59 s ago", "59 min ago", "23 h ago", "yesterday", "3 days ago"],
  );
  assert.equal(formatAge(5000, 0), "just now"); // the server's clock is ahead
  assert.equal(formatCount(7, true), "7");
  assert.match(formatCount(1000, true), /\+$/);
  assert.deepEqual(["set_field", "check_isbn", ""].map(humanizeName), ["Set field", "Check ISBN", ""]);
  assert.equal(formatInput({ isbn: "978", n: 2 }), "isbn: 978, n: 2");
});

test("what was used names no unit, for not every reader counts tokens", () => {
  assert.equal(formatUsage({ input_tokens: 238, output_tokens: 29 }), "Read 238 · wrote 29");
  assert.equal(formatUsage({ input_tokens: 0, output_tokens: 29 }), "Read 0 · wrote 29");
  assert.equal(formatUsage({}), "");
});

test("Retry-After is a number of seconds or a date", () => {
  const now = Date.parse("2024-05-01T12:00:00Z");
  assert.equal(parseRetryAfter("20"), 20);
  assert.equal(parseRetryAfter("Wed, 01 May 2024 12:00:30 GMT", now), 30);
  assert.equal(parseRetryAfter("Wed, 01 May 2024 11:00:00 GMT", now), 0);
  assert.equal(parseRetryAfter("soon"), undefined);
  assert.equal(parseRetryAfter(null), undefined);
});

test("a refusal is a sentence; a body that is no JSON is not shown", async () => {
  assert.equal(toSentence(" no such session "), "No such session.");
  const refused = new Response(JSON.stringify({ title: "Conflict", detail: "a run is under way" }), {
    status: 409,
    headers: { "Content-Type": "application/problem+json", "Retry-After": "1" },
  });
  const problem = await Problem.from(refused);
  assert.deepEqual([problem.message, problem.status, problem.retryAfter], ["A run is under way.", 409, 1]);
  const page = new Response("<html>secret stack</html>", { status: 502, headers: { "Content-Type": "text/html" } });
  assert.equal((await Problem.from(page)).message, "The server had a problem (502).");
});

test("a field that the person has typed is kept, which is not a failure of the reader", () => {
  const summary = "title: the librarian has typed this field, and this message does not ask to change it: keep it";
  assert.ok(isKept("set_field", summary));
  assert.ok(!isKept("scan_barcode", summary));
  assert.ok(!isKept("set_field", "value: isbn has the wrong last digit"));
  assert.ok(!isKept("set_field", undefined));
});

test("the pulse tells an offline browser from a lost connection", () => {
  assert.equal(describePulse({ isLost: false, isOffline: true }), "working");
  assert.equal(describePulse({ isLost: true, isOffline: true }), "offline");
  assert.equal(describePulse({ isLost: true, isOffline: false }), "reconnecting");
});
