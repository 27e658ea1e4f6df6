// One upload in the list: a line, and its record when it is opened.

import { explain, file } from "./api.js";
import { el, icon, show, text } from "./dom.js";
import { notice } from "./notice.js";
import { record } from "./stages.js";
import { ago, human, moment } from "./words.js";

/** Row keeps its element over refreshes, so that focus and what is open stay. */
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
  #asked = 0; // counts the requests for the record: only the last answer is shown

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

  /** update shows newer data; an open record is asked for again if it may have changed. */
  update(data) {
    const changed = this.#data?.changed_at !== data.changed_at;
    const moving = data.class === "active";
    this.#data = data;
    text(this.#name, data.labels?.title ?? data.filename);
    this.#name.title = data.filename;
    text(this.#user, data.user_id);
    const waiting = data.class === "waiting";
    text(this.#status, waiting ? "Waiting for review" : human(data.current_status.toLowerCase()));
    this.#status.className = `badge ${waiting ? "waiting" : data.current_status.toLowerCase()}`;
    this.#status.title = [data.stage && `${human(data.stage)}: ${human(data.state)}`, data.reason && human(data.reason)]
      .filter(Boolean)
      .join(" · ");
    this.#created.dateTime = data.created_at;
    this.#created.title = moment(new Date(data.created_at));
    this.tick();
    if (this.#open() && (changed || moving)) this.#load();
  }

  /** tick says anew how long ago it was. */
  tick() {
    text(this.#created, ago(Date.parse(this.#data.created_at), Date.now()));
  }

  /** toggle opens the record, or closes it. */
  toggle(open = !this.#open()) {
    this.#button.setAttribute("aria-expanded", String(open));
    show(this.#panel, open);
    if (!open) return;
    if (this.#panel.childElementCount === 0) this.#panel.append(el("p", { class: "hint waiting" }, "Loading its stages…"));
    this.#load();
  }

  #open() {
    return this.#button.getAttribute("aria-expanded") === "true";
  }

  async #load() {
    const asked = ++this.#asked;
    let found;
    try {
      found = record(await file(this.#data.upload_id));
    } catch (err) {
      if (asked !== this.#asked) return;
      notice(this.#panel, {
        kind: "error",
        title: "Its stages could not be loaded",
        detail: explain(err),
        wait: err.retryAfter,
        actions: [{ label: "Try again", run: () => this.#load() }],
      });
      return;
    }
    // Unchanged, it is left alone: a person may be selecting text in it.
    if (asked === this.#asked && !this.#panel.firstElementChild?.isEqualNode(found)) this.#panel.replaceChildren(found);
  }
}
