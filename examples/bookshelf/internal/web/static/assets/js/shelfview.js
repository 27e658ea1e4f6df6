// The state of the shelf: which books it shows, and what it says about them.
// All functions are pure.

import { checkISBN, compactISBN, isISBNLike } from "./isbn.js";

const fields = ["title", "author", "isbn"];

/** pageSize is the number of books that are requested at a time. */
export const pageSize = 24;

const largestPage = 100; // of the server
const looked = 500; // books that the server looks at for one page of a search

/** readSearch returns the search in the query of a URL: {query, field}. */
export function readSearch(text) {
  const params = new URLSearchParams(text);
  const field = params.get("field") ?? "";
  return { query: (params.get("query") ?? "").trim(), field: fields.includes(field) ? field : "" };
}

/** writeSearch returns the URL of a search. */
export function writeSearch({ query, field }) {
  const params = new URLSearchParams();
  if (query) params.set("query", query);
  if (query && field) params.set("field", field);
  const text = params.toString();
  return text ? `/shelf?${text}` : "/shelf";
}

/**
 * fetchBooks requests pages until there are at least that many books, or the
 * list ends. A page of a search that is short ends the search for now: the
 * server has looked at as many books as it may, so the person decides about more.
 */
export async function fetchBooks(request, count, { books = [], next } = {}) {
  const wanted = books.length + count;
  let list = [...books];
  do {
    const limit = Math.min(largestPage, wanted - list.length);
    const page = await request(next, limit);
    list = [...list, ...page.books];
    next = page.next;
    if (page.books.length < limit) break;
  } while (next && list.length < wanted);
  return { books: list, next };
}

/** describeList returns the heading of the list. */
export function describeList({ query, field }) {
  if (!query) return "All books";
  return field ? `Books whose ${field === "isbn" ? "ISBN" : field} matches “${query}”` : `Books that match “${query}”`;
}

/** describeEmpty returns what is said in the place of an empty list. */
export function describeEmpty({ query, field }) {
  if (!query) return "The shelf is empty. A book appears here when you accept its card at the desk.";
  if (field === "isbn") return "No book has this ISBN. It must be complete, with or without hyphens.";
  if (field === "") return describeNoMatch(query);
  return `No book matches. Each word must begin a word of the ${field}.`;
}

// A search in everything finds the ISBN of a book too, if it is complete and its last digit is right.
function describeNoMatch(query) {
  const complaint = isISBNLike(query) ? checkISBN(compactISBN(query)) : "";
  if (complaint === undefined) return "No book has this ISBN, and no title or author matches.";
  if (complaint) return `No book matches. ${complaint}`;
  return "No book matches. Each word must begin a word of the title or of the author. An ISBN must be complete.";
}

/**
 * describeMore returns the label of the button that loads more, and a hint in
 * front of it. isShort states that the newest page had fewer books than were
 * requested.
 */
export function describeMore({ query }, isShort) {
  if (!query) return { label: "Show older books", hint: "" };
  return {
    label: "Search older books",
    hint: isShort
      ? `A search looks at ${looked} books at a time, the newest first. ` +
        "There are older books that it has not looked at."
      : "",
  };
}

/** describeShown says how many books the list has. */
export const describeShown = (n) => (n === 1 ? "1 book is shown." : `${n} books are shown.`);
