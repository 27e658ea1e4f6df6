import assert from "node:assert/strict";
import { test } from "node:test";
import { checkISBN, compactISBN } from "./isbn.js";

test("an ISBN is accepted as it is printed", () => {
  for (const printed of [
    "978-0-486-28473-6",
    "978 0 486 28473 6",
    "9780486284736",
    "0-8044-2957-x",
    "0‐8044‑2957–X",
    "ISBN-13: 978-0-486-28473-6",
    "isbn 0-8044-2957-X",
  ]) {
    assert.equal(checkISBN(compactISBN(printed)), undefined, printed);
  }
});

test("a wrong digit is found wherever it is", () => {
  for (const isbn of ["9780486284736", "080442957X"]) {
    for (let i = isbn.length === 13 ? 3 : 0; i < 9; i++) {
      for (let d = 0; d < 10; d++) {
        const wrong = isbn.slice(0, i) + d + isbn.slice(i + 1);
        if (wrong !== isbn) assert.match(checkISBN(wrong), /does not fit/, wrong);
      }
    }
  }
});

test("the digit that would fit is named", () => {
  assert.match(checkISBN("9780486284737"), /It would be 6\.$/);
  assert.match(checkISBN("0804429571"), /It would be X\.$/);
});

test("what is not an ISBN is refused with what is expected", () => {
  for (const text of ["", "x", "97804862847", "978048628473X", "X804429570"])
    assert.match(checkISBN(text), /ten or thirteen/, text);
  assert.match(checkISBN("9770486284737"), /978 or 979/);
});
