import assert from "node:assert/strict";
import { test } from "node:test";
import { formatResult } from "./results.js";

test("a result is shown whole, whatever its parts", () => {
  assert.equal(
    formatResult({ blocks: [{ json: { valid: true } }, { text: "line\nline" }] }),
    '{\n  "valid": true\n}\n\nline\nline',
  );
  assert.equal(formatResult({ blocks: [{ json: null }] }), "null");
  assert.equal(formatResult({ blocks: [{ media: { format: "png" } }] }), "(media)");
  for (const nothing of [{}, { blocks: [] }, { blocks: [{}, { text: "" }] }])
    assert.match(formatResult(nothing), /empty/);
});

test("JSON as text is indented, and what only looks like it stays as it is", () => {
  assert.equal(formatResult({ blocks: [{ text: '{"a":[1]}' }] }), '{\n  "a": [\n    1\n  ]\n}');
  assert.equal(formatResult({ blocks: [{ text: "{<script>" }] }), "{<script>");
});
