// The shelf: an overview, a search, and the list of books. The search is in the
// URL, and how much of the list was shown in the entry of the history.

import * as api from "./api.js";
import { announce } from "./announce.js";
import { createCover, createRow } from "./bookrow.js";
import { fetchOverview, listBooks } from "./books.js";
import { byId, setText, setVisible } from "./dom.js";
import { clearSlot, showNotice } from "./notice.js";
import {
  describeEmpty,
  describeList,
  describeMore,
  describeShown,
  fetchBooks,
  pageSize,
  readSearch,
  writeSearch,
} from "./shelfview.js";
import { formatCount } from "./words.js";

history.scrollRestoration = "manual"; // the list is there only after its requests

let search = readSearch(location.search);
let list = { books: [], next: undefined };
let loading = new AbortController();

const request = (signal) => (cursor, limit) => listBooks({ ...search, cursor, limit }, signal);

/** showSearch shows the search of the URL in the form. */
function showSearch() {
  search = readSearch(location.search);
  byId("query").value = search.query;
  byId("field").value = search.field;
  setText(byId("list-title"), describeList(search));
  setVisible(byId("clear"), search.query !== "");
  document.title = `${search.query ? search.query : "The shelf"} · Bookshelf`;
}

/** loadList loads as many books as this entry of the history has shown, and restores its position. */
async function loadList() {
  loading.abort();
  loading = new AbortController();
  const { signal } = loading;
  const { count = pageSize, top = 0 } = history.state ?? {};
  byId("books").setAttribute("aria-busy", "true");
  try {
    const [page, overview] = await Promise.all([
      fetchBooks(request(signal), count),
      search.query ? undefined : fetchOverview(signal),
    ]);
    if (signal.aborted) return;
    list = page;
    drawList(page.books.length < count);
    drawOverview(overview);
    clearSlot(byId("shelf-notice"));
    scrollTo(0, top);
    announce(page.books.length === 0 ? byId("empty-words").textContent : describeShown(page.books.length));
  } catch (err) {
    if (signal.aborted) return;
    if (err.status === 401) clearList();
    showError("The books could not be loaded", err, loadList);
  }
  byId("books").removeAttribute("aria-busy");
}

async function loadMore() {
  const { signal } = loading;
  const before = list.books.length;
  byId("more").disabled = true;
  try {
    list = await fetchBooks(request(signal), pageSize, list);
    if (signal.aborted) return;
    drawList(list.books.length < before + pageSize, before);
    clearSlot(byId("shelf-notice"));
    keepPosition();
    announce(describeShown(list.books.length));
    byId("books").children[before]?.querySelector("a").focus({ preventScroll: true });
  } catch (err) {
    if (!signal.aborted) showError("More books could not be loaded", err, loadMore);
  } finally {
    byId("more").disabled = false;
  }
}

/** drawList shows the books from a position on. isShort states that the newest page was not full. */
function drawList(isShort, from = 0) {
  const rows = list.books.slice(from).map(createRow);
  if (from === 0) byId("books").replaceChildren(...rows);
  else byId("books").append(...rows);
  const isEmpty = list.books.length === 0;
  const more = describeMore(search, isShort);
  setText(byId("empty-words"), list.next ? "None of the books so far match." : describeEmpty(search));
  setVisible(byId("empty"), isEmpty);
  setVisible(byId("empty-link"), search.query === "");
  setVisible(byId("more"), Boolean(list.next));
  setText(byId("more"), more.label);
  setText(byId("looked"), more.hint);
  setVisible(byId("looked"), Boolean(list.next) && more.hint !== "");
}

function clearList() {
  list = { books: [], next: undefined };
  byId("books").replaceChildren();
  for (const id of ["totals", "newest", "empty", "more", "looked"]) setVisible(byId(id), false);
  clearSlot(byId("shelf-notice"));
}

function drawOverview(overview) {
  setVisible(byId("totals"), Boolean(overview));
  setVisible(byId("newest"), Boolean(overview) && overview.own + overview.shared > overview.recent.length);
  if (!overview) return;
  setText(byId("own"), formatCount(overview.own, overview.capped));
  setText(byId("shared"), formatCount(overview.shared, overview.capped));
  byId("recent").replaceChildren(...overview.recent.map(createCover));
}

function showError(title, err, again) {
  showNotice(byId("shelf-notice"), {
    kind: "error",
    title: err.status === 401 ? "You are not signed in" : title,
    detail: api.explainError(err),
    wait: err.retryAfter,
    actions: [{ label: "Try again", primary: true, run: again }],
  });
}

/** keepPosition stores in the entry of the history how much is shown, for the way back. */
function keepPosition() {
  if (byId("books").hasAttribute("aria-busy")) return;
  history.replaceState({ count: Math.max(pageSize, list.books.length), top: scrollY }, "");
}

/** find shows the results of a search as a new entry of the history. */
function find(wanted) {
  keepPosition();
  history.pushState({}, "", writeSearch(wanted));
  openSearch();
}

/** openSearch shows the search of the URL. */
function openSearch() {
  showSearch();
  clearList();
  loadList();
}

byId("find").addEventListener("submit", (e) => {
  e.preventDefault();
  find({ query: byId("query").value.trim(), field: byId("field").value });
});
byId("clear").addEventListener("click", () => {
  find({ query: "", field: "" });
  byId("query").focus();
});
byId("more").addEventListener("click", loadMore);
let settling = 0;
addEventListener("scroll", () => {
  clearTimeout(settling);
  settling = setTimeout(keepPosition, 200);
});
addEventListener("pagehide", keepPosition);
addEventListener("popstate", () => {
  clearTimeout(settling);
  openSearch();
});
addEventListener("pageshow", (e) => {
  if (e.persisted) loadList(); // somebody else may have signed in since
});

showSearch();
loadList();
