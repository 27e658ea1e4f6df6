// What the person and the reader say to each other about the open book: a run is
// started, followed and stopped.

import * as api from "./api.js";
import { announce } from "./announce.js";
import { describeRefusedMessage } from "./controlstate.js";
import { byId, isEnabled, onPress, prefersReducedMotion, setVisible } from "./dom.js";
import { clearSlot, showNotice } from "./notice.js";
import { describeEnd, describeRefusal } from "./outcome.js";
import { followReading } from "./reading.js";
import { leavesEditable } from "./reviewstate.js";
import { markStep } from "./steps.js";
import { tellEnd } from "./transcript.js";

/** Conversation owns the box for messages and the button that stops the reader. */
export class Conversation {
  #book;
  #desk;

  /** desk has changed(id), and closed(), which frees the desk. */
  constructor(book, desk) {
    this.#book = book;
    this.#desk = desk;
    onPress(byId("stop"), () => this.#stop());
    byId("correct").addEventListener("submit", (e) => {
      e.preventDefault();
      this.#correct();
    });
    byId("message").addEventListener("keydown", (e) => {
      if (e.key !== "Enter" || e.shiftKey || e.isComposing) return;
      e.preventDefault();
      this.#correct();
    });
    byId("message").addEventListener("input", () => book.refresh());
  }

  #correct() {
    const box = byId("message");
    const message = box.value;
    if (!isEnabled(byId("send"))) {
      announce(describeRefusedMessage(this.#book.state, message));
      return;
    }
    box.value = "";
    this.ask(message);
  }

  /**
   * ask starts a run of the reader, with a correction if there is a message, and
   * follows it. key identifies the request.
   */
  async ask(message = "", key = undefined) {
    const book = this.#book;
    const { signal } = book;
    book.set({ status: "reading", run: "" }); // locks the card
    if (!(await book.keeper.flush()) && !signal.aborted) {
      this.#giveBack(message);
      showNotice(byId("notes-notice"), {
        kind: "error",
        title: "Your changes could not be saved",
        detail: "The reader starts when they are.",
        actions: [{ label: "Try again", primary: true, run: () => this.ask(message, key) }],
      });
      return;
    }
    if (signal.aborted) return;
    setVisible(byId("notes-empty"), false);
    book.clearNotices();
    book.fitting.clear();
    const proposal = message ? book.notes.addMessage(message) : undefined; // until the run says it
    let run;
    try {
      run = await api.startRun(book.session, message, { key, signal });
    } catch (err) {
      if (signal.aborted) return;
      proposal?.remove();
      if (err.run) await this.#yield(err.run, message);
      else
        await this.#fail(
          { kind: "error", title: describeRefusal(err), detail: api.explainError(err), wait: err.retryAfter },
          message,
        );
      return;
    }
    proposal?.remove();
    if (signal.aborted) return;
    this.#desk.changed(book.session);
    await this.follow(run, message);
  }

  // Another tab, or an earlier request, has started a run.
  async #yield(run, message) {
    const { signal } = this.#book;
    await this.follow(run);
    if (!message || signal.aborted) return;
    this.#giveBack(message);
    showNotice(byId("notes-notice"), {
      title: "Your message was not sent",
      detail: "The reader was asked elsewhere at the same time. Your message is still in the box.",
    });
  }

  #giveBack(message) {
    const box = byId("message");
    if (message) box.value = box.value.trim() === "" ? message : `${message}\n${box.value}`;
    this.#book.set({ status: this.#book.state.isEditable ? "ready" : "failed" });
  }

  /** follow follows a run to its end. message is what the person has asked for with it. */
  async follow(run, message = "") {
    const book = this.#book;
    const { signal } = book;
    markStep("reading");
    clearSlot(byId("notes-notice"));
    clearSlot(byId("accept-notice"));
    setVisible(byId("notes-empty"), false);
    book.cover.now("The reader is working…");
    book.fitting.clear();
    book.set({ status: "reading", run, isStopping: false });
    let events = [];
    let failure;
    try {
      events = await followReading(run, book, signal);
      book.shownRuns.push(run);
    } catch (err) {
      if (signal.aborted) return;
      failure = {
        kind: "error",
        title: describeRefusal(err),
        detail: api.explainError(err),
        again: () => this.follow(run, message),
      };
    }
    const record = await this.#synchronise(signal);
    if (signal.aborted) return;
    const found = book.card.filled();
    const end = events.at(-1);
    if (leavesEditable(end, found, record)) Object.assign(book.state, { isEditable: true, absent: "" });
    failure ??= end && describeEnd(end, found);
    tellEnd(book.notes, events);
    if (book.state.isEditable) markStep("review");
    book.set({ run: "", status: failure && !book.state.isEditable ? "failed" : "ready" });
    this.#desk.changed(book.session);
    if (!book.fitting.check()) book.fitting.settle();
    if (failure) await this.#fail(failure, message);
    else announce("The reader has finished. Check the card, correct it, and accept it.");
  }

  // Shows the sources of the values, and edits the draft that the run has left. It returns the record, if it can.
  async #synchronise(signal) {
    const book = this.#book;
    try {
      const [record, draft] = await Promise.all([
        api.fetchFile(book.session, signal),
        api.fetchDraft(book.session, signal),
      ]);
      book.seen = record.updated_at;
      book.keeper.showDraft(draft);
      return record;
    } catch {
      book.keeper?.forget();
      return undefined;
    }
  }

  // The record says whether the failure is permanent.
  async #fail(failure, message) {
    const book = this.#book;
    const { signal } = book;
    const record = await api.fetchFile(book.session, signal).catch(() => undefined);
    if (signal.aborted) return;
    if (book.state.status === "reading") book.set({ status: book.state.isEditable ? "ready" : "failed" });
    const isClosed = record?.current_status === "FAILED" && record.retryable === false;
    if (isClosed) book.close("reading");
    const label = failure.again ? "Connect again" : failure.kind === "info" ? "Ask the reader again" : "Try again";
    const again = { label, primary: true, run: failure.again ?? (() => this.ask(message)) };
    const another = { label: "Upload another book", primary: isClosed, run: () => this.#desk.closed() };
    const box = showNotice(byId("notes-notice"), {
      ...failure,
      actions: isClosed ? [another] : [again, another],
      wait: isClosed ? 0 : failure.wait,
    });
    if (book.state.isStopping) this.#offer(box);
    // On a phone, the notes are below the card.
    box.scrollIntoView({ block: "nearest", behavior: prefersReducedMotion() ? "auto" : "smooth" });
  }

  // Moves the focus from the button that stops, which is hidden by now, to what can be done next.
  #offer(notice) {
    if (document.activeElement?.matches("#stop, #transcript, body"))
      notice.querySelector("button")?.focus({ preventScroll: true });
  }

  async #stop() {
    const book = this.#book;
    const { signal, state } = book;
    book.set({ isStopping: true }); // until the events of the run end
    try {
      await api.stop(state.run);
    } catch (err) {
      if (signal.aborted) return;
      book.set({ isStopping: false });
      showNotice(byId("notes-notice"), {
        kind: "error",
        title: "The reader was not stopped",
        detail: api.explainError(err),
      });
    }
  }
}
