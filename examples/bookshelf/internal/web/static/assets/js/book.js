// The page of one book: its photo, its card, its versions, and sharing. The path
// has the id of the book, and the query a version.

import * as api from "./api.js";
import { announce } from "./announce.js";
import { correctBook, fetchBook, shareBook } from "./books.js";
import { compareMetadata, describeConflict, describeSharing, describeVersion, titleOf } from "./bookwords.js";
import { Card } from "./card.js";
import { byId, el, setText, setVisible } from "./dom.js";
import { clearSlot, showNotice } from "./notice.js";
import { createPhoto } from "./photo.js";
import { formatTime } from "./words.js";

const id = location.pathname.split("/").at(-1); // not decoded: no id has characters that are escaped
const card = new Card(byId("fields"), { onEdit: () => refreshButtons(), onTitle: () => {} });

let current; // the newest version: {book, versions, rights}
let shown; // the version that is shown
let base = 0; // the version that a correction is made from, or 0 if there is none
let isSaving = false;

const chosenVersion = () => new URLSearchParams(location.search).get("version") ?? "";

/** loadBook shows the version of the URL, or the newest one. */
async function loadBook() {
  const version = chosenVersion();
  try {
    const [newest, chosen] = await Promise.all([fetchBook(id), version ? fetchBook(id, version) : undefined]);
    showBook(newest, chosen);
    clearSlot(byId("book-notice"));
    announce(document.title);
  } catch (err) {
    setVisible(byId("bench"), false);
    if (err.status === 404) showMissing(err, version);
    else showError(byId("book-notice"), "The book could not be loaded", err, loadBook);
  }
}

/** showBook shows what the server has. */
function showBook(newest, chosen = newest) {
  const before = current?.book;
  current = newest;
  shown = chosen;
  const { book } = shown;
  setText(byId("title"), titleOf(book));
  byId("title").classList.toggle("long", titleOf(book).length > 120);
  setText(byId("byline"), book.metadata.author ?? "");
  setVisible(byId("byline"), Boolean(book.metadata.author));
  document.title = `${titleOf(book)} · Bookshelf`;
  setVisible(byId("bench"), true);
  if (!before) byId("photo").replaceChildren(drawPhoto(book));
  drawCard();
  drawSharing();
  drawVersions();
}

function drawPhoto(book) {
  const renew = async () => (await fetchBook(id)).book;
  return createPhoto(book, { renew, alt: `The cover of ${titleOf(book)}` });
}

function drawCard() {
  if (!base) {
    card.clear();
    card.show({ metadata: shown.book.metadata, sources: {} });
  }
  card.lock(!base);
  refreshButtons();
}

function refreshButtons() {
  const isNewest = shown.book.version === current.book.version;
  byId("fields").closest(".card").classList.toggle("open", base > 0);
  setVisible(byId("correct"), !base && current.rights.can_correct && isNewest);
  setVisible(byId("save"), base > 0);
  setVisible(byId("discard"), base > 0);
  byId("save").disabled = isSaving || !card.filled();
  byId("discard").disabled = isSaving;
  setText(byId("save"), isSaving ? "Saving…" : "Save the correction");
  setText(byId("card-hint"), describeCard(isNewest));
}

function describeCard(isNewest) {
  if (base) return `A correction becomes version ${base + 1}. The versions before it remain.`;
  if (!isNewest) return `This is version ${shown.book.version}. The newest one is version ${current.book.version}.`;
  return "";
}

function drawSharing() {
  const { words, share } = describeSharing(current.book, current.rights.can_share);
  setText(byId("sharing"), words);
  setVisible(byId("share"), Boolean(share));
  if (share) setText(byId("share"), share);
}

function drawVersions() {
  const items = [...shown.versions].reverse().map((v) => {
    const { what, who } = describeVersion(v, shown.book);
    const isShown = v.version === shown.book.version;
    const isNewest = v.version === current.book.version;
    const at = new Date(v.at);
    return el(
      "li",
      {},
      el(
        "a",
        {
          class: "version",
          href: isNewest ? location.pathname : `?version=${v.version}`,
          "aria-current": isShown && "true",
        },
        what,
      ),
      el("p", { class: "hint" }, `${who}, `, el("time", { datetime: v.at }, formatTime(at))),
    );
  });
  byId("versions").replaceChildren(...items);
}

function showMissing(err, version) {
  document.title = "Not on your shelf · Bookshelf";
  setText(byId("title"), version ? "This version is not here" : "This book is not on your shelf");
  setVisible(byId("byline"), false);
  showNotice(byId("book-notice"), {
    title: version ? "The book or this version of it was not found" : "It was not found",
    detail:
      `${api.explainError(err)} ` +
      "You see the books that you have accepted and those that your colleagues share. " +
      "For everybody else, a book does not exist: this page is the same for a book that somebody else keeps and for " +
      "one that nobody has. " +
      "If a colleague sent you the link, ask them to share the book.",
    actions: [
      { label: "Show your shelf", primary: true, run: () => location.assign("/shelf") },
      ...(version ? [{ label: "Show the newest version", run: () => location.assign(location.pathname) }] : []),
    ],
  });
}

function showError(slot, title, err, again) {
  showNotice(slot, {
    kind: "error",
    title: err.status === 401 ? "You are not signed in" : title,
    detail: api.explainError(err),
    wait: err.retryAfter,
    actions: again ? [{ label: "Try again", primary: true, run: again }] : [],
  });
}

function startCorrection() {
  base = current.book.version;
  clearSlot(byId("card-notice"));
  drawCard();
  byId("fields").querySelector("input").focus();
}

function endCorrection() {
  base = 0;
  clearSlot(byId("card-notice"));
  drawCard();
  byId("correct").focus({ preventScroll: true });
}

async function saveCorrection() {
  const metadata = card.metadata();
  if (!metadata) return;
  if (compareMetadata(metadata, current.book.metadata).length === 0 && base === current.book.version) {
    showNotice(byId("card-notice"), {
      title: "Nothing has changed",
      detail: "Change a field, or discard the correction.",
    });
    return;
  }
  isSaving = true;
  refreshButtons();
  clearSlot(byId("card-notice"));
  try {
    const saved = await correctBook(id, metadata, base);
    clearSlot(byId("share-notice"));
    isSaving = false;
    base = 0;
    showBook(saved);
    announce(`Saved as version ${saved.book.version}.`);
    showNotice(byId("card-notice"), { title: `Saved as version ${saved.book.version}` });
    byId("correct").focus({ preventScroll: true });
  } catch (err) {
    isSaving = false;
    refreshButtons();
    if (err.field && card.refuse(err.field, api.explainError(err))) card.focus(err.field);
    else if (err.status === 409) await showConflict(err, metadata);
    else showError(byId("card-notice"), "The correction was not saved", err, saveCorrection);
  }
}

/** showConflict puts the newer version on the card, but for what was typed. */
async function showConflict(conflict, typed) {
  let newer;
  try {
    newer = await fetchBook(id);
  } catch (err) {
    showError(byId("card-notice"), "The book has been corrected in the meantime", err, saveCorrection);
    return;
  }
  if (newer.book.version === base) { // it cannot be corrected any more
    showError(byId("card-notice"), "The correction was not saved", conflict);
    return;
  }
  const start = current.book.metadata;
  const detail = describeConflict(start, typed, newer.book.metadata);
  base = newer.book.version;
  card.show({ metadata: newer.book.metadata, sources: {} }); // but for what was typed
  showBook(newer);
  const box = showNotice(byId("card-notice"), {
    title: `The book has been corrected in the meantime: its version is ${base}`,
    detail,
    actions: [{ label: "Take the new version instead", run: endCorrection }],
  });
  box.scrollIntoView({ block: "nearest" });
}

async function share() {
  const { version } = current.book;
  byId("share").disabled = true;
  clearSlot(byId("share-notice"));
  try {
    await shareBook(id, version);
    const words = `Your colleagues see version ${version} now.`;
    showBook(await fetchBook(id));
    announce(words);
    showNotice(byId("share-notice"), { title: "Shared", detail: words });
    byId("sharing-title").scrollIntoView({ block: "nearest" });
  } catch (err) {
    showError(byId("share-notice"), "The book was not shared", err, share);
  } finally {
    byId("share").disabled = false;
  }
}

byId("correct").addEventListener("click", startCorrection);
byId("save").addEventListener("click", saveCorrection);
byId("fields").addEventListener("submit", saveCorrection);
byId("discard").addEventListener("click", endCorrection);
byId("share").addEventListener("click", share);
addEventListener("beforeunload", (e) => {
  if (base && compareMetadata(card.read().metadata, current.book.metadata).length > 0) e.preventDefault();
});
addEventListener("pageshow", (e) => {
  if (e.persisted && !base) loadBook(); // somebody else may have signed in since
});

loadBook();
