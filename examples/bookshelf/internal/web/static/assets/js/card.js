// The card: the fields of a book's metadata, which the reader fills in and a
// person corrects.

import { el } from "./dom.js";

// These functions convert typed text to the value for the server, or return a
// complaint. Like the server, they reject invalid text and do not repair it.
const whole = (s) => (/^-?[0-9]{1,4}$/.test(s) ? { value: Number(s) } : { complaint: "Enter a year in digits, for example 1999." });
const share = (s) => (/^(0|1|0?\.[0-9]+|1\.0+)$/.test(s) ? { value: Number(s) } : { complaint: "Enter a number from 0 to 1." });
const isbn = (s) => (/^([0-9]{9}[0-9X]|[0-9]{13})$/.test(s) ? { value: s } : { complaint: "Enter ten or thirteen digits without hyphens." });
const plain = (s) => ({ value: s });

const layout = [
  { name: "title", label: "Title", read: plain },
  { name: "author", label: "Author", read: plain },
  { name: "publisher", label: "Publisher", read: plain },
  { name: "published_year", label: "Year", read: whole, inputmode: "numeric" },
  { name: "isbn", label: "ISBN", read: isbn, inputmode: "text" },
  { name: "confidence", label: "Confidence", read: share, inputmode: "decimal" },
  { name: "description", label: "Description", read: plain, rows: 5 },
];

const marks = { found: "found", told: "from your message", typed: "by you" };

const glow = 2000; // milliseconds, as long as the animation in the style sheet

/** Card owns the fields inside one form. */
export class Card {
  #fields = new Map();
  #onEdit;

  /** onEdit is called with name and text when a person has changed a field. */
  constructor(form, onEdit) {
    this.#onEdit = onEdit;
    form.addEventListener("submit", (e) => e.preventDefault());
    for (const spec of layout) form.append(this.#build(spec));
    this.clear();
  }

  #build(spec) {
    const id = `field-${spec.name}`;
    const props = { id, name: spec.name, "aria-describedby": `${id}-note`, placeholder: "—" };
    const input = spec.rows
      ? el("textarea", { ...props, rows: spec.rows })
      : el("input", { ...props, type: "text", inputmode: spec.inputmode, spellcheck: "false" });
    const origin = el("span", { class: "origin" });
    const note = el("p", { class: "field-note", id: `${id}-note` });
    const bar = spec.name === "confidence" && el("progress", { class: "share", max: 1, value: 0, "aria-hidden": "true" });
    const box = el(
      "div",
      { class: `field ${spec.name.replaceAll("_", "-")}` },
      el("div", { class: "field-head" }, el("label", { for: id }, spec.label), origin),
      el("div", { class: "field-line" }, input, bar),
      note,
    );
    // edits counts the person's edits, saved those of them that the server has, and base is the server's value.
    const field = { spec, box, input, origin, note, bar, timer: 0, edits: 0, saved: 0, base: undefined };
    input.addEventListener("input", () => {
      this.#mark(field, "typed");
      field.edits++;
      this.#complain(field, "");
      this.#measure(field);
      this.#onEdit(spec.name, input.value);
    });
    this.#fields.set(spec.name, field);
    return box;
  }

  /** clear empties the card and locks it. */
  clear() {
    for (const f of this.#fields.values()) {
      this.#put(f, null);
      this.#mark(f, "");
      f.saved = f.edits;
      f.base = undefined;
      f.box.classList.remove("glow");
    }
    this.lock(true);
  }

  /** lock makes the fields read-only, or editable. */
  lock(locked) {
    for (const f of this.#fields.values()) f.input.readOnly = locked;
  }

  /**
   * set writes a value of the reader, and lets it glow. Fields that the card does
   * not know are ignored. It returns the field's label.
   */
  set(name, value, source = "found") {
    const f = this.#fields.get(name);
    if (!f) return undefined;
    this.#put(f, value);
    this.#mark(f, f.input.value === "" ? "" : source);
    f.saved = f.edits;
    clearTimeout(f.timer);
    f.box.classList.remove("glow");
    void f.box.offsetWidth; // lets the animation begin again
    f.box.classList.add("glow");
    f.timer = setTimeout(() => f.box.classList.remove("glow"), glow);
    return f.spec.label;
  }

  /** settle writes the final values of the reader, except to fields that a person has edited. */
  settle(metadata) {
    for (const [name, value] of Object.entries(metadata ?? {})) {
      const f = this.#fields.get(name);
      if (f && f.edits === f.saved && f.input.value !== written(value)) this.set(name, value);
    }
  }

  /** show writes a draft of the server, except to fields with edits that the server does not have. */
  show({ metadata, sources }) {
    for (const [name, f] of this.#fields) {
      f.base = metadata[name];
      if (f.edits !== f.saved) continue;
      if (f.input.value !== written(f.base)) this.#put(f, f.base);
      this.#mark(f, sources[name] ?? "");
    }
  }

  /**
   * read returns the metadata of the card for the draft, with the server's value in place of an invalid one. whole
   * reports whether all values are valid. commit() states that the server has stored them.
   */
  read() {
    const metadata = {};
    const done = [];
    let whole = true;
    for (const [name, f] of this.#fields) {
      const { value, complaint } = f.input.value === "" ? {} : f.spec.read(f.input.value);
      metadata[name] = complaint ? f.base : value;
      if (complaint) whole = false;
      else done.push([f, f.edits]);
    }
    return { metadata, whole, commit: () => done.forEach(([f, edits]) => (f.saved = edits)) };
  }

  /** save returns the present values, for restore. */
  save() {
    return [...this.#fields.values()].map((f) => ({ f, value: f.input.value, source: f.source, saved: f.saved }));
  }

  /** restore writes saved values. */
  restore(values) {
    for (const { f, value, source, saved } of values) {
      this.#put(f, value);
      this.#mark(f, source);
      f.saved = saved;
    }
  }

  /** value returns the text of a field. */
  value(name) {
    return this.#fields.get(name).input.value;
  }

  /** filled reports whether any field has a value. */
  filled() {
    return [...this.#fields.values()].some((f) => f.input.value !== "");
  }

  /**
   * metadata returns the fields that are set. If a field is invalid, it returns
   * undefined, shows why, and moves the focus to the first invalid field.
   */
  metadata() {
    const out = {};
    let first;
    for (const f of this.#fields.values()) {
      if (f.input.value === "") {
        this.#complain(f, "");
        continue;
      }
      const { value, complaint } = f.spec.read(f.input.value);
      this.#complain(f, complaint ?? "");
      if (complaint) first ??= f;
      else out[f.spec.name] = value;
    }
    first?.input.focus();
    return first ? undefined : out;
  }

  #put(f, value) {
    f.input.value = written(value);
    this.#complain(f, "");
    this.#measure(f);
  }

  #mark(f, source) {
    f.source = source;
    f.origin.textContent = marks[source] ?? "";
    f.box.classList.toggle("typed", source === "typed");
  }

  #complain(f, complaint) {
    f.note.textContent = complaint;
    if (complaint) f.input.setAttribute("aria-invalid", "true");
    else f.input.removeAttribute("aria-invalid");
  }

  #measure(f) {
    if (!f.bar) return;
    const { value = 0 } = f.spec.read(f.input.value);
    f.bar.value = value;
    f.bar.classList.toggle("weak", value < 0.5);
    f.bar.classList.toggle("fair", value >= 0.5 && value < 0.8);
  }
}

function written(value) {
  return value === null || value === undefined ? "" : String(value);
}
