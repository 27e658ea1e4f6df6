// The list of uploads on the page: its rows, the new ones that are kept back, and
// the uploads that are opened but not on it.

import { announce } from "./announce.js";
import { explainError, fetchFile } from "./api.js";
import { byId, el, setText, setVisible } from "./dom.js";
import { extendList, fetchFilledPage, newList, refreshList, settleList, updateRows } from "./ledger.js";
import { Row } from "./row.js";
import { listUploads } from "./uploads.js";

const pageSize = 50;
const maxPage = 100;
const maxLooks = 5; // requests for single uploads in one refresh

const empty = {
  "": "No uploads yet. The first one appears here when an upload starts.",
  active: "Nothing is running right now.",
  waiting: "No card is waiting.",
  failed: "Nothing has failed.",
  success: "No card has been accepted yet.",
};

const count = (n) => `${n.toLocaleString()} ${n === 1 ? "upload" : "uploads"}`;

export class UploadList {
  #view;
  #list = newList({});
  #rows = new Map(); // Row by upload id
  #linked = new Map(); // data of opened uploads that the list does not have, by id
  #missing = new Set(); // ids of opened uploads that cannot be found
  #tags = new Map(); // of pages by their cursors
  #turn = 0; // of the older pages and of the single uploads, which are refreshed by turns
  #events;

  /**
   * @param {{toggled: (id: string, open: boolean) => void, acted: () => void}} events acted is called after an action
   */
  constructor(events) {
    this.#events = events;
  }

  /** load shows the first page of a view. */
  async load(view, signal) {
    const ask = async (cursor) => (await listUploads(view, { limit: pageSize, cursor }, signal)).body;
    const page = await fetchFilledPage(ask);
    if (signal.aborted) return;
    this.#view = view;
    this.#tags.clear();
    this.#list = newList(page);
    this.#draw();
    byId("rows").removeAttribute("aria-busy");
  }

  /** clear shows no uploads of a view, since they cannot be loaded. */
  clear(view) {
    this.#view = view;
    this.#list = newList({});
    this.#linked.clear();
    this.#draw();
    setVisible(byId("empty"), false);
  }

  /** refresh asks for newer data, and returns whether there was any. */
  async refresh(signal) {
    const before = this.#list;
    this.#turn++;
    const limit = Math.min(maxPage, Math.max(pageSize, before.rows.length + before.fresh.length));
    const hasChanged = [await this.#refreshPage({ limit }, "", signal)];
    const covered = before.rows[limit - 1 - before.fresh.length]?.upload_id;
    const pages = before.pages.filter((p) => covered && p.before < covered);
    if (pages.length > 0) {
      const { cursor, before: limited } = pages[this.#turn % pages.length];
      hasChanged.push(await this.#refreshPage({ limit: pageSize, cursor }, limited, signal));
    }
    hasChanged.push(await this.#look(signal));
    if (signal.aborted) return false;
    if (hasChanged.includes(true)) this.#draw();
    if (this.#list.fresh.length > before.fresh.length) announce(`${this.#describeFresh()} above the list.`);
    return hasChanged.includes(true);
  }

  async #refreshPage({ limit, cursor }, before, signal) {
    const key = `${limit} ${cursor ?? ""}`;
    const { tag, body } = await listUploads(this.#view, { limit, cursor, tag: this.#tags.get(key) }, signal);
    if (signal.aborted || !body) return false;
    this.#tags.set(key, tag);
    this.#list = refreshList(this.#list, body, before);
    return true;
  }

  /** look reads single uploads: those that have left the filter, and opened ones that are not on the list. */
  async #look(signal) {
    const isOpen = (row) => row.class === "active" || row.class === "waiting" || row.class === this.#view.status;
    const ids = [...this.#list.rows.filter((r) => this.#list.left.has(r.upload_id)), ...this.#linked.values()]
      .filter(isOpen)
      .map((r) => r.upload_id);
    let hasChanged = false;
    const start = ids.length > maxLooks ? (this.#turn * maxLooks) % ids.length : 0;
    for (const id of [...ids, ...ids].slice(start, start + Math.min(maxLooks, ids.length))) {
      const file = await fetchFile(id, signal).catch((err) => {
        if (err.status !== 404) throw err;
      });
      if (signal.aborted || !file) continue;
      hasChanged = this.#keep(file) || hasChanged;
    }
    return hasChanged;
  }

  /** keep takes the data of a single upload, and returns whether they are new. */
  #keep(file) {
    const id = file.upload_id;
    const old = this.#linked.get(id) ?? this.#list.rows.find((r) => r.upload_id === id);
    this.#list = updateRows(this.#list, [file]);
    if (this.#linked.has(id)) this.#linked.set(id, file);
    return old?.changed_at !== file.changed_at;
  }

  /** more appends the next page. */
  async more(signal) {
    const cursor = this.#list.next;
    const ask = async (c) => (await listUploads(this.#view, { limit: pageSize, cursor: c }, signal)).body;
    const page = await fetchFilledPage(ask, cursor);
    if (signal.aborted) return;
    const known = this.#list.rows.length;
    this.#list = extendList(this.#list, page);
    this.#draw();
    announce(`${count(this.#list.rows.length)} shown.`);
    if (!this.#list.next) this.#rows.get(this.#list.rows[known]?.upload_id)?.focus(); // the button is gone
  }

  /** settle shows the rows that were kept back, and moves the focus to the first of them. */
  settle() {
    const first = this.#list.fresh[0]?.upload_id;
    this.#list = settleList(this.#list);
    this.#draw();
    this.#rows.get(first)?.focus();
    this.#rows.get(first)?.element.scrollIntoView({ block: "nearest" });
  }

  /** open opens exactly these uploads. It requests those that are not on the list. */
  async open(ids, signal) {
    for (const [id, row] of this.#rows) row.open(ids.includes(id));
    for (const id of [...this.#linked.keys()]) if (!ids.includes(id)) this.#linked.delete(id);
    this.#missing.clear();
    const listed = new Set(this.#list.rows.map((r) => r.upload_id));
    for (const id of ids.filter((id) => !listed.has(id) && !this.#linked.has(id))) {
      try {
        this.#linked.set(id, await fetchFile(id, signal));
      } catch (err) {
        if (signal.aborted) return;
        this.#missing.add(explainError(err));
      }
    }
    if (signal.aborted) return;
    this.#draw();
    for (const id of ids) this.#rows.get(id)?.open(true);
  }

  /** show scrolls to an upload. */
  show(id) {
    this.#rows.get(id)?.element.scrollIntoView({ block: "nearest" });
  }

  /** tick updates the relative times. */
  tick() {
    for (const row of this.#rows.values()) row.tick();
  }

  #acted(file) {
    if (file) {
      this.#keep(file);
      this.#draw();
    }
    this.#events.acted();
  }

  #describeFresh() {
    const n = this.#list.fresh.length;
    const more = this.#list.gap ? "+" : "";
    return `${n}${more} new ${n === 1 && !more ? "upload" : "uploads"}`;
  }

  #draw() {
    const { rows, fresh, next, capped } = this.#list;
    const linked = [...this.#linked.values()].filter((l) => !rows.some((r) => r.upload_id === l.upload_id));
    const ids = new Set([...rows, ...linked].map((r) => r.upload_id));
    for (const [id, row] of this.#rows) {
      if (ids.has(id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    this.#drawRows(byId("linked-rows"), linked);
    this.#drawRows(byId("rows"), rows);
    setVisible(byId("linked"), linked.length > 0);
    byId("missing").replaceChildren(...[...this.#missing].map((text) => el("p", {}, text)));
    const { q, status } = this.#view;
    setText(byId("empty"), q ? (next ? "Nothing found among the newest uploads." : "Nothing found.") : empty[status]);
    setVisible(byId("empty"), rows.length === 0);
    setText(byId("found"), q && rows.length > 0 ? `${count(rows.length)} found${next ? " so far" : ""}.` : "");
    setText(byId("more"), q && capped ? "Search older uploads" : "Show more");
    setVisible(byId("more"), Boolean(next));
    setText(byId("fresh-rows"), fresh.length > 0 ? this.#describeFresh() : "");
    setVisible(byId("fresh-rows"), fresh.length > 0);
  }

  #drawRows(box, files) {
    let before = box.firstElementChild;
    for (const data of files) {
      let row = this.#rows.get(data.upload_id);
      if (row) row.update(data);
      else {
        row = new Row(data, { toggled: this.#events.toggled, changed: (file) => this.#acted(file) });
        this.#rows.set(data.upload_id, row);
      }
      // Moving an element removes its focus, so it moves only if necessary.
      if (row.element === before) before = before.nextElementSibling;
      else box.insertBefore(row.element, before);
    }
  }
}
