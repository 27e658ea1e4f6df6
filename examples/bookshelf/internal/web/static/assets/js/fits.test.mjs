import assert from "node:assert/strict";
import { test } from "node:test";
import { askToLookUp, findMisfits, isOtherTitle } from "./fits.js";

const emma = {
  title: "Emma",
  author: "Jane Austen",
  isbn: "9780486406480",
  publisher: "Dover",
  published_year: "1999",
  description: "",
};

test("after another title, the values of the other book are in question", () => {
  assert.deepEqual(findMisfits(emma, { ...emma, title: "Persuasion" }), ["isbn", "publisher", "published_year"]);
});

test("the reader's confidence in the other book is in question", () => {
  const [before, now] = ["Emma", "Persuasion"].map((title) => ({ title, confidence: "0.98" }));
  assert.deepEqual(findMisfits(before, now), ["confidence"]);
});

test("a value that has changed with the title, or is empty, is not in question", () => {
  assert.deepEqual(findMisfits(emma, { ...emma, title: "Persuasion", isbn: "9780486295558", publisher: "" }), [
    "published_year",
  ]);
});

test("a title that is only written in another way is the same book's", () => {
  for (const [a, b] of [
    ["Emma", "EMMA!"],
    ["Emma", "Emma: A Novel"],
    ["Prid and Prejudice", "Pride and Prejudice"],
    ["Les Misérables", "Les Miserables"],
    ["", "Emma"],
    ["Emma", ""],
    ["吾輩は猫である", "吾輩は猫である。"],
  ]) {
    assert.equal(isOtherTitle(a, b), false, `${a} / ${b}`);
    assert.equal(isOtherTitle(b, a), false, `${b} / ${a}`);
  }
  for (const [a, b] of [["Emma", "Dune"], ["Pride and Prejudice", "Sense and Sensibility"], ["1984", "2001"]]) {
    assert.equal(isOtherTitle(a, b), true, `${a} / ${b}`);
  }
});

test("the message names the fields, so that the reader may replace what a person has typed", () => {
  assert.equal(
    askToLookUp("Emma", ["ISBN", "Publisher", "Year"]),
    "The title is “Emma”. Look it up, and correct the ISBN, publisher and year.",
  );
});
