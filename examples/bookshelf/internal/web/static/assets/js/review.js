// The book on the desk: its photo, its card and the reader's notes, from the
// upload to the accepted card.

import * as api from "./api.js";
import { announce } from "./announce.js";
import { Card } from "./card.js";
import { refreshControls } from "./controls.js";
import { Cover } from "./cover.js";
import { byId, prefersReducedMotion, setText, setVisible } from "./dom.js";
import { Fitting } from "./fitting.js";
import { describeKeeping, Keeper } from "./keeper.js";
import { Notes } from "./notes.js";
import { clearSlot, showNotice } from "./notice.js";
import { describeEnd, describeRefusal, sumUsage } from "./outcome.js";
import { followReading } from "./reading.js";
import { copyKey, showSaved } from "./saved.js";
import { closedCard, readStanding } from "./standing.js";
import { showSending } from "./sending.js";
import { markStep } from "./steps.js";
import { recall, tellPast } from "./transcript.js";
import { formatUsage } from "./words.js";

const slots = ["upload-notice", "notes-notice", "accept-notice", "fits-notice"];

/** Review controls the section. It has at most one book at a time. */
export class Review {
  /** session is the id of the upload on the desk, or "". */
  session = "";
  /** isUnsaved reports whether an edit is not on the server. */
  get isUnsaved() {
    return this.#keeper?.unsaved ?? false;
  }

  #desk;
  #card;
  #fitting;
  #keeper; // of the edits of this book, once the upload has an id
  #notes;
  #cover = new Cover();
  #leaving = new AbortController(); // aborted when the book leaves the desk
  #state; // for refreshControls
  #told = []; // the ids of the runs in the notes
  #seen = ""; // when the record that is shown was changed
  #isStopping = false; // by the button, which then is hidden
  #isCatchingUp = false;

  /**
   * @param desk has closed(), which is called when the desk is free; changed(id), when this page has changed an upload;
   *   next(), which returns the label of the next book; openNext(); and for the upload on the desk, retry() and cancel().
   */
  constructor(desk) {
    this.#desk = desk;
    this.#card = new Card(byId("fields"), {
      onEdit: (name, value) => {
        if (name === "title") this.#title(value);
        this.#refresh();
        this.#keeper?.touch();
      },
      onTitle: () => this.#fitting.check(),
    });
    this.#fitting = new Fitting(this.#card, (message) => this.#ask(message));
    this.#notes = new Notes(byId("entries"), byId("transcript"));
    byId("again").addEventListener("click", () => this.#desk.closed());
    byId("next-book").addEventListener("click", () => this.#desk.openNext());
    byId("accept").addEventListener("click", () => this.#accept());
    byId("stop").addEventListener("click", () => this.#stop());
    byId("copy-key").addEventListener("click", copyKey);
    byId("cancel-upload").addEventListener("click", () => this.#desk.cancel());
    this.#listenForMessages();
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") this.#keeper?.flush();
    });
  }

  #listenForMessages() {
    byId("correct").addEventListener("submit", (e) => {
      e.preventDefault();
      this.#correct();
    });
    byId("message").addEventListener("keydown", (e) => {
      if (e.key !== "Enter" || e.shiftKey || e.isComposing) return;
      e.preventDefault();
      this.#correct();
    });
    byId("message").addEventListener("input", () => this.#refresh());
  }

  /** await shows a photo that is on its way, until resume is called. */
  await(upload) {
    this.#open();
    this.#state.doing = "sending";
    this.#cover.picture(upload.file, upload.name);
    this.#refresh();
  }

  /** showUpload shows how far the photo is. */
  showUpload(upload) {
    this.session = upload.session;
    showSending(upload, this.#cover, this.#desk);
    if (upload.state === "started") announce("The photo has arrived.");
  }

  /** resume shows an upload as the server knows it. hasPicture states that its photo is shown already. */
  async resume(id, hasPicture = false) {
    if (!hasPicture) this.#open("Loading the status of this upload…");
    this.#keep(id);
    const { signal } = this.#leaving;
    try {
      const [record, draft] = await Promise.all([api.fetchFile(id, signal), api.fetchDraft(id, signal)]);
      if (!hasPicture) this.#showPhoto(draft, record.filename ?? "");
      this.#keeper.take(draft);
      this.#fitting.settle();
      await this.#recall(draft, signal);
      if (signal.aborted) return;
      this.#seen = record.updated_at;
      if (draft.run_id) {
        this.#state.absent = "";
        this.#cover.progress("Arrived", 1, "");
        await this.#follow(draft.run_id);
      } else {
        this.#stand(record, draft);
      }
    } catch (err) {
      if (!signal.aborted) this.#explainMissing(id, err);
    }
  }

  /** leave clears the desk. A run in flight continues on the server. */
  leave() {
    this.#leaving.abort();
    this.#keeper?.leave();
    this.#keeper = undefined;
    this.#cover.clear();
    this.session = "";
    setVisible(byId("review"), false);
    document.title = "The desk · Bookshelf";
  }

  /** catchUp shows what has happened elsewhere: in another tab, or while the page was out of sight or offline. */
  async catchUp() {
    const id = this.session;
    const isIdle = this.#keeper && (this.#state.doing === "" || this.#state.doing === "halted");
    if (!isIdle || this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    const { signal } = this.#leaving;
    try {
      const [record, draft] = await Promise.all([api.fetchFile(id, signal), api.fetchDraft(id, signal)]);
      const isIdleYet = !signal.aborted && (this.#state.doing === "" || this.#state.doing === "halted");
      if (!isIdleYet) return;
      if (!draft.run_id && record.updated_at !== this.#seen && !(this.#state.extracted && readStanding(record).state === "open")) {
        await this.resume(id); // its standing is another one
        return;
      }
      this.#seen = record.updated_at;
      await this.#recall(draft, signal);
      if (signal.aborted || this.#state.doing === "reading") return;
      this.#keeper.take(draft);
      if (!this.#fitting.isAsking) this.#fitting.settle();
      this.#refresh();
      if (draft.run_id) this.#follow(draft.run_id);
    } catch {
      // What is shown stays. The next sign of a change tries again.
    } finally {
      this.#isCatchingUp = false;
    }
  }

  #open(absent = "") {
    this.#leaving.abort();
    this.#leaving = new AbortController();
    this.#keeper?.leave();
    this.#keeper = undefined;
    this.session = "";
    this.#state = { doing: "", absent, extracted: false, run: "" };
    this.#told = [];
    this.#card.clear();
    this.#fitting.settle();
    this.#notes.clear();
    for (const slot of slots) clearSlot(byId(slot));
    byId("message").value = "";
    this.#cover.clear();
    markStep("photo");
    this.#title("");
    for (const id of ["saved", "stamp", "cancel-upload"]) setVisible(byId(id), false);
    setVisible(byId("notes-empty"), true);
    const wasHidden = byId("review").hidden;
    setVisible(byId("review"), true);
    this.#refresh();
    if (!wasHidden && document.activeElement?.closest("#tray")) return; // the person goes through the books
    byId("review-title").focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }

  // Keeps the edits of the upload with that id.
  #keep(id) {
    if (this.session === id && this.#keeper) return;
    this.session = id;
    const store = {
      load: () => api.fetchDraft(id),
      save: async (metadata, version) => {
        const draft = await api.saveDraft(id, metadata, version);
        this.#desk.changed(id);
        return draft;
      },
    };
    const card = {
      read: () => this.#card.read(),
      show: (draft) => {
        this.#card.show(draft);
        this.#title(this.#card.value("title"));
      },
    };
    this.#keeper = new Keeper(card, store, (state, reason) => {
      setText(byId("accept-hint"), describeKeeping(state, reason));
      if (state === "refused" || state === "closed") announce(describeKeeping(state, reason));
    });
    setText(byId("accept-hint"), describeKeeping(""));
  }

  // The link to the photo is valid for some minutes, so an image that is loaded again may need another one.
  #showPhoto(draft, name) {
    const { signal } = this.#leaving;
    const renew = async () => (await api.fetchDraft(this.session, signal)).photo_url;
    if (draft.photo_url) this.#cover.link(draft.photo_url, name, renew);
    else this.#cover.blank(name);
  }

  async #recall(draft, signal) {
    try {
      const past = await recall(draft, (run) => api.fetchEvents(run, signal), this.#told);
      if (signal.aborted) return;
      tellPast(this.#notes, past);
      this.#told.push(...past.map(({ run }) => run));
      if (past.length > 0) setVisible(byId("notes-empty"), false);
    } catch (err) {
      if (!signal.aborted) this.#notes.aside(`The earlier notes could not be loaded. ${api.explainError(err)}`);
    }
  }

  #explainMissing(id, err) {
    const isUnknown = err.status === 404;
    Object.assign(this.#state, { absent: "This upload does not have a card.", doing: isUnknown ? "closed" : "halted" });
    if (isUnknown) this.#keeper.close();
    this.#refresh();
    showNotice(byId("notes-notice"), {
      kind: "error",
      title: isUnknown ? "This upload was not found" : "The status of this upload could not be loaded",
      detail: api.explainError(err),
      actions: isUnknown ? [this.#another(true)] : [{ label: "Try again", primary: true, run: () => this.resume(id) }],
    });
  }

  // Starts a run of the reader, with a correction if there is a message.
  async #ask(message, key) {
    const { signal } = this.#leaving;
    Object.assign(this.#state, { doing: "reading", run: "" });
    this.#isStopping = false;
    this.#refresh(); // locks the card
    if (!(await this.#keeper.flush()) && !signal.aborted) {
      this.#giveBack(message);
      showNotice(byId("notes-notice"), {
        kind: "error",
        title: "Your changes could not be saved",
        detail: "The reader starts when they are.",
        actions: [{ label: "Try again", primary: true, run: () => this.#ask(message, key) }],
      });
      return;
    }
    if (signal.aborted) return;
    setVisible(byId("notes-empty"), false);
    for (const slot of slots) clearSlot(byId(slot));
    this.#fitting.clear();
    const proposal = message ? this.#notes.said(message) : undefined; // until the run says it
    let run;
    try {
      run = await api.startRun(this.session, message, { key, signal });
    } catch (err) {
      if (signal.aborted) return;
      proposal?.remove();
      if (err.run) await this.#yield(err.run, message);
      else await this.#fail({ kind: "error", title: describeRefusal(err), detail: api.explainError(err), wait: err.retryAfter }, message);
      return;
    }
    proposal?.remove();
    if (signal.aborted) return;
    this.#desk.changed(this.session);
    await this.#follow(run, message);
  }

  // Another tab, or an earlier request, has started a run.
  async #yield(run, message) {
    await this.#follow(run);
    if (!message) return;
    this.#giveBack(message);
    showNotice(byId("notes-notice"), {
      title: "Your message was not sent",
      detail: "The reader was asked elsewhere at the same time. Your message is still in the box.",
    });
  }

  #giveBack(message) {
    this.#state.doing = "";
    if (message && byId("message").value === "") byId("message").value = message;
    this.#refresh();
  }

  // Follows a run to its end.
  async #follow(run, message) {
    const { signal } = this.#leaving;
    Object.assign(this.#state, { doing: "reading", run });
    markStep("reading");
    clearSlot(byId("notes-notice"));
    clearSlot(byId("accept-notice"));
    setVisible(byId("notes-empty"), false);
    this.#cover.now("The reader is working…");
    this.#fitting.clear();
    this.#refresh();
    let events = [];
    let failure;
    try {
      const desk = { notes: this.#notes, card: this.#card, cover: this.#cover, onTitle: (title) => this.#title(title) };
      events = await followReading(run, desk, signal);
      this.#told.push(run);
    } catch (err) {
      if (signal.aborted) return;
      failure = { kind: "error", title: describeRefusal(err), detail: api.explainError(err), again: () => this.#follow(run, message) };
    }
    await this.#synchronise(signal);
    if (signal.aborted) return;
    const end = events.at(-1);
    const found = this.#card.filled();
    if (end?.type === "complete" || (end?.code === "stopped" && found)) {
      Object.assign(this.#state, { extracted: true, absent: "" });
    }
    failure ??= end && describeEnd(end, found);
    const sum = formatUsage(sumUsage(events));
    if (sum) this.#notes.aside(sum);
    Object.assign(this.#state, { run: "", doing: failure && !this.#state.extracted ? "halted" : "" });
    if (this.#state.extracted) markStep("review");
    this.#refresh();
    this.#desk.changed(this.session);
    if (!this.#fitting.check()) this.#fitting.settle();
    if (failure) await this.#fail(failure, message);
    else announce("The reader has finished. Check the card, correct it, and accept it.");
  }

  // Shows the sources of the values, and edits the draft that the run has left.
  async #synchronise(signal) {
    try {
      const [record, draft] = await Promise.all([api.fetchFile(this.session, signal), api.fetchDraft(this.session, signal)]);
      this.#seen = record.updated_at;
      this.#keeper.take(draft);
    } catch {
      this.#keeper?.forget();
    }
  }

  // The record says whether the failure is permanent.
  async #fail(failure, message) {
    const { signal } = this.#leaving;
    const record = await api.fetchFile(this.session, signal).catch(() => undefined);
    if (signal.aborted) return;
    if (this.#state.doing === "reading") this.#state.doing = this.#state.extracted ? "" : "halted";
    this.#refresh();
    const label = failure.again ? "Connect again" : failure.kind === "info" ? "Ask the reader again" : "Try again";
    const again = { label, primary: true, run: failure.again ?? (() => this.#ask(message)) };
    const isClosed = record?.current_status === "FAILED" && record.retryable === false;
    if (isClosed) this.#close("reading");
    const box = showNotice(byId("notes-notice"), {
      ...failure,
      actions: isClosed ? [this.#another(true)] : [again, this.#another()],
      wait: isClosed ? 0 : failure.wait,
    });
    if (this.#isStopping) box.querySelector("button")?.focus({ preventScroll: true });
    // On a phone, the notes are below the card.
    box.scrollIntoView({ block: "nearest", behavior: prefersReducedMotion() ? "auto" : "smooth" });
  }

  #close(step) {
    this.#state.doing = "closed";
    this.#keeper.close();
    if (this.#state.absent || !this.#card.filled()) this.#state.absent = closedCard;
    markStep(step, true);
    this.#refresh();
  }

  async #stop() {
    const { signal } = this.#leaving;
    byId("stop").disabled = true; // until the events of the run end
    this.#isStopping = true;
    try {
      await api.stop(this.#state.run);
    } catch (err) {
      if (signal.aborted) return;
      byId("stop").disabled = false;
      showNotice(byId("notes-notice"), { kind: "error", title: "The reader was not stopped", detail: api.explainError(err) });
    }
  }

  #correct() {
    const box = byId("message");
    const message = box.value;
    if (byId("send").disabled) return;
    box.value = "";
    this.#ask(message);
  }

  async #accept() {
    const metadata = this.#card.metadata();
    if (!metadata) return;
    const { signal } = this.#leaving;
    this.#state.doing = "saving";
    this.#refresh();
    clearSlot(byId("accept-notice"));
    await this.#keeper.flush(); // the card is accepted as it is, also if this fails
    if (signal.aborted) return;
    try {
      const accepted = await api.accept(this.session, metadata);
      if (signal.aborted) return;
      this.#desk.changed(this.session);
      this.#accepted(accepted.saved_key);
    } catch (err) {
      if (signal.aborted) return;
      this.#state.doing = "";
      this.#refresh();
      showNotice(byId("accept-notice"), {
        kind: "error",
        title: "The card was not accepted",
        detail: api.explainError(err),
        wait: err.retryAfter,
        actions: err.retryAfter || err.status >= 500 || !err.status ? [{ label: "Try again", primary: true, run: () => this.#accept() }] : [],
      });
    }
  }

  #accepted(key, when = new Date()) {
    this.#state.doing = "accepted";
    this.#keeper.close();
    markStep("accepted");
    this.#refresh();
    clearSlot(byId("notes-notice"));
    this.#fitting.clear();
    showSaved(key, when, this.session, this.#state.absent === "");
    setText(byId("next-book"), this.#desk.next());
    announce(`Accepted. The card is saved at ${key}.`);
    byId("next-book").focus({ preventScroll: true });
  }

  /** refreshNext shows the label of the next book. */
  refreshNext() {
    if (this.#state?.doing === "accepted") setText(byId("next-book"), this.#desk.next());
  }

  #stand(record, { metadata, runs = [] }) {
    const { state, kind, step, title, detail, card, ask, key } = readStanding(record);
    const hasDraft = state !== "closed" && Object.keys(metadata).length > 0;
    this.#state.absent = hasDraft ? "" : card;
    const isUploaded = state !== "sending" && state !== "closed";
    this.#cover.progress(isUploaded ? "Arrived" : "\u00a0", isUploaded ? 1 : 0, "");
    setVisible(byId("notes-empty"), false);
    if (state === "accepted") {
      this.#accepted(key, new Date(record.updated_at));
    } else if (state === "closed") {
      this.#close(step);
    } else {
      this.#state.extracted = state === "open";
      this.#state.doing = state === "failed" ? "halted" : "";
      markStep(step);
      this.#refresh();
    }
    if (state === "unread" && runs.length === 0) {
      this.#ask("", firstKey(this.session)); // the page was closed before the reader was asked
      return;
    }
    if (hasDraft && state !== "failed") return;
    showNotice(byId("notes-notice"), {
      kind,
      title,
      detail: api.toSentence(detail),
      actions: state === "accepted" ? [] : ask ? [{ label: ask, primary: true, run: () => this.#ask() }, this.#another()] : [this.#another(true)],
    });
  }

  #refresh() {
    refreshControls(this.#state, this.#card);
  }

  #title(title) {
    setText(byId("review-title"), title ? String(title) : "On the desk");
    document.title = `${title || "On the desk"} · Bookshelf`;
  }

  #another(primary = false) {
    return { label: "Upload another book", primary, run: () => this.#desk.closed() };
  }
}

/** firstKey returns the idempotency key of the first run of an upload, so that it starts once. */
export const firstKey = (id) => `first-${id}`;
