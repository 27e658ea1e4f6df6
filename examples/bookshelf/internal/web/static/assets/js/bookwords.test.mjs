import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compareMetadata,
  describeBook,
  describeConflict,
  describeOwner,
  describeSharing,
  describeVersion,
  titleOf,
} from "./bookwords.js";

const book = (metadata, more) => ({ metadata, owner: "you", version: 1, ...more });

test("every book has a name", () => {
  assert.equal(titleOf(book({ title: "Emma" })), "Emma");
  assert.equal(titleOf(book({ isbn: "9780486406480" })), "ISBN 9780486406480");
  assert.equal(titleOf(book({ description: "x" })), "A book without a title");
});

test("facts that a book does not have leave no gap", () => {
  assert.deepEqual(describeBook(book({ title: "Emma" })), []);
  assert.deepEqual(describeBook(book({ published_year: 1815 })), ["1815"]);
  assert.deepEqual(
    describeBook(book({ author: "Jane Austen", publisher: "Murray", published_year: 1815, isbn: "0486406482" })),
    ["Jane Austen", "Murray, 1815", "ISBN 0486406482"],
  );
});

test("an owner who has corrected a shared book sees which version is shared", () => {
  assert.equal(describeOwner(book({}, { version: 2, shared_version: 1 })), "Version 1 is shared");
  assert.equal(describeOwner(book({}, { version: 2, shared_version: 2 })), "Shared by you");
  assert.equal(describeOwner(book({})), "");
  assert.equal(describeOwner(book({}, { owner: "tenant", shared_by: "ann" })), "Shared by ann");
  assert.equal(describeOwner(book({}, { owner: "tenant" })), "Shared by a colleague");
});

test("the button to share is there only if it works", () => {
  assert.equal(describeSharing(book({}), true).share, "Share with colleagues");
  assert.equal(describeSharing(book({}, { version: 3, shared_version: 1 }), true).share, "Share version 3");
  assert.equal(describeSharing(book({}, { shared_version: 1 }), true).share, undefined);
  assert.equal(describeSharing(book({}, { owner: "tenant" }), true).share, undefined);
  const refused = describeSharing(book({}), false);
  assert.equal(refused.share, undefined);
  assert.match(refused.words, /librarians/);
});

test("versions say what happened and by whom", () => {
  assert.deepEqual(describeVersion({ version: 1 }, book({})), { what: "Version 1 was accepted", who: "by you" });
  assert.match(describeVersion({ version: 2 }, book({})).what, /correction/);
  assert.equal(describeVersion({ version: 2, by: "ann" }, book({}, { owner: "tenant" })).who, "by ann");
  assert.equal(describeVersion({ version: 2 }, book({}, { owner: "tenant" })).who, "by a colleague");
});

test("a comparison finds changed, new and missing fields", () => {
  assert.deepEqual(compareMetadata({ title: "Emma", author: "A" }, { title: "Emma", isbn: "1" }).sort(), [
    "author",
    "isbn",
  ]);
  assert.deepEqual(compareMetadata({ title: "Emma" }, { title: "Emma" }), []);
});

test("a conflict keeps what was typed, takes the rest, and names what both have changed", () => {
  const start = { title: "Ema", author: "Austen", isbn: "1" };
  const words = describeConflict(
    start,
    { title: "Emma", author: "Austen", isbn: "1" },
    { title: "Emma!", author: "Jane Austen" },
  );
  assert.match(words, /new values of the rest: Author, ISBN\./);
  assert.match(words, /Both have changed: Title \(there: Emma!\)/);
  const same = describeConflict(start, { ...start, title: "Emma" }, { ...start, title: "Emma" });
  assert.doesNotMatch(same, /Both|rest/);
});
