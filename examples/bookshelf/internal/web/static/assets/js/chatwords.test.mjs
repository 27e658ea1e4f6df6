import assert from "node:assert/strict";
import { test } from "node:test";
import {
  cutReason,
  describeEnd,
  describeExpiry,
  describeStatus,
  findBooks,
  linkBooks,
  longestReason,
  readOutput,
} from "./chatwords.js";

const emma = { id: "1", title: "Emma" };
const pride = { id: "2", title: "Pride and Prejudice" };
const links = (text, books) => linkBooks(text, books).filter((p) => p.id).map((p) => `${p.text}:${p.id}`);

test("titles in an answer are links to their books, and the text stays the same", () => {
  const text = "I found 2 books:\n1. “Emma” by Jane Austen\n2. “Pride and Prejudice” (1813)";
  assert.deepEqual(links(text, [emma, pride]), ["Emma:1", "Pride and Prejudice:2"]);
  assert.equal(linkBooks(text, [emma, pride]).map((p) => p.text).join(""), text);
});

test("a short word is a title only in quotation marks", () => {
  assert.deepEqual(links("Emma likes “Emma” and Emmas.", [emma]), ["Emma:1"]);
  assert.deepEqual(links("*Emma* is a novel", [emma]), ["Emma:1"]);
  assert.deepEqual(links("It is a book", [{ id: "3", title: "It" }]), []);
  assert.deepEqual(links("xPride and Prejudices", [pride]), []);
});

test("the longest title wins, and books with the same title are taken in turn", () => {
  const more = { id: "9", title: "Pride and Prejudice and Zombies" };
  assert.deepEqual(links("Pride and Prejudice and Zombies", [pride, more]), ["Pride and Prejudice and Zombies:9"]);
  const twice = [pride, { ...pride, id: "5" }, pride];
  assert.deepEqual(links("1. Pride and Prejudice\n2. Pride and Prejudice\n3. Pride and Prejudice", twice), [
    "Pride and Prejudice:2",
    "Pride and Prejudice:5",
    "Pride and Prejudice:5",
  ]);
});

test("hostile titles are text, not patterns", () => {
  for (const title of [
    "<script>alert(1)</script>",
    "a.*b (c) [d]",
    "$& {1} ^x$ | /y/ \\d+-z",
    "שלום עולם",
    "📚 emoji 📚",
    "C++ / C#",
  ]) {
    const text = `Here: “${title}”!`;
    assert.deepEqual(links(text, [{ id: "1", title }]), [`${title}:1`], title);
    assert.deepEqual(links("nothing like it", [{ id: "1", title }]), []);
  }
  const long = "x y ".repeat(125);
  assert.equal(
    links(
      `“${long}”`,
      Array.from({ length: 1000 }, (_, i) => ({ id: String(i), title: `${i} ${long}` })),
    ).length,
    0,
  );
});

test("books are found in the output of each tool, and in nothing else", () => {
  assert.deepEqual(findBooks({ books: [{ book_id: "1", title: "Emma" }, { book_id: "2" }, null, "x"] }), [emma]);
  assert.deepEqual(findBooks({ book_id: "1", title: "Emma", version: 2 }), [emma]);
  for (const other of [undefined, null, "x", 7, [], {}, { books: "x" }, { book_id: 1, title: "Emma" }])
    assert.deepEqual(findBooks(other), []);
});

test("a result has its output as JSON or as text", () => {
  assert.deepEqual(readOutput({ blocks: [{ json: { a: 1 } }] }), { a: 1 });
  assert.deepEqual(readOutput({ blocks: [{ text: "no" }, { text: '{"a":1}' }] }), { a: 1 });
  assert.equal(readOutput({ blocks: [{ text: "no" }, { image: {} }] }), undefined);
  assert.equal(readOutput({}), undefined);
});

test("a request says how long it waits, and ends", () => {
  const now = Date.parse("2026-01-31T12:00:00Z");
  assert.match(describeExpiry("2026-01-31T12:10:00Z", now), /10 min from now/);
  assert.doesNotMatch(describeExpiry("2026-02-03T12:10:00Z", now), /from now/);
  assert.equal(describeExpiry("2026-01-31T12:00:00Z", now), "");
  assert.match(describeExpiry(undefined, now), /does not say/);
});

test("the end of a run is explained", () => {
  assert.equal(describeEnd({ type: "complete" }), undefined);
  assert.equal(describeEnd({ type: "pending" }), undefined);
  assert.equal(describeEnd({ type: "error", code: "stopped" }).kind, "info");
  assert.equal(describeEnd({ type: "error", code: "timeout", message: "Late." }).detail, "Late.");
  assert.equal(describeStatus("complete"), "");
  assert.match(describeStatus("failed"), /early/);
});

test("a long reason is cut at a character", () => {
  assert.equal(cutReason("  fine "), "fine");
  const cut = cutReason("é".repeat(600));
  assert.equal(cut, "é".repeat(500));
  assert.ok(new TextEncoder().encode(cutReason("x" + "📚".repeat(300))).length <= longestReason);
  assert.ok(!cutReason("x" + "📚".repeat(300)).includes("\ufffd"));
});
