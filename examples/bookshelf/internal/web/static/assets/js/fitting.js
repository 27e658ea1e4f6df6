// Asks about the values that may be those of another book, since the title has changed.

import { byId } from "./dom.js";
import { askToLookUp, findMisfits } from "./fits.js";
import { labelOf } from "./labels.js";
import { clearSlot, showNotice } from "./notice.js";
import { estimate } from "./origin.js";

/** Fitting remembers with which title the values of a card belong together. */
export class Fitting {
  #card;
  #ask;
  #before = {};
  #shown = ""; // identifies the question that is asked

  /** ask(message) asks the reader. */
  constructor(card, ask) {
    this.#card = card;
    this.#ask = ask;
  }

  /** settle states that the present values belong together. */
  settle() {
    this.#before = this.#card.values();
    this.clear();
  }

  /** clear takes the question back. */
  clear() {
    this.#shown = "";
    clearSlot(byId("fits-notice"));
  }

  /** isAsking reports whether the person has not answered yet. */
  get isAsking() {
    return this.#shown !== "";
  }

  /** check asks the person if values may not belong to the title any more. It returns whether it asks. */
  check() {
    const now = this.#card.values();
    const names = findMisfits(this.#before, now);
    const shown = names.length > 0 ? [now.title, ...names].join("\n") : "";
    if (shown === this.#shown) return this.isAsking;
    this.clear();
    if (names.length === 0) return false;
    this.#shown = shown;
    const labels = names.map(labelOf);
    showNotice(byId("fits-notice"), {
      title:
        `The title was “${this.#before.title}”. ` +
        `${names.length > 1 ? "Do these values" : "Does this value"} still fit?`,
      detail: names.map((name, i) => `${labels[i]}: ${describeValue(name, now[name])}`).join(" · "),
      actions: [
        { label: "Ask the reader", primary: true, run: () => this.#ask(askToLookUp(now.title, labels)) },
        { label: names.length > 1 ? "Clear them" : "Clear it", run: () => this.#clear(names) },
        { label: names.length > 1 ? "They fit" : "It fits", run: () => this.#keep() },
      ],
    });
    return true;
  }

  #clear(names) {
    this.#card.empty(names);
    this.#keep();
  }

  #keep() {
    this.settle();
    this.#card.focus("title"); // the buttons are gone
  }
}

const describeValue = (name, text) => (name === "confidence" ? estimate(text).words : shorten(text));

const shorten = (text) => (text.length > 60 ? `${text.slice(0, 59)}…` : text);
