// One upload in the list: a line, the next action, and its record if it is open.

import { announce } from "./announce.js";
import { explainError, fetchFile } from "./api.js";
import { confirmAction } from "./confirm.js";
import { el, icon, setVisible, setText } from "./dom.js";
import { clearSlot, showNotice } from "./notice.js";
import { ago, drawRecord, updateAges } from "./stages.js";
import { describeStatus } from "./status.js";
import { cancelUpload, retryUpload } from "./uploads.js";

const startTime = 15_000; // milliseconds in which a run that was started changes the row

/** Row keeps its element over refreshes, so that it keeps its focus and stays open. */
export class Row {
  /** element is the list item. */
  element;

  #data;
  #events;
  #line;
  #name = el("span", { class: "row-name", dir: "auto" });
  #file = el("span", { class: "row-file", dir: "auto" });
  #badge = el("span", { class: "badge" });
  #detail = el("span", { class: "row-detail" });
  #created = el("span", { class: "row-created" });
  #changed = el("span", { class: "row-changed" });
  #action = el("div", { class: "row-action" });
  #notice = el("div", { class: "row-notice" });
  #record = el("div", {});
  #actions = el("p", { class: "row-actions" });
  #panel;
  #drawn = ""; // the record that is shown
  #offered = ""; // the actions that are shown
  #asked = 0; // the number of requests for the record; only the last response is shown
  #started; // the time of the state after which a retry has started a run

  /**
   * @param {object} data a row of /api/ops/files
   * @param {{toggled: (id: string, open: boolean) => void, changed: (file?: object) => void}} events changed is called
   *   after an action, with the new record if it is known
   */
  constructor(data, events) {
    const id = `record-${data.upload_id}`;
    this.#events = events;
    this.#line = el(
      "button",
      {
        type: "button",
        class: "row-line",
        "aria-expanded": "false",
        "aria-controls": id,
        onclick: () => this.#press(),
      },
      el("span", { class: "row-what" }, this.#name, this.#file),
      el("span", { class: "row-status" }, this.#badge, this.#detail),
      this.#created,
      this.#changed,
      icon("open"),
    );
    this.#panel = el("div", { class: "row-panel", id, hidden: true }, this.#record, this.#actions);
    this.element = el(
      "li",
      { class: "row" },
      el("div", { class: "row-head" }, this.#line, this.#action),
      this.#notice,
      this.#panel,
    );
    this.update(data);
  }

  /** update shows newer data. It loads an open record again if it may have changed. */
  update(data) {
    const hasChanged = this.#data?.changed_at !== data.changed_at;
    const isMoving = data.class === "active";
    this.#data = data;
    if (hasChanged) clearSlot(this.#notice);
    const file = data.display_name || data.filename;
    setText(this.#name, data.title || file);
    this.#name.title = file;
    setText(this.#file, [data.title && file, data.own === false && `by ${data.user_id}`].filter(Boolean).join(" · "));
    this.#drawStatus();
    if (hasChanged) {
      this.#created.replaceChildren(ago(data.created_at) ?? "");
      this.#changed.replaceChildren(ago(data.changed_at) ?? "");
    }
    if (this.isOpen && (hasChanged || isMoving)) this.#load();
  }

  /** tick updates the relative times. */
  tick() {
    updateAges(this.element);
  }

  /** open opens or closes the record. */
  open(isOpen) {
    if (isOpen === this.isOpen) return;
    this.#line.setAttribute("aria-expanded", String(isOpen));
    setVisible(this.#panel, isOpen);
    if (!isOpen) return;
    if (!this.#drawn) this.#record.replaceChildren(el("p", { class: "hint" }, "Loading the stages…"));
    this.#load();
  }

  get isOpen() {
    return this.#line.getAttribute("aria-expanded") === "true";
  }

  focus() {
    this.#line.focus();
  }

  #press() {
    this.open(!this.isOpen);
    this.#events.toggled(this.#data.upload_id, this.isOpen);
  }

  #drawStatus() {
    const isStarting = this.#started !== undefined && this.#started === this.#data.changed_at;
    const status = isStarting
      ? { kind: "active", badge: "Starting…", detail: "", canOpen: false, canRetry: false, canCancel: false }
      : describeStatus(this.#data);
    setText(this.#badge, status.badge);
    this.#badge.className = `badge ${status.kind}`;
    setText(this.#detail, status.detail);
    this.#offer(status);
  }

  /** offer shows what a person may do: the next action beside the line, and all in the panel. */
  #offer({ kind, canOpen, canRead, canRetry, canCancel }) {
    const opensFirst = kind === "waiting" || this.#data.reason === "store_failed";
    const offered = JSON.stringify([canOpen, canRead, canRetry, canCancel, opensFirst]);
    if (offered === this.#offered) return;
    this.#offered = offered;
    const hadFocus = this.#action.contains(document.activeElement) || this.#actions.contains(document.activeElement);
    const open = () => el("a", { class: "button small", href: `/#${this.#data.upload_id}` }, "Open the card");
    const retry = () =>
      el("button", { type: "button", class: "button small", onclick: () => this.#retry() }, "Try again");
    this.#action.replaceChildren(...(opensFirst && canOpen ? [open()] : canRetry ? [retry()] : []));
    this.#actions.replaceChildren(
      ...(canOpen ? [open()] : []),
      ...(canRead ? [el("a", { class: "button small", href: `/shelf/${this.#data.upload_id}` }, "Open the book")] : []),
      ...(canRetry ? [retry()] : []),
      ...(canCancel
        ? [
            el(
              "button",
              { type: "button", class: "button small danger", onclick: () => this.#cancel() },
              "Cancel upload…",
            ),
          ]
        : []),
    );
    if (hadFocus) this.focus();
  }

  async #retry() {
    const before = this.#data.changed_at;
    this.#started = before;
    clearSlot(this.#notice);
    this.#drawStatus();
    setTimeout(() => this.#forget(before), startTime);
    try {
      await retryUpload(this.#data.upload_id);
      announce(`The reader has started again on ${this.#name.textContent}.`);
      this.#events.changed();
    } catch (err) {
      this.#forget(before);
      this.#explain("The reader was not started", err);
    }
  }

  #forget(before) {
    if (this.#started !== before) return;
    this.#started = undefined;
    this.#drawStatus();
  }

  async #cancel() {
    const name = this.#name.textContent;
    const { stage, state } = this.#data;
    const photo = stage === "user_upload" ? "a photo that arrives later is deleted" : "its photo is deleted";
    const reader = stage === "enrichment" && state === "running" ? "The reader stops. " : "";
    const detail = `${reader}“${name}” is closed for good, and ${photo}.`;
    const agrees = await confirmAction({ title: "Cancel this upload?", detail, label: "Cancel the upload" });
    if (!agrees) return;
    clearSlot(this.#notice);
    try {
      this.#events.changed(await cancelUpload(this.#data.upload_id));
      announce(`${name} is cancelled.`);
    } catch (err) {
      this.#explain("The upload was not cancelled", err);
    }
  }

  /** explain shows why an action failed, and asks for the present state. */
  async #explain(title, err) {
    showNotice(this.#notice, { kind: "error", title, detail: explainError(err) });
    const file = await fetchFile(this.#data.upload_id).catch(() => undefined);
    const notice = [...this.#notice.childNodes];
    this.#events.changed(file);
    this.#notice.replaceChildren(...notice);
  }

  async #load() {
    const asked = ++this.#asked;
    let file;
    try {
      file = await fetchFile(this.#data.upload_id);
    } catch (err) {
      if (asked !== this.#asked) return;
      this.#drawn = "";
      showNotice(this.#record, {
        kind: "error",
        title: "The stages could not be loaded",
        detail: explainError(err),
        wait: err.retryAfter,
        actions: [{ label: "Try again", run: () => this.#load() }],
      });
      return;
    }
    // An unchanged record stays, since a person may be selecting text in it.
    const drawn = JSON.stringify(file);
    if (asked !== this.#asked || drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.#record.replaceChildren(drawRecord(file));
  }
}
