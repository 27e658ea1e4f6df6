// Requests about the accepted books: one function for each path.

import { encodeQuery, json, post, request } from "./api.js";

const bookURL = (id) => `/api/bookshelf/${encodeURIComponent(id)}`;

/** fetchOverview returns the numbers of books and the newest ones: {own, shared, capped, recent}. */
export function fetchOverview(signal) {
  return json("/api/bookshelf/overview", { signal });
}

/** listBooks returns a page of the books that match, or of all without a query: {books, next}. Newest first. */
export function listBooks({ query, field, cursor, limit }, signal) {
  const path = query ? "search" : "catalogue";
  return json(`/api/bookshelf/${path}?${encodeQuery({ query, field: query && field, cursor, limit })}`, { signal });
}

/** fetchBook returns a book: {book, versions, rights}. A version selects the metadata of that version. */
export function fetchBook(id, version, signal) {
  return json(`${bookURL(id)}?${encodeQuery({ version })}`, { signal });
}

/** fetchThumbnail returns the small photo at the thumbnail_url of a book. The browser keeps it. */
export async function fetchThumbnail(path) {
  return (await request(path, { cache: "default" })).blob();
}

/** correctBook stores the metadata as the version that follows the given one, and returns the book like fetchBook. */
export function correctBook(id, metadata, version) {
  return json(bookURL(id), { ...post({ metadata, version }), method: "PUT" });
}

/** shareBook shares a version with the tenant. */
export function shareBook(id, version) {
  return json(`${bookURL(id)}/share`, post({ version }));
}
