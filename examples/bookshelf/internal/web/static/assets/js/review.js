// The book on the desk: its photo, its card and the reader's notes, from the
// upload to the accepted card.

import * as api from "./api.js";
import { announce } from "./announce.js";
import { Card } from "./card.js";
import { Cover } from "./cover.js";
import { byId, prefersReducedMotion, setVisible, setText } from "./dom.js";
import { describeKeeping, Keeper } from "./keeper.js";
import { Notes } from "./notes.js";
import { clearSlot, showNotice } from "./notice.js";
import { describeCard, describeEnd, describeRefusal, sumUsage } from "./outcome.js";
import { retract } from "./run.js";
import { copyKey, showSaved } from "./saved.js";
import { closedCard, readStanding } from "./standing.js";
import { markStep } from "./steps.js";
import { requestGrant, putFile } from "./upload.js";
import { formatBytes, humanizeName, formatUsage } from "./words.js";

const { Problem } = api;

/** Review controls the section. It has at most one book at a time. */
export class Review {
  /** session is the id of the upload on the desk, or "". */
  session = "";

  #events;
  #card;
  #keeper; // of the edits of this book, once the upload has an id
  #notes;
  #cover = new Cover();
  #file;
  #leaving = new AbortController(); // aborted when the book leaves the desk
  #doing = ""; // "", "reading", "halted" (failed, but may be retried) or "saving"; finally "accepted" or "closed"
  #run = ""; // the id of the run in flight
  #extracted = false; // a run was parked, so the card can be corrected and accepted
  #isStopping = false; // by the button, which then is hidden
  #absent = ""; // the text in place of the fields while they are hidden, or ""

  /** events has two functions: opened(id) is called when an upload has an id, closed() when the desk is free. */
  constructor(events) {
    this.#events = events;
    this.#card = new Card(byId("fields"), (name, value) => {
      if (name === "title") this.#title(value);
      this.#refresh();
      this.#keeper?.touch();
    });
    this.#notes = new Notes(byId("entries"), byId("transcript"));
    byId("again").addEventListener("click", () => this.leave());
    byId("next-book").addEventListener("click", () => this.leave());
    byId("accept").addEventListener("click", () => this.#accept());
    byId("stop").addEventListener("click", () => this.#stop());
    byId("copy-key").addEventListener("click", copyKey);
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
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") this.#keeper?.flush();
    });
    addEventListener("beforeunload", (e) => {
      if (this.#keeper?.unsaved) e.preventDefault();
    });
  }

  /** start shows a new photo, uploads it and starts the reader. */
  async start(file) {
    this.#open();
    this.#file = file;
    this.#cover.picture(file);
    await this.#send();
  }

  /** resume shows the status of an upload from before the page was loaded. */
  async resume(id) {
    this.#open("Loading the status of this upload…");
    this.#keep(id);
    const { signal } = this.#leaving;
    try {
      const record = await api.fetchFile(id, signal);
      const draft = await api.fetchDraft(id, signal);
      if (draft.photo_url) this.#cover.link(draft.photo_url, record.filename ?? "");
      else this.#cover.blank(record.filename ?? "");
      this.#keeper.take(draft);
      if (draft.run_id) {
        this.#absent = "";
        this.#cover.progress("Arrived", 1, "");
        await this.#read(undefined, draft.run_id);
      } else {
        this.#stand(record, draft);
      }
    } catch (err) {
      if (signal.aborted) return;
      this.#absent = "This upload does not have a card.";
      this.#refresh();
      const unknown = err instanceof Problem && err.status === 404;
      showNotice(byId("notes-notice"), {
        kind: "error",
        title: unknown ? "This upload was not found" : "The status of this upload could not be loaded",
        detail: api.explainError(err),
        actions: unknown ? [this.#another(true)] : [{ label: "Try again", primary: true, run: () => this.resume(id) }],
      });
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
    this.#events.closed();
  }

  // Keeps the edits of the upload with that id.
  #keep(id) {
    this.session = id;
    const store = { load: () => api.fetchDraft(id), save: (metadata, version) => api.saveDraft(id, metadata, version) };
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

  #open(absent = "") {
    this.#leaving.abort();
    this.#leaving = new AbortController();
    this.#keeper?.leave();
    this.#keeper = undefined;
    this.session = "";
    this.#file = undefined;
    this.#doing = "";
    this.#extracted = false;
    this.#absent = absent;
    this.#card.clear();
    this.#notes.clear();
    for (const slot of ["upload-notice", "notes-notice", "accept-notice"]) clearSlot(byId(slot));
    byId("message").value = "";
    this.#cover.clear();
    markStep("photo");
    this.#title("");
    setVisible(byId("saved"), false);
    setVisible(byId("stamp"), false);
    setVisible(byId("notes-empty"), true);
    setVisible(byId("review"), true);
    this.#refresh();
    byId("review-title").focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }

  async #send() {
    const file = this.#file;
    const { signal } = this.#leaving;
    clearSlot(byId("upload-notice"));
    this.#cover.progress("Preparing the upload…", undefined, formatBytes(file.size));
    try {
      const { grant, filename, refusal } = await requestGrant(file, signal);
      this.#keep(grant.session_id);
      this.#events.opened(this.session);
      if (refusal) this.#cover.filed(`Saved as ${filename}. ${refusal}`);
      this.#cover.progress("Sending the photo…", 0, "0 %");
      await putFile(
        grant,
        file,
        (done) => this.#cover.progress("Sending the photo…", done, `${Math.round(done * 100)} %`),
        signal,
      );
    } catch (err) {
      if (signal.aborted) return;
      this.#cover.progress("Not sent", 0, "");
      showNotice(byId("upload-notice"), {
        kind: "error",
        title: "The photo did not arrive",
        detail: api.explainError(err),
        wait: err.retryAfter,
        actions: [{ label: "Send it again", primary: true, run: () => this.#send() }, this.#another()],
      });
      return;
    }
    this.#cover.progress("Arrived", 1, formatBytes(file.size));
    announce("The photo has arrived.");
    await this.#read();
  }

  // Starts a run of the reader, with a correction if there is a message, or
  // follows the run with that id.
  async #read(message, runID = "") {
    const { signal } = this.#leaving;
    this.#doing = "reading";
    this.#isStopping = false;
    this.#run = runID;
    this.#refresh(); // locks the card
    if (!(await this.#keeper.flush()) && !signal.aborted) {
      this.#doing = "";
      this.#refresh();
      this.#notes.finish();
      showNotice(byId("notes-notice"), {
        kind: "error",
        title: "Your changes could not be saved",
        detail: "The reader starts when they are.",
        actions: [{ label: "Try again", primary: true, run: () => this.#read(message, runID) }],
      });
      return;
    }
    if (signal.aborted) return;
    markStep("reading");
    clearSlot(byId("notes-notice"));
    clearSlot(byId("accept-notice"));
    setVisible(byId("notes-empty"), false);
    this.#cover.now("The reader is working…");
    this.#notes.begin();
    this.#refresh();
    const before = this.#card.save();
    let events = []; // of this run, without those that were taken back
    let failure;
    const options = {
      signal,
      started: (id) => {
        this.#run = id;
        this.#refresh();
      },
      waiting: (isLost) => setText(byId("pulse-words"), isLost ? "reconnecting" : "working"),
    };
    try {
      const stream = runID ? api.events(runID, options) : api.extract(this.session, message, options);
      for await (const event of stream) {
        if (event.type === "retract" || event.type === "reset") {
          events = event.type === "reset" ? [] : retract(events, event.after);
          this.#notes.rewind();
          this.#card.restore(before);
          for (const e of events) this.#follow(e);
          continue;
        }
        events.push(event);
        this.#follow(event);
      }
    } catch (err) {
      if (signal.aborted) return;
      failure = { kind: "error", title: describeRefusal(err), detail: api.explainError(err), wait: err.retryAfter };
    }
    await this.#synchronise(signal);
    if (signal.aborted) return;
    const end = events.at(-1);
    if (end?.type === "error") {
      const found = this.#card.filled();
      if (end.code === "stopped" && found) this.#extracted = true; // the card can be corrected and accepted
      failure = describeEnd(end, found);
    }
    this.#notes.finish();
    this.#cover.now("");
    const sum = formatUsage(sumUsage(events));
    if (sum) this.#notes.aside(sum);
    this.#run = "";
    setText(byId("pulse-words"), "working");
    this.#doing = failure && !this.#extracted ? "halted" : "";
    if (this.#extracted) markStep("review");
    this.#refresh();
    if (!failure) {
      announce("The reader has finished. Check the card, correct it, and accept it.");
      return;
    }
    await this.#fail(failure, message, signal);
  }

  #follow(event) {
    switch (event.type) {
      case "text_delta":
        this.#notes.write(event.delta);
        break;
      case "tool_call":
        this.#notes.call(event);
        this.#cover.now(`${humanizeName(event.name)}…`);
        break;
      case "tool_result":
        this.#notes.result(event);
        break;
      case "metadata_update": {
        const label = this.#card.set(event.field, event.value, event.source);
        if (label) {
          const words = `${label}: ${event.value ?? "none"}`;
          announce(words);
          this.#cover.now(words);
        }
        if (event.field === "title") this.#title(event.value);
        break;
      }
      case "complete":
        this.#extracted = true;
        this.#absent = "";
        this.#card.settle(event.metadata);
        this.#title(this.#card.value("title"));
        break;
    }
  }

  // Shows the sources of the values, and edits the draft that the run has left.
  async #synchronise(signal) {
    try {
      this.#keeper.take(await api.fetchDraft(this.session, signal));
    } catch {
      this.#keeper?.forget();
    }
  }

  // The record says whether the failure is permanent.
  async #fail(failure, message, signal) {
    const record = await api.fetchFile(this.session, signal).catch(() => undefined);
    if (signal.aborted) return;
    const label = failure.kind === "info" ? "Ask the reader again" : "Try again";
    const again = { label, primary: true, run: () => this.#read(message) };
    const closed = record?.current_status === "FAILED" && record.retryable === false;
    if (closed) this.#close("reading");
    const box = showNotice(byId("notes-notice"), {
      ...failure,
      actions: closed ? [this.#another(true)] : [again, this.#another()],
      wait: closed ? 0 : failure.wait,
    });
    if (this.#isStopping) box.querySelector("button")?.focus({ preventScroll: true });
    // On a phone, the notes are below the card.
    box.scrollIntoView({ block: "nearest", behavior: prefersReducedMotion() ? "auto" : "smooth" });
  }

  #close(step) {
    this.#doing = "closed";
    this.#keeper.close();
    if (this.#absent || !this.#card.filled()) this.#absent = closedCard;
    markStep(step, true);
    this.#refresh();
  }

  async #stop() {
    const { signal } = this.#leaving;
    byId("stop").disabled = true; // until the events of the run end
    this.#isStopping = true;
    try {
      await api.stop(this.#run);
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
    setVisible(byId("notes-empty"), false);
    this.#notes.said(message);
    this.#read(message);
  }

  async #accept() {
    const metadata = this.#card.metadata();
    if (!metadata) return;
    const { signal } = this.#leaving;
    this.#doing = "saving";
    this.#refresh();
    clearSlot(byId("accept-notice"));
    await this.#keeper.flush(); // the card is accepted as it is, also if this fails
    if (signal.aborted) return;
    try {
      const accepted = await api.accept(this.session, metadata);
      if (signal.aborted) return;
      this.#accepted(accepted.saved_key);
    } catch (err) {
      if (signal.aborted) return;
      this.#doing = "";
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
    this.#doing = "accepted";
    this.#keeper.close();
    markStep("accepted");
    this.#refresh();
    clearSlot(byId("notes-notice"));
    showSaved(key, when, this.session, this.#absent === "");
    announce(`Accepted. The card is saved at ${key}.`);
    byId("next-book").focus({ preventScroll: true });
  }

  #stand(record, { metadata, transcript }) {
    const { state, kind, step, title, detail, card, ask, key } = readStanding(record);
    const hasDraft = state !== "closed" && Object.keys(metadata).length > 0;
    this.#absent = hasDraft ? "" : card;
    this.#notes.transcribe(transcript);
    const uploaded = state !== "sending" && state !== "closed";
    this.#cover.progress(uploaded ? "Arrived" : "\u00a0", uploaded ? 1 : 0, "");
    setVisible(byId("notes-empty"), false);
    if (state === "accepted") {
      this.#accepted(key, new Date(record.updated_at));
    } else if (state === "closed") {
      this.#close(step);
    } else {
      this.#extracted = state === "open";
      markStep(step);
      this.#refresh();
    }
    if (hasDraft && state !== "failed") return;
    showNotice(byId("notes-notice"), {
      kind,
      title,
      detail: api.toSentence(detail),
      actions: state === "accepted" ? [] : ask ? [{ label: ask, primary: true, run: () => this.#read() }, this.#another()] : [this.#another(true)],
    });
  }

  // Shows and enables the controls for the current status.
  #refresh() {
    const free = this.#doing === "" && this.#extracted;
    const over = this.#doing === "accepted" || this.#doing === "closed";
    const inSight = this.#absent === "" || this.#doing === "reading";
    const open = free && inSight;
    this.#card.lock(!open);
    byId("card").classList.toggle("open", open);
    setVisible(byId("fields"), inSight);
    setVisible(byId("card-absent"), !inSight);
    setText(byId("card-absent"), this.#absent);
    setText(byId("card-hint"), describeCard(this.#doing, open, inSight));
    setVisible(byId("accept-row"), inSight && !over);
    byId("accept").disabled = !open || !this.#card.filled();
    setText(byId("accept"), this.#doing === "saving" ? "Saving the card…" : "Accept the card");
    byId("message").disabled = !free;
    byId("send").disabled = !free || byId("message").value.trim() === "";
    setVisible(byId("correct"), !over);
    setVisible(byId("pulse"), this.#doing === "reading");
    setVisible(byId("stop"), this.#doing === "reading" && this.#run !== "");
    if (this.#doing !== "reading") byId("stop").disabled = false;
  }

  #title(title) {
    setText(byId("review-title"), title ? String(title) : "On the desk");
    document.title = `${title || "On the desk"} · Bookshelf`;
  }

  #another(primary = false) {
    return { label: "Upload another book", primary, run: () => this.leave() };
  }
}
