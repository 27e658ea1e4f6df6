// Accepts the card of the open book, and shows where it is saved.

import * as api from "./api.js";
import { announce } from "./announce.js";
import { byId, onPress, setText } from "./dom.js";
import { clearSlot, showNotice } from "./notice.js";
import { copyKey, showSaved } from "./saved.js";
import { markStep } from "./steps.js";

/** Acceptance owns the button that accepts the card, and what follows it. */
export class Acceptance {
  #book;
  #desk;
  #reload;

  /**
   * @param desk has changed(id); next(), which returns the label of the next book; and openNext().
   * @param reload shows the upload as the server knows it.
   */
  constructor(book, desk, reload) {
    this.#book = book;
    this.#desk = desk;
    this.#reload = reload;
    onPress(byId("accept"), () => this.#accept());
    byId("copy-key").addEventListener("click", copyKey);
    byId("next-book").addEventListener("click", () => desk.openNext());
  }

  async #accept() {
    const book = this.#book;
    const metadata = book.card.metadata();
    if (!metadata) return;
    const { signal } = book;
    book.set({ status: "saving" });
    clearSlot(byId("accept-notice"));
    await book.keeper.flush(); // the card is accepted as it is, also if this fails
    if (signal.aborted) return;
    try {
      const accepted = await api.accept(book.session, metadata);
      if (signal.aborted) return;
      this.#desk.changed(book.session);
      this.show(accepted.saved_key);
    } catch (err) {
      if (signal.aborted) return;
      book.set({ status: "ready" });
      if (err.field && book.card.refuse(err.field, api.explainError(err))) {
        book.card.focus(err.field);
        return;
      }
      const isOver = err.status === 409 && !err.retryAfter && !err.run; // it was accepted or cancelled elsewhere
      if (isOver) {
        await this.#yield(err);
        return;
      }
      const isTemporary = err.retryAfter || err.status >= 500 || !err.status;
      showNotice(byId("accept-notice"), {
        kind: "error",
        title: "The card was not accepted",
        detail: api.explainError(err),
        wait: err.retryAfter,
        actions: isTemporary ? [{ label: "Try again", primary: true, run: () => this.#accept() }] : [],
      });
    }
  }

  // Shows what has ended the upload, instead of a card that can never be accepted.
  async #yield(err) {
    await this.#reload();
    const isAccepted = this.#book.state?.status === "accepted";
    const more = isAccepted ? " This is the card that was accepted. You can correct it on the shelf." : "";
    showNotice(byId("review-notice"), {
      kind: "error",
      title: "Your card was not accepted",
      detail: api.explainError(err) + more,
    });
  }

  /** show shows that the card was accepted. */
  show(key, when = new Date()) {
    const book = this.#book;
    book.keeper.close();
    markStep("accepted");
    book.set({ status: "accepted" });
    clearSlot(byId("notes-notice"));
    book.fitting.clear();
    showSaved(key, when, book.session, book.state.absent === "");
    this.refreshNext();
    announce(`Accepted. The card is saved at ${key}.`);
    if (document.activeElement?.closest("#tray")) return; // the person goes through the books
    byId("next-book").focus({ preventScroll: true });
  }

  /** refreshNext shows the label of the next book. */
  refreshNext() {
    if (this.#book.state?.status === "accepted") setText(byId("next-book"), this.#desk.next());
  }
}
