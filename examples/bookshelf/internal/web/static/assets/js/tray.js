// The tray: a list of the books that are not finished, each with its state. It
// survives a reload, since the server knows the uploads.

import { cancelUpload, fetchFile, listFiles } from "./api.js";
import { announce } from "./announce.js";
import { byId, el, icon, onPress, setEnabled, setText, setVisible } from "./dom.js";
import { describeRow } from "./bookstatus.js";
import { findNews, listBooks, nextBook, rowOf } from "./traylist.js";
import { fetchRows, findUnlisted, step } from "./trayrows.js";

const soon = 3000; // milliseconds between looks while something is going on
const later = 30_000; // and otherwise

const isUploadID = (id) => /^[0-9a-f]{8}-/.test(id); // and not the key of an upload of this page

/** Tray owns the list. */
export class Tray {
  #queue;
  #rows = [];
  #books = [];
  #items = new Map(); // elements by the id of the book
  #current = "";
  #visited = new Set(); // ids of the books that were on the desk
  #count = step; // rows of each class that are shown
  #timer = 0;
  #looking; // the promise of the look in flight
  #isKnown = false; // the server's list was read
  #onRow;
  #onChange;

  /**
   * @param onRow is called with a row of the server that has changed, and onChange when the list has.
   */
  constructor(queue, { onRow, onChange }) {
    this.#queue = queue;
    this.#onRow = onRow;
    this.#onChange = onChange;
    onPress(byId("tray-more"), () => this.#showMore());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.look());
    this.look();
  }

  /** select shows which book is on the desk. */
  select(id) {
    this.#current = id;
    if (isUploadID(id)) this.#visited.add(id);
    this.refresh();
    byId("tray-list").querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** next returns the book that should be on the desk next, or undefined. */
  next() {
    return nextBook(this.#books, this.#current);
  }

  /** checkTitle looks at once if a book has another title than the list shows. */
  checkTitle(id, title) {
    const book = this.#books.find((b) => b.id === id);
    if (book && title && book.title !== title) this.look();
  }

  /** look asks the server for its list, and again after a while. */
  look() {
    clearTimeout(this.#timer);
    this.#looking ??= this.#loadRows().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async #loadRows() {
    try {
      const { rows, hasMore } = await fetchRows((page) => listFiles({ ...page, owner: "me" }), this.#count);
      this.#showRows([...rows, ...(await this.#findUnlisted(rows))]);
      setVisible(byId("tray-rest"), hasMore);
    } catch {
      // The list stays as it is until the next look.
    } finally {
      const isBusy = this.#books.some((b) => b.status === "reading" || b.status === "sending");
      if (document.visibilityState === "visible") this.#timer = setTimeout(() => this.look(), isBusy ? soon : later);
    }
  }

  // Looks the books of this visit up that are in none of the lists, so that an open one stays.
  async #findUnlisted(rows) {
    const known = new Map(this.#rows.map((row) => [row.upload_id, row]));
    const hasEnded = (id) => known.has(id) && describeRow(known.get(id)).status.match(/accepted|closed/);
    const ids = findUnlisted(rows, this.#queue.uploads, this.#visited);
    const found = await Promise.all(ids.map((id) => (hasEnded(id) ? known.get(id) : this.#findRow(id))));
    return found.filter(Boolean);
  }

  // Somebody else's book, or one that does not exist, is not in the tray.
  async #findRow(id) {
    try {
      const record = await fetchFile(id);
      return record.own ? rowOf(record) : undefined;
    } catch (err) {
      if (err.status !== 404) throw err;
      this.#visited.delete(id);
      return undefined;
    }
  }

  async #showMore() {
    const before = new Set(this.#books.map((b) => b.id));
    this.#count += step;
    setEnabled(byId("tray-more"), false);
    await this.#looking; // which still has the smaller count
    await this.look();
    setEnabled(byId("tray-more"), true);
    announce(`${this.#books.length} books are in the tray.`);
    const first = this.#books.find((b) => !before.has(b.id));
    byId("tray-list").querySelector(`[href="#${first?.id}"]`)?.focus();
  }

  #showRows(rows) {
    const before = new Map(this.#rows.map((row) => [row.upload_id, row]));
    this.#rows = rows.sort((a, b) => (a.upload_id < b.upload_id ? 1 : -1)); // ids grow with time
    for (const row of rows) {
      const old = before.get(row.upload_id);
      if (old && (old.class !== row.class || old.changed_at !== row.changed_at)) this.#onRow(row);
      before.delete(row.upload_id);
    }
    for (const row of before.values()) this.#onRow(row); // it has ended
    const was = this.#books;
    this.refresh();
    if (this.#isKnown) {
      for (const b of findNews(was, this.#books)) {
        if (b.id !== this.#current)
          announce(b.status === "ready" ? `${b.title} is ready for you.` : `${b.title} was not read.`);
      }
    }
    this.#isKnown = true;
  }

  /** refresh shows the list as it is now. */
  refresh() {
    this.#books = listBooks(this.#queue.uploads, this.#rows);
    const seen = new Set();
    let at = null; // the item before
    for (const book of this.#books) {
      // The key of the element, which keeps the focus.
      const key = book.upload?.key ?? this.#queue.find(book.id)?.key ?? book.id;
      seen.add(key);
      if (!this.#items.has(key)) this.#items.set(key, this.#build());
      const item = this.#items.get(key);
      this.#show(item, book);
      const place = at ? at.nextElementSibling : byId("tray-list").firstElementChild;
      if (place !== item.node) byId("tray-list").insertBefore(item.node, place);
      at = item.node;
    }
    for (const [key, item] of this.#items) {
      if (seen.has(key)) continue;
      if (item.node.contains(document.activeElement)) byId("main").focus({ preventScroll: true });
      item.node.remove();
      this.#items.delete(key);
    }
    const only = this.#books.length === 1 && this.#books[0].id === this.#current;
    setVisible(byId("tray"), this.#books.length > 0 && !only);
    this.#onChange();
  }

  async #discard(id) {
    await cancelUpload(id).catch(() => {});
    this.look();
  }

  #build() {
    const title = el("span", { class: "tray-title", dir: "auto" });
    const words = el("span", { class: "tray-words" });
    const link = el("a", { class: "tray-link" }, title, words);
    const bar = el("progress", { class: "tray-bar", max: 1, "aria-hidden": "true" });
    const retry = el("button", { type: "button", class: "button small" }, "Try again");
    const cancel = el(
      "button",
      { type: "button", class: "tray-cancel" },
      icon("failed"),
      el("span", { class: "visually-hidden" }),
    );
    return { node: el("li", { class: "tray-book" }, link, bar, retry, cancel), link, title, words, bar, retry, cancel };
  }

  #show(item, book) {
    const { upload, status } = book;
    item.node.dataset.status = status;
    setText(item.title, book.title);
    setText(item.words, book.words);
    item.link.href = `#${book.id}`;
    if (book.id === this.#current || (upload && upload.key === this.#current))
      item.link.setAttribute("aria-current", "page");
    else item.link.removeAttribute("aria-current");
    const isSending = upload && ["waiting", "preparing", "sending"].includes(upload.state);
    setVisible(item.bar, Boolean(isSending));
    if (upload?.progress === undefined) item.bar.removeAttribute("value");
    else item.bar.value = upload.progress;
    // The same file fails again.
    setVisible(item.retry, upload?.state === "failed" && upload.problem?.name !== "PhotoError");
    const isOurs = Boolean(upload) && (!["started", "starting"].includes(upload.state) || status === "closed");
    // An upload that the page does not know may be lost, or come from another tab.
    setVisible(item.cancel, isOurs || (!upload && status === "sending"));
    setText(item.cancel.lastElementChild, `Remove ${book.title}`);
    item.retry.onclick = () => this.#queue.retry(upload);
    item.retry.setAttribute("aria-label", `Try again: ${book.title}`);
    item.cancel.onclick = () => (upload ? this.#queue.cancel(upload) : this.#discard(book.id));
  }
}
