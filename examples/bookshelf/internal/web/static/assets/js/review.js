// The book on the desk: its photo, its card and the reader's notes, from the
// upload to the accepted card.

import * as api from "./api.js";
import { announce } from "./announce.js";
import { Card } from "./card.js";
import { Cover } from "./cover.js";
import { byId, prefersReducedMotion, setVisible, setText } from "./dom.js";
import { Notes } from "./notes.js";
import { clearSlot, showNotice } from "./notice.js";
import { retract } from "./run.js";
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
  #notes;
  #cover = new Cover();
  #file;
  #leaving = new AbortController(); // aborted when the book leaves the desk
  #doing = ""; // "", "reading", "halted" (failed, but may be retried) or "saving"; finally "accepted" or "closed"
  #run = ""; // the id of the run in flight
  #extracted = false; // a run was parked, so the card can be corrected and accepted
  #absent = ""; // the text in place of the fields while they are hidden, or ""

  /** events has two functions: opened(id) is called when an upload has an id, closed() when the desk is free. */
  constructor(events) {
    this.#events = events;
    this.#card = new Card(byId("fields"), (name, value) => {
      if (name === "title") this.#title(value);
      this.#refresh();
    });
    this.#notes = new Notes(byId("entries"), byId("transcript"));
    byId("again").addEventListener("click", () => this.leave());
    byId("next-book").addEventListener("click", () => this.leave());
    byId("accept").addEventListener("click", () => this.#accept());
    byId("stop").addEventListener("click", () => this.#stop());
    byId("copy-key").addEventListener("click", () => this.#copyKey());
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
    this.session = id;
    const { signal } = this.#leaving;
    try {
      const record = await api.fetchFile(id, signal);
      const draft = await api.fetchDraft(id, signal);
      this.#cover.blank(record.filename ?? "");
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
        detail: unknown ? "It does not exist, or it is not yours." : api.explainError(err),
        actions: unknown ? [this.#another(true)] : [{ label: "Try again", primary: true, run: () => this.resume(id) }],
      });
    }
  }

  /** leave clears the desk. A run in flight continues on the server. */
  leave() {
    this.#leaving.abort();
    this.#cover.clear();
    this.session = "";
    setVisible(byId("review"), false);
    document.title = "The desk · Bookshelf";
    this.#events.closed();
  }

  #open(absent = "") {
    this.#leaving.abort();
    this.#leaving = new AbortController();
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
      this.session = grant.session_id;
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
    this.#run = runID;
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
      failure = { title: refusedTitle(err), detail: api.explainError(err), wait: err.retryAfter };
    }
    const usage = {}; // the sum over the reader's answers
    for (const e of events) if (e.type === "usage") add(usage, e);
    const end = events.at(-1);
    if (end?.type === "error") failure = this.#halt(end, events.some((e) => e.type === "metadata_update"));
    if (signal.aborted) return;
    this.#notes.finish();
    this.#cover.now("");
    const sum = formatUsage(usage);
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
        const label = this.#card.set(event.field, event.value);
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

  // A stopped run is parked if it has found something. The card can then be
  // corrected and accepted.
  #halt({ code, message }, found) {
    const failure = { title: code === "stopped" ? "The reader was stopped" : "The reader stopped early", detail: message };
    if (code !== "stopped" || !found) return failure;
    this.#extracted = true;
    if (!this.#absent) failure.detail += " The card has what it found. You can also accept it without changes.";
    return failure;
  }

  // The record says whether the failure is permanent.
  async #fail(failure, message, signal) {
    const record = await api.fetchFile(this.session, signal).catch(() => undefined);
    if (signal.aborted) return;
    const again = { label: "Try again", primary: true, run: () => this.#read(message) };
    const closed = record?.current_status === "FAILED" && record.retryable === false;
    if (closed) this.#close("reading");
    const box = showNotice(byId("notes-notice"), {
      kind: "error",
      ...failure,
      actions: closed ? [this.#another(true)] : [again, this.#another()],
      wait: closed ? 0 : failure.wait,
    });
    // On a phone, the notes are below the card.
    box.scrollIntoView({ block: "nearest", behavior: prefersReducedMotion() ? "auto" : "smooth" });
  }

  #close(step) {
    this.#doing = "closed";
    if (this.#absent || !this.#card.filled()) this.#absent = closedCard;
    markStep(step, true);
    this.#refresh();
  }

  async #stop() {
    const { signal } = this.#leaving;
    byId("stop").disabled = true; // until the events of the run end
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
    markStep("accepted");
    this.#refresh();
    clearSlot(byId("notes-notice"));
    setVisible(byId("saved"), true);
    setText(byId("saved-key"), key ?? "");
    setText(byId("copy-key"), "Copy");
    byId("ops-link").href = `/ops#${this.session}`;
    const date = byId("stamp-date");
    setText(date, when.toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" }));
    date.dateTime = when.toISOString();
    setVisible(byId("stamp"), this.#absent === ""); // without fields, there is no stamp
    announce(`Accepted. The card is saved at ${key}.`);
    byId("next-book").focus({ preventScroll: true });
  }

  #stand(record, { metadata, transcript }) {
    const { state, step, title, detail, card, ask, key } = readStanding(record);
    const hasDraft = state === "open" && Object.keys(metadata).length > 0;
    this.#absent = hasDraft ? "" : card;
    this.#notes.transcribe(transcript);
    if (hasDraft) {
      this.#card.settle(metadata);
      this.#title(this.#card.value("title"));
    }
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
    if (hasDraft) return;
    showNotice(byId("notes-notice"), {
      kind: state === "failed" || state === "closed" ? "error" : "info",
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
    setText(byId("card-hint"), this.#hint(open, inSight));
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

  #hint(open, inSight) {
    if (this.#doing === "accepted") return "Saved.";
    if (this.#doing === "closed") return inSight ? "It cannot be accepted." : "Closed.";
    if (!inSight || this.#doing === "saving") return "";
    if (this.#doing === "halted") return "Waiting for a retry.";
    return open ? "You can correct every field." : "The reader fills in the card.";
  }

  #title(title) {
    setText(byId("review-title"), title ? String(title) : "On the desk");
    document.title = `${title || "On the desk"} · Bookshelf`;
  }

  #another(primary = false) {
    return { label: "Upload another book", primary, run: () => this.leave() };
  }

  async #copyKey() {
    try {
      await navigator.clipboard.writeText(byId("saved-key").textContent);
      setText(byId("copy-key"), "Copied");
    } catch {
      // Without permission, select the key, so that a person can copy it.
      getSelection().selectAllChildren(byId("saved-key"));
    }
  }
}

function refusedTitle(err) {
  if (err.status === 409) return "Not possible right now";
  if (err.status === 429 || err.status === 503) return "The reader is busy";
  if (err.status === 0 || err.status === 200) return "The connection to the reader was lost";
  return "The reader could not start";
}

function add(sum, event) {
  for (const [name, n] of Object.entries(event)) {
    if (typeof n === "number" && n > 0) sum[name] = (sum[name] ?? 0) + n;
  }
}
