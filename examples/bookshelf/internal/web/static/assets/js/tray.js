// The tray: a list of the books that are not finished, each with its state. It
// survives a reload, since the server knows the uploads.

import { cancelUpload, fetchFile, listFiles } from "./api.js";
import { announce } from "./announce.js";
import { byId, el, icon, setText, setVisible } from "./dom.js";
import { describeRow } from "./bookstatus.js";
import { findNews, listBooks, nextBook, rowOf } from "./traylist.js";

const soon = 3000; // milliseconds between looks while something is going on
const later = 30_000; // and otherwise
const most = 30; // rows of each class

/** Tray owns the list. */
export class Tray {
  #queue;
  #rows = [];
  #books = [];
  #items = new Map(); // elements by the id of the book
  #current = "";
  #timer = 0;
  #isLooking = false;
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
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.look());
    this.look();
  }

  /** select shows which book is on the desk. */
  select(id) {
    this.#current = id;
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
  async look() {
    clearTimeout(this.#timer);
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const pages = await Promise.all(
        ["active", "waiting", "failed"].map((status) => listFiles({ status, owner: "me", limit: most })),
      );
      const rows = pages.flatMap((page) => page.files);
      this.#showRows([...rows, ...(await this.#findEnded(rows))]);
    } catch {
      // The list stays as it is until the next look.
    } finally {
      this.#isLooking = false;
      const isBusy = this.#books.some((b) => b.status === "reading" || b.status === "sending");
      if (document.visibilityState === "visible") this.#timer = setTimeout(() => this.look(), isBusy ? soon : later);
    }
  }

  // Uploads of this page that are in none of the lists have ended.
  async #findEnded(rows) {
    const listed = new Set(rows.map((row) => row.upload_id));
    const known = new Map(this.#rows.map((row) => [row.upload_id, row]));
    const missing = this.#queue.uploads
      .filter((u) => u.state === "started" && !listed.has(u.session))
      .map((u) => u.session);
    const hasEnded = (id) => known.has(id) && describeRow(known.get(id)).status.match(/accepted|closed/);
    return Promise.all(missing.map(async (id) => (hasEnded(id) ? known.get(id) : rowOf(await fetchFile(id)))));
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
