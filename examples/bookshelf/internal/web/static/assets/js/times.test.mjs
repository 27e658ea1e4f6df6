import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAgo, formatMoment } from "./times.js";

test("ages are in the largest whole unit", () => {
  const ages = [0, 9, 10, 59, 60, 3599, 3600, 86_399, 86_400, 3 * 86_400, 15 * 86_400, 70 * 86_400, 800 * 86_400];
  assert.deepEqual(
    ages.map((s) => formatAgo(0, s * 1000, "en")),
    ["now", "now", "10 seconds ago", "59 seconds ago", "1 minute ago", "59 minutes ago", "1 hour ago", "23 hours ago",
      "yesterday", "3 days ago", "2 weeks ago", "2 months ago", "2 years ago"],
  );
  assert.equal(formatAgo(60_000, 0, "en"), "now", "the clock of the server is ahead");
});

test("times are in the language of the person", () => {
  assert.equal(formatAgo(0, 5 * 60_000, "de"), "vor 5 Minuten");
  assert.equal(formatAgo(0, 86_400_000, "fr"), "hier");
  assert.match(formatMoment(Date.UTC(2026, 2, 1, 12), "de"), /01\.03\.2026/);
});
