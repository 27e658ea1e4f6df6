// The rows of the list of books, and the covers of the newest ones.

import { describeBook, describeOwner, titleOf } from "./bookwords.js";
import { el } from "./dom.js";
import { createThumbnail } from "./photo.js";
import { formatTime } from "./words.js";

/** bookPath returns the path of the page of a book. */
export const bookPath = (id) => `/shelf/${encodeURIComponent(id)}`;

/** createRow returns the row of a book. It needs no other request than the one for its thumbnail. */
export function createRow(book) {
  const accepted = new Date(book.accepted_at);
  const owner = describeOwner(book);
  return el(
    "li",
    { class: "book" },
    createThumbnail(book),
    el(
      "div",
      { class: "book-body" },
      el("a", { class: "book-title", href: bookPath(book.id), dir: "auto" }, titleOf(book)),
      ...describeBook(book).map((words, i) =>
        el("span", { class: i === 0 ? "book-fact first" : "book-fact", dir: "auto" }, words),
      ),
    ),
    el(
      "div",
      { class: "book-side" },
      owner && el("span", { class: "tag" }, owner),
      book.version > 1 && el("span", { class: "tag plain" }, `Version ${book.version}`),
      el(
        "time",
        { datetime: book.accepted_at, title: formatTime(accepted) },
        accepted.toLocaleDateString(undefined, { dateStyle: "medium" }),
      ),
    ),
  );
}

/** createCover returns one of the newest books as a cover. */
export function createCover(book) {
  return el(
    "li",
    {},
    el(
      "a",
      { class: "cover-link", href: bookPath(book.id) },
      createThumbnail(book),
      el("span", { class: "cover-title", dir: "auto" }, titleOf(book)),
    ),
  );
}
