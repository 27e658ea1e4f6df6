import assert from "node:assert/strict";
import { test } from "node:test";
import { describeSource, estimate } from "./origin.js";

test("each value says where it comes from", () => {
  assert.equal(describeSource("found"), "found by the reader");
  assert.equal(describeSource("found", "Open Library"), "from Open Library");
  assert.equal(describeSource("told"), "from your message");
  assert.equal(describeSource("typed"), "typed by you");
});

test("an empty field has no source, unless a person has cleared it", () => {
  assert.equal(describeSource("", "", true), "");
  assert.equal(describeSource("found", "Open Library", true), "");
  assert.equal(describeSource("typed", "", true), "cleared by you");
});

test("the confidence is a share in words, and what is not a share is none", () => {
  assert.deepEqual(["weak", "weak", "fair", "good", "good"], [0, 0.49, 0.5, 0.8, 1].map((c) => estimate(c).level));
  assert.match(estimate("0.93").words, /^93 %/);
  for (const none of [undefined, "x", -1, 1.1, NaN])
    assert.deepEqual(estimate(none), { words: "—", share: 0, level: "" });
});
