// One field of the card: its label, its value, and where the value comes from.

import { announce } from "./announce.js";
import { el } from "./dom.js";
import { describeSource, estimate } from "./origin.js";

const glow = 2000; // milliseconds, as long as the animation in the style sheet

/** Field is a value that the reader fills in and a person corrects. */
export class Field {
  /** source is "found", "told", "typed" or "". */
  source = "";
  /** edits counts the person's edits, and saved those of them that the server has. */
  edits = 0;
  saved = 0;

  #origin = el("span", { class: "origin" });
  #timer = 0;
  #refused = {}; // the text that the server has refused, and why

  /** @param spec has name, label, read, rows and inputmode. onEdit is called when a person has changed the text. */
  constructor(spec, onEdit) {
    this.spec = spec;
    this.id = `field-${spec.name}`;
    this.#origin.id = `${this.id}-origin`;
    this.node = el(
      "div",
      { class: `field ${spec.name.replaceAll("_", "-")}` },
      el("div", { class: "field-head" }, this.buildLabel(), this.#origin),
      ...this.buildContent(onEdit),
    );
  }

  buildLabel() {
    return el("label", { for: this.id }, this.spec.label);
  }

  buildContent(onEdit) {
    const { name, rows, inputmode } = this.spec;
    const props = { id: this.id, name, "aria-describedby": `${this.id}-origin ${this.id}-note`, placeholder: "—" };
    this.input = rows
      ? el("textarea", { ...props, rows })
      : el("input", { ...props, type: "text", inputmode, spellcheck: "false" });
    this.note = el("p", { class: "field-note", id: `${this.id}-note` });
    this.input.addEventListener("input", () => this.touch(onEdit));
    this.input.addEventListener("change", () => this.check());
    return [el("div", { class: "field-line" }, this.input), this.note];
  }

  /** touch records an edit of the person. */
  touch(onEdit) {
    this.mark("typed");
    this.edits++;
    this.complain("");
    onEdit(this.spec.name, this.text);
  }

  get text() {
    return this.input.value;
  }

  /** isEdited reports whether the server does not have the newest edit. */
  get isEdited() {
    return this.edits !== this.saved;
  }

  /** put writes a value. */
  put(value) {
    this.input.value = written(value);
    this.complain("");
  }

  /** read returns the value, which is undefined if the field is empty, or a complaint. */
  read() {
    if (this.text === "") return {};
    return this.text === this.#refused.text ? { complaint: this.#refused.complaint } : this.spec.read(this.text);
  }

  /** refuse records why the server does not accept the present text. */
  refuse(complaint) {
    this.#refused = { text: this.text, complaint };
    this.complain(complaint);
  }

  /** check says what is wrong with the text, once the person has finished typing it. */
  check() {
    const { complaint = "" } = this.read();
    this.complain(complaint);
    if (complaint) announce(`${this.spec.label}: ${complaint}`);
  }

  /** mark shows where the value comes from. origin is the name of the look-up source, if there is one. */
  mark(source, origin = "") {
    this.source = source;
    this.origin = origin;
    this.#origin.textContent = describeSource(source, origin, this.text === "");
    this.node.classList.toggle("typed", source === "typed");
  }

  /** complain shows why the text is not valid, or removes that. */
  complain(words) {
    this.note.textContent = words;
    if (words) this.input.setAttribute("aria-invalid", "true");
    else this.input.removeAttribute("aria-invalid");
  }

  /** lock makes the field read-only, or editable. */
  lock(isLocked) {
    this.input.readOnly = isLocked;
  }

  /** shine shows for a moment that the reader has set the field. */
  shine(isOn = true) {
    clearTimeout(this.#timer);
    this.node.classList.remove("glow");
    if (!isOn) return;
    void this.node.offsetWidth; // lets the animation begin again
    this.node.classList.add("glow");
    this.#timer = setTimeout(() => this.node.classList.remove("glow"), glow);
  }
}

/** Estimate is how sure the reader is. It is shown and not typed. */
export class Estimate extends Field {
  buildLabel() {
    return el("span", { id: `${this.id}-label` }, this.spec.label);
  }

  buildContent() {
    this.words = el("span", {
      class: "estimate",
      id: this.id,
      role: "group",
      "aria-labelledby": `${this.id}-label ${this.id}`,
    });
    this.bar = el("progress", { class: "share", max: 1, value: 0, "aria-hidden": "true" });
    return [el("div", { class: "field-line" }, this.words, this.bar)];
  }

  get text() {
    return written(this.value);
  }

  put(value) {
    this.value = value === null || value === undefined || value === "" ? undefined : Number(value);
    const { words, share, level } = estimate(this.value);
    this.words.textContent = words;
    this.bar.value = share;
    this.bar.classList.toggle("weak", level === "weak");
    this.bar.classList.toggle("fair", level === "fair");
  }

  read() {
    return { value: this.value };
  }

  complain() {}

  lock() {}
}

/** written returns the text of a value. */
export function written(value) {
  return value === null || value === undefined ? "" : String(value);
}
