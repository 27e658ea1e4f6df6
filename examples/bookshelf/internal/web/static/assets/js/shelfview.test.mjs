import assert from "node:assert/strict";
import { test } from "node:test";
import {
  describeEmpty,
  describeList,
  describeMore,
  describeShown,
  fetchBooks,
  readSearch,
  writeSearch,
} from "./shelfview.js";

test("a search is the same after a reload", () => {
  for (const search of [
    { query: "", field: "" },
    { query: "Jane Austen", field: "author" },
    { query: "978-0-486-28473-6", field: "isbn" },
    { query: "&field=isbn", field: "" },
    { query: "<b>", field: "title" },
    { query: "אמה 📚", field: "" },
  ]) {
    assert.deepEqual(readSearch(new URL(writeSearch(search), "http://localhost").search), search);
  }
});

test("an unknown field is everything, and a blank query is no search", () => {
  assert.deepEqual(readSearch("?query=emma&field=publisher"), { query: "emma", field: "" });
  assert.deepEqual(readSearch("?query=+&field=title"), { query: "", field: "title" });
  assert.equal(writeSearch({ query: "", field: "title" }), "/shelf");
});

/** shelf returns a request to a server with n books, which looks at no more than window of them for a page. */
function shelf(n, { matches = () => true, window = 500, asked = [] } = {}) {
  return async (cursor = "0", limit) => {
    asked.push(limit);
    const books = [];
    let i = Number(cursor);
    for (const end = i + window; i < n && i < end && books.length < limit; i++) if (matches(i)) books.push(i);
    return { books, next: i < n ? String(i) : undefined };
  };
}

test("the way back loads as many books as before, in pages that the server allows", async () => {
  const asked = [];
  const list = await fetchBooks(shelf(300, { asked }), 240);
  assert.equal(list.books.length, 240);
  assert.deepEqual(asked, [100, 100, 40]);
  const more = await fetchBooks(shelf(300), 100, list);
  assert.deepEqual(more.books, [...Array(300).keys()]);
  assert.equal(more.next, undefined);
});

test("a search asks the person before it looks at more books", async () => {
  const asked = [];
  const request = shelf(2000, { matches: (i) => i % 400 === 0, asked });
  const first = await fetchBooks(request, 24);
  assert.deepEqual(first, { books: [0, 400], next: "500" });
  const second = await fetchBooks(request, 24, first);
  assert.deepEqual(second, { books: [0, 400, 800], next: "1000" });
  assert.equal(asked.length, 2);
});

test("an empty shelf", async () => {
  assert.deepEqual(await fetchBooks(shelf(0), 24), { books: [], next: undefined });
});

test("the list says what it shows", () => {
  assert.equal(describeList({ query: "", field: "title" }), "All books");
  assert.match(describeList({ query: "emma", field: "isbn" }), /ISBN matches “emma”/);
  assert.match(describeEmpty({ query: "", field: "" }), /empty/);
  assert.match(describeEmpty({ query: "97", field: "isbn" }), /complete/);
  assert.match(describeEmpty({ query: "emma", field: "author" }), /word of the author/);
  assert.equal(describeMore({ query: "" }, true).hint, "");
  assert.match(describeMore({ query: "emma" }, true).hint, /500/);
  assert.equal(describeMore({ query: "emma" }, false).hint, "");
});

test("one book is not several", () => {
  assert.deepEqual([1, 2].map(describeShown), ["1 book is shown.", "2 books are shown."]);
});

test("a search in everything says what is wrong with an ISBN, and that it finds one", () => {
  const empty = (query) => describeEmpty({ query, field: "" });
  assert.match(empty("0-486-28473-7"), /not an ISBN.*It would be 5/);
  assert.match(empty("ISBN 978-0-486-28473-7"), /It would be 6/);
  assert.match(empty("0-486-28473-5"), /No book has this ISBN/);
  assert.match(empty("emma 1815"), /word of the title or of the author.*ISBN/);
});
