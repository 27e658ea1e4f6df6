// The card: the fields of a book's metadata, which the reader fills in and a
// person corrects.

import { Estimate, Field, written } from "./field.js";
import { checkISBN, compactISBN } from "./isbn.js";
import { labelOf } from "./labels.js";

// These functions convert typed text to the value for the server, or return a complaint.
const plain = (s) => ({ value: s });
const year = (s) =>
  /^-?[0-9]{1,4}$/.test(s.trim()) ? { value: Number(s) } : { complaint: "Enter a year in digits, for example 1999." };
const isbn = (s) => {
  const value = compactISBN(s);
  const complaint = checkISBN(value);
  return complaint ? { complaint } : { value };
};

const layout = [
  { name: "title", read: plain },
  { name: "author", read: plain },
  { name: "publisher", read: plain },
  { name: "published_year", read: year, inputmode: "numeric" },
  { name: "isbn", read: isbn, inputmode: "text" },
  { name: "confidence", isEstimate: true },
  { name: "description", read: plain, rows: 5 },
].map((spec) => ({ ...spec, label: labelOf(spec.name) }));

/** Card owns the fields inside one form. */
export class Card {
  #fields = new Map();
  #onEdit;

  /**
   * @param onEdit is called with name and text when a person has changed a field.
   * @param onTitle is called when a person has finished a change of the title.
   */
  constructor(form, { onEdit, onTitle }) {
    this.#onEdit = onEdit;
    form.addEventListener("submit", (e) => e.preventDefault());
    for (const spec of layout) {
      const field = spec.isEstimate ? new Estimate(spec) : new Field(spec, onEdit);
      this.#fields.set(spec.name, field);
      form.append(field.node);
    }
    this.#fields.get("title").input.addEventListener("change", onTitle);
    this.clear();
  }

  /** clear empties the card and locks it. */
  clear() {
    for (const f of this.#fields.values()) {
      f.put(undefined);
      f.mark("");
      f.saved = f.edits;
      f.shine(false);
    }
    this.lock(true);
  }

  /** lock makes the fields read-only, or editable. */
  lock(isLocked) {
    for (const f of this.#fields.values()) f.lock(isLocked);
  }

  /**
   * set writes a value of the reader, and lets it glow. Fields that the card does
   * not know are ignored. It returns the field's label.
   */
  set(name, value, source = "found", origin = "") {
    const f = this.#fields.get(name);
    if (!f) return undefined;
    f.put(value);
    f.mark(f.text === "" ? "" : source, origin);
    f.saved = f.edits;
    f.shine();
    return f.spec.label;
  }

  /** settle writes the final values of the reader, except to fields that a person has edited. */
  settle(metadata) {
    for (const [name, value] of Object.entries(metadata ?? {})) {
      const f = this.#fields.get(name);
      if (f && !f.isEdited && f.text !== written(value)) this.set(name, value);
    }
  }

  /** empty clears fields for the person, who can undo it by typing. */
  empty(names) {
    for (const name of names) {
      const f = this.#fields.get(name);
      f.put(undefined);
      f.touch(this.#onEdit);
    }
  }

  /** show writes a draft of the server, except to fields with edits that the server does not have. */
  show({ metadata, sources, origins = {}, texts = {} }) {
    for (const [name, f] of this.#fields) {
      if (f.isEdited) continue;
      const { value, complaint } = f.read();
      if (name in texts) {
        if (f.text !== texts[name]) {
          f.put(texts[name]);
          f.complain(f.read().complaint ?? "");
        }
      } else if (f.text !== written(metadata[name]) && (complaint || value !== metadata[name])) {
        f.put(metadata[name]);
      }
      f.mark(sources[name] ?? "", origins[name]);
    }
  }

  /**
   * read returns the card for the draft: its metadata, and by name the texts that are not valid yet. commit() states
   * that the server has stored them.
   */
  read() {
    const metadata = {};
    const texts = {};
    const done = [];
    for (const [name, f] of this.#fields) {
      const { value, complaint } = f.read();
      if (complaint) texts[name] = f.text;
      else metadata[name] = value;
      done.push([f, f.edits]);
    }
    return { metadata, texts, commit: () => done.forEach(([f, edits]) => (f.saved = edits)) };
  }

  /** refuse shows why the server does not accept a field. It returns whether the card has the field. */
  refuse(name, complaint) {
    const f = this.#fields.get(name);
    f?.refuse(complaint);
    return f !== undefined;
  }

  /** save returns the present values, for restore. */
  save() {
    return [...this.#fields.values()].map((f) => ({
      f,
      value: f.text,
      source: f.source,
      origin: f.origin,
      saved: f.saved,
    }));
  }

  /** restore writes saved values. */
  restore(values) {
    for (const { f, value, source, origin, saved } of values) {
      f.put(value);
      f.mark(source, origin);
      f.saved = saved;
    }
  }

  /** focus moves the focus to a field. */
  focus(name) {
    this.#fields.get(name).input.focus({ preventScroll: true });
  }

  /** value returns the text of a field. */
  value(name) {
    return this.#fields.get(name).text;
  }

  /** values returns the texts of all fields by name. */
  values() {
    return Object.fromEntries([...this.#fields].map(([name, f]) => [name, f.text]));
  }

  /** filled reports whether any field has a value. */
  filled() {
    return [...this.#fields.values()].some((f) => f.text !== "");
  }

  /**
   * metadata returns the fields that are set. If a field is invalid, it returns
   * undefined, shows why, and moves the focus to the first invalid field.
   */
  metadata() {
    const out = {};
    let first;
    for (const f of this.#fields.values()) {
      const { value, complaint } = f.read();
      f.complain(complaint ?? "");
      if (complaint) first ??= f;
      else if (value !== undefined) out[f.spec.name] = value;
    }
    first?.input.focus();
    return first ? undefined : out;
  }
}
