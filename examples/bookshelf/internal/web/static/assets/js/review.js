// The review of a book: what the desk shows of an upload, from the photo to the
// accepted card.

import * as api from "./api.js";
import { announce } from "./announce.js";
import { Acceptance } from "./acceptance.js";
import { Conversation } from "./conversation.js";
import { byId, setVisible } from "./dom.js";
import { showNotice } from "./notice.js";
import { OpenBook } from "./openbook.js";
import { showSending } from "./sending.js";
import { mustResume, planReview } from "./reviewstate.js";
import { markStep } from "./steps.js";
import { recall, tellPast } from "./transcript.js";

/** Review controls the section. It shows at most one book at a time. */
export class Review {
  #desk;
  #book;
  #conversation;
  #acceptance;
  #isCatchingUp = false;

  /**
   * @param desk has closed(), which is called when the desk is free; changed(id), when this page has changed an upload;
   *   edited(id, title), when it has changed only the draft; next(), which returns the label of the next book;
   *   openNext(); and for the upload on the desk, retry() and cancel().
   */
  constructor(desk) {
    this.#desk = desk;
    this.#book = new OpenBook({ ask: (message) => this.#conversation.ask(message), edited: desk.edited });
    this.#conversation = new Conversation(this.#book, desk);
    this.#acceptance = new Acceptance(this.#book, desk, () => this.resume(this.session));
    byId("again").addEventListener("click", () => desk.closed());
    byId("cancel-upload").addEventListener("click", () => desk.cancel());
  }

  /** session is the id of the upload on the desk, or "". */
  get session() {
    return this.#book.session;
  }

  /** isUnsaved reports whether an edit is not on the server. */
  get isUnsaved() {
    return this.#book.keeper?.unsaved ?? false;
  }

  /** saveNow saves the edits now, if there are any that the server does not have. */
  saveNow() {
    this.#book.keeper?.flush();
  }

  /** await shows a photo that is on its way, until resume is called. */
  await(upload) {
    this.#book.open();
    this.#book.set({ status: "sending" });
    this.#book.cover.picture(upload.file, upload.name);
  }

  /** showUpload shows how far the photo is. */
  showUpload(upload) {
    this.#book.session = upload.session;
    showSending(upload, this.#book.cover, this.#desk);
    if (upload.state === "started") announce("The photo has arrived.");
  }

  /** resume shows an upload as the server knows it. hasPicture states that its photo is shown already. */
  async resume(id, hasPicture = false) {
    const book = this.#book;
    if (!hasPicture) book.open("Loading the status of this upload…");
    book.keep(id);
    const { signal } = book;
    try {
      const { record, draft } = await fetchBook(id, signal);
      if (!hasPicture) this.#showPhoto(draft, record.display_name ?? record.filename ?? "");
      book.keeper.showDraft(draft);
      book.fitting.settle();
      await this.#recall(draft, signal);
      if (signal.aborted) return;
      book.seen = record.updated_at;
      if (draft.run_id) await this.#followAlong(draft.run_id);
      else this.#showPlan(planReview(record, draft), new Date(record.updated_at));
    } catch (err) {
      if (!signal.aborted) this.#explainMissing(id, err);
    }
  }

  // Follows a run that somebody has started before.
  #followAlong(run) {
    this.#book.state.absent = "";
    this.#book.cover.progress("Arrived", 1, "");
    return this.#conversation.follow(run);
  }

  /** leave clears the desk. A run in flight continues on the server. */
  leave() {
    this.#book.leave();
  }

  /** catchUp shows what has happened elsewhere: in another tab, or while the page was out of sight or offline. */
  async catchUp() {
    if (!this.#book.isIdle || this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    try {
      await this.#catchUp();
    } catch {
      // What is shown stays. The next sign of a change tries again.
    } finally {
      this.#isCatchingUp = false;
    }
  }

  async #catchUp() {
    const book = this.#book;
    const { signal, session } = book;
    const isLate = () => signal.aborted || !book.isIdle; // the person has gone on
    const { record, draft } = await fetchBook(session, signal);
    if (isLate()) return;
    if (mustResume(record, draft, { isOpen: book.state.isEditable, seen: book.seen })) {
      await this.resume(session);
      return;
    }
    book.seen = record.updated_at;
    await this.#recall(draft, signal);
    if (isLate()) return;
    book.keeper.showDraft(draft);
    if (!book.fitting.isAsking) book.fitting.settle();
    book.refresh();
    if (draft.run_id) this.#conversation.follow(draft.run_id);
  }

  /** refreshNext shows the label of the next book. */
  refreshNext() {
    this.#acceptance.refreshNext();
  }

  // The link to the photo is valid for some minutes, so an image that is loaded again may need another one.
  #showPhoto(draft, name) {
    const { signal, session, cover } = this.#book;
    const renew = async () => (await api.fetchDraft(session, signal)).photo_url;
    if (draft.photo_url) cover.link(draft.photo_url, name, renew);
    else cover.blank(name);
  }

  // Adds the runs to the notes that are not there yet and have ended.
  async #recall(draft, signal) {
    const { notes, shownRuns } = this.#book;
    try {
      const past = await recall(draft, (run) => api.fetchEvents(run, signal), shownRuns);
      if (signal.aborted) return;
      tellPast(notes, past);
      shownRuns.push(...past.map(({ run }) => run));
      if (past.length > 0) setVisible(byId("notes-empty"), false);
    } catch (err) {
      if (!signal.aborted) notes.aside(`The earlier notes could not be loaded. ${api.explainError(err)}`);
    }
  }

  #explainMissing(id, err) {
    const isUnknown = err.status === 404;
    if (isUnknown) this.#book.keeper.close();
    this.#book.set({ status: isUnknown ? "closed" : "failed" });
    this.#book.explain({
      kind: "error",
      title: isUnknown ? "This upload was not found" : "The status of this upload could not be loaded",
      detail: api.explainError(err),
      actions: isUnknown ? [this.#another(true)] : [{ label: "Try again", primary: true, run: () => this.resume(id) }],
    });
  }

  // Shows an upload that is not being read. changed is the time of its last change.
  #showPlan({ status, step, key, absent, canEdit, isUploaded, mustAsk, notice }, changed) {
    const book = this.#book;
    book.state.absent = absent;
    book.cover.progress(isUploaded ? "Arrived" : "\u00a0", isUploaded ? 1 : 0, "");
    setVisible(byId("notes-empty"), false);
    if (status === "accepted") {
      this.#acceptance.show(key, changed);
    } else if (status === "closed") {
      book.close(step);
    } else {
      markStep(step);
      book.set({ isEditable: canEdit, status: "ready" });
    }
    if (mustAsk) this.#conversation.ask("", firstKey(book.session));
    if (notice) this.#explainPlan(notice);
  }

  #explainPlan({ kind, title, detail, ask, hasAnother }) {
    const again = ask && { label: ask, primary: true, run: () => this.#conversation.ask() };
    const actions = [again, hasAnother && this.#another(!ask)].filter(Boolean);
    showNotice(byId("notes-notice"), { kind, title, detail: api.toSentence(detail), actions });
  }

  #another(primary = false) {
    return { label: "Upload another book", primary, run: () => this.#desk.closed() };
  }
}

/** fetchBook returns the record and the draft of an upload. */
async function fetchBook(id, signal) {
  const [record, draft] = await Promise.all([api.fetchFile(id, signal), api.fetchDraft(id, signal)]);
  return { record, draft };
}

/** firstKey returns the idempotency key of the first run of an upload, so that it starts once. */
export const firstKey = (id) => `first-${id}`;
