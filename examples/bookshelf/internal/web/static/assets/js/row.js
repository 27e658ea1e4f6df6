// One upload in the list: a line, and its record if it is open.

import { explainError, fetchFile } from "./api.js";
import { el, icon, setVisible, setText } from "./dom.js";
import { showNotice } from "./notice.js";
import { drawRecord } from "./stages.js";
import { formatAge, humanizeName, formatTime } from "./words.js";

/** Row keeps its element over refreshes, so that it keeps its focus and stays open. */
export class Row {
  /** element is the list item. */
  element;

  #data;
  #button;
  #name;
  #user;
  #status;
  #created;
  #panel;
  #asked = 0; // the number of requests for the record; only the last response is shown

  constructor(data) {
    const id = `record-${data.upload_id}`;
    this.#name = el("span", { class: "row-name" });
    this.#user = el("span", { class: "row-user" });
    this.#status = el("span", { class: "badge" });
    this.#created = el("time", { class: "row-time" });
    this.#button = el(
      "button",
      { type: "button", class: "row-line", "aria-expanded": "false", "aria-controls": id, onclick: () => this.toggle() },
      this.#name,
      this.#user,
      el("span", { class: "row-status" }, this.#status),
      this.#created,
      icon("open"),
    );
    this.#panel = el("div", { class: "row-panel", id, hidden: true });
    this.element = el("li", { class: "row" }, this.#button, this.#panel);
    this.update(data);
  }

  /** update shows newer data. It loads an open record again if it may have changed. */
  update(data) {
    const changed = this.#data?.changed_at !== data.changed_at;
    const moving = data.class === "active";
    this.#data = data;
    setText(this.#name, data.labels?.title ?? data.filename);
    this.#name.title = data.filename;
    setText(this.#user, data.user_id);
    const waiting = data.class === "waiting";
    setText(this.#status, waiting ? "Waiting for review" : humanizeName(data.current_status.toLowerCase()));
    this.#status.className = `badge ${waiting ? "waiting" : data.current_status.toLowerCase()}`;
    this.#status.title = [data.stage && `${humanizeName(data.stage)}: ${humanizeName(data.state)}`, data.reason && humanizeName(data.reason)]
      .filter(Boolean)
      .join(" · ");
    this.#created.dateTime = data.created_at;
    this.#created.title = formatTime(new Date(data.created_at));
    this.tick();
    if (this.#open() && (changed || moving)) this.#load();
  }

  /** tick updates the relative time. */
  tick() {
    setText(this.#created, formatAge(Date.parse(this.#data.created_at), Date.now()));
  }

  /** toggle opens or closes the record. */
  toggle(open = !this.#open()) {
    this.#button.setAttribute("aria-expanded", String(open));
    setVisible(this.#panel, open);
    if (!open) return;
    if (this.#panel.childElementCount === 0) this.#panel.append(el("p", { class: "hint waiting" }, "Loading the stages…"));
    this.#load();
  }

  #open() {
    return this.#button.getAttribute("aria-expanded") === "true";
  }

  async #load() {
    const asked = ++this.#asked;
    let found;
    try {
      found = drawRecord(await fetchFile(this.#data.upload_id));
    } catch (err) {
      if (asked !== this.#asked) return;
      showNotice(this.#panel, {
        kind: "error",
        title: "The stages could not be loaded",
        detail: explainError(err),
        wait: err.retryAfter,
        actions: [{ label: "Try again", run: () => this.#load() }],
      });
      return;
    }
    // An unchanged record stays, since a person may be selecting text in it.
    if (asked === this.#asked && !this.#panel.firstElementChild?.isEqualNode(found)) this.#panel.replaceChildren(found);
  }
}
