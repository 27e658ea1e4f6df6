// What lies on the desk: one book's photo, its card and the reader's notes,
// from the upload to the accepted card.

import * as api from "./api.js";
import { announce } from "./announce.js";
import { Card } from "./card.js";
import { Cover } from "./cover.js";
import { byId, prefersStill, show, text } from "./dom.js";
import { Notes } from "./notes.js";
import { clear, notice } from "./notice.js";
import { closedCard, standing } from "./standing.js";
import { obtain, put } from "./upload.js";
import { bytes, human, used } from "./words.js";

const steps = { photo: "Photo", reading: "Reading", review: "Your review", accepted: "Accepted" };
const { Problem } = api;

/** Review runs the section; only one book lies there at a time. */
export class Review {
  /** session is the id of the upload on the desk, "" while there is none. */
  session = "";

  #events;
  #card;
  #notes;
  #cover = new Cover();
  #file;
  #leaving = new AbortController(); // aborted when the book leaves the desk
  #doing = ""; // "reading", "halted" (nothing read, but it may be tried again), "saving"; "accepted" and "closed" are for good
  #extracted = false; // a run was parked, so that there is something to correct and to accept
  #absent = ""; // what the card says while its lines are out of sight, "" while all of them are in sight

  /** events: opened(id) once an upload has an id, closed() when the desk is free. */
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

  /** start puts a new photo on the desk, sends it and has it read. */
  async start(file) {
    this.#open();
    this.#file = file;
    this.#cover.picture(file);
    await this.#send();
  }

  /** resume shows where an upload stands that this page has not seen come. */
  async resume(id) {
    this.#open("Loading the status of this upload…");
    this.session = id;
    const { signal } = this.#leaving;
    try {
      const record = await api.file(id, signal);
      this.#cover.blank(record.filename ?? "");
      this.#stand(record);
    } catch (err) {
      if (signal.aborted) return;
      this.#absent = "There is no card to show.";
      this.#refresh();
      const unknown = err instanceof Problem && err.status === 404;
      notice(byId("notes-notice"), {
        kind: "error",
        title: unknown ? "There is no such upload" : "The status of this upload could not be loaded",
        detail: unknown ? "It does not exist, or it is not yours." : api.explain(err),
        actions: unknown ? [this.#another(true)] : [{ label: "Try again", primary: true, run: () => this.resume(id) }],
      });
    }
  }

  /** leave frees the desk. A run that is under way goes on at the server. */
  leave() {
    this.#leaving.abort();
    this.#cover.clear();
    this.session = "";
    show(byId("review"), false);
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
    for (const slot of ["upload-notice", "notes-notice", "accept-notice"]) clear(byId(slot));
    byId("message").value = "";
    this.#cover.clear();
    this.#step("photo");
    this.#title("");
    show(byId("saved"), false);
    show(byId("stamp"), false);
    show(byId("notes-empty"), true);
    show(byId("review"), true);
    this.#refresh();
    byId("review-title").focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }

  async #send() {
    const file = this.#file;
    const { signal } = this.#leaving;
    clear(byId("upload-notice"));
    this.#cover.progress("Preparing the upload…", undefined, bytes(file.size));
    try {
      const { grant, filename, refusal } = await obtain(file, signal);
      this.session = grant.session_id;
      this.#events.opened(this.session);
      if (refusal) this.#cover.filed(`Filed as ${filename}. ${refusal}`);
      this.#cover.progress("Sending the photo…", 0, "0 %");
      await put(
        grant,
        file,
        (done) => this.#cover.progress("Sending the photo…", done, `${Math.round(done * 100)} %`),
        signal,
      );
    } catch (err) {
      if (signal.aborted) return;
      this.#cover.progress("Not sent", 0, "");
      notice(byId("upload-notice"), {
        kind: "error",
        title: "The photo did not arrive",
        detail: api.explain(err),
        wait: err.retryAfter,
        actions: [{ label: "Send it again", primary: true, run: () => this.#send() }, this.#another()],
      });
      return;
    }
    this.#cover.progress("Arrived", 1, bytes(file.size));
    announce("The photo has arrived.");
    await this.#read();
  }

  // Has the reader look at the book, or follow a correction.
  async #read(message) {
    const { signal } = this.#leaving;
    this.#doing = "reading";
    this.#step("reading");
    clear(byId("notes-notice"));
    clear(byId("accept-notice"));
    show(byId("notes-empty"), false);
    this.#cover.now("The reader is at work…");
    this.#notes.begin();
    this.#refresh();
    const usage = {}; // the sum over the reader's answers
    let found = false;
    let failure;
    try {
      for await (const event of api.extract(this.session, message, signal)) {
        if (event.type === "usage") add(usage, event);
        else if (event.type === "error") failure = this.#halt(event, found);
        else this.#follow(event);
        found ||= event.type === "metadata_update";
      }
    } catch (err) {
      if (signal.aborted) return;
      failure = { title: refusedTitle(err), detail: api.explain(err), wait: err.retryAfter };
    }
    if (signal.aborted) return;
    this.#notes.finish();
    this.#cover.now("");
    const sum = used(usage);
    if (sum) this.#notes.aside(sum);
    this.#doing = failure && !this.#extracted ? "halted" : "";
    if (this.#extracted) this.#step("review");
    this.#refresh();
    if (!failure) {
      announce("The reader is done. Check the card, correct it, and accept it.");
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
        this.#cover.now(`${human(event.name)}…`);
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

  // A server that is shut down parks a run that has found something: as after
  // its end, the card can then be corrected and accepted.
  #halt({ code, message }, found) {
    const failure = { title: "The reader stopped early", detail: message };
    if (code !== "stopped" || !found) return failure;
    this.#extracted = true;
    if (!this.#absent) failure.detail += " What it found is on the card, which you can also accept as it is.";
    return failure;
  }

  // A failure for good leaves nothing to try again: the record knows.
  async #fail(failure, message, signal) {
    const record = await api.file(this.session, signal).catch(() => undefined);
    if (signal.aborted) return;
    const again = { label: "Try again", primary: true, run: () => this.#read(message) };
    const closed = record?.current_status === "FAILED" && record.retryable === false;
    if (closed) this.#close("reading");
    const box = notice(byId("notes-notice"), {
      kind: "error",
      ...failure,
      actions: closed ? [this.#another(true)] : [again, this.#another()],
      wait: closed ? 0 : failure.wait,
    });
    // On a phone the notes lie below the card.
    box.scrollIntoView({ block: "nearest", behavior: prefersStill() ? "auto" : "smooth" });
  }

  #close(step) {
    this.#doing = "closed";
    if (this.#absent || !this.#card.filled()) this.#absent = closedCard;
    this.#step(step, true);
    this.#refresh();
  }

  #correct() {
    const box = byId("message");
    const message = box.value;
    if (byId("send").disabled) return;
    box.value = "";
    show(byId("notes-empty"), false);
    this.#notes.said(message);
    this.#read(message);
  }

  async #accept() {
    const metadata = this.#card.metadata();
    if (!metadata) return;
    const { signal } = this.#leaving;
    this.#doing = "saving";
    this.#refresh();
    clear(byId("accept-notice"));
    try {
      const accepted = await api.accept(this.session, metadata);
      if (signal.aborted) return;
      this.#accepted(accepted.saved_key);
    } catch (err) {
      if (signal.aborted) return;
      this.#doing = "";
      this.#refresh();
      notice(byId("accept-notice"), {
        kind: "error",
        title: "The card was not accepted",
        detail: api.explain(err),
        wait: err.retryAfter,
        actions: err.retryAfter || err.status >= 500 || !err.status ? [{ label: "Try again", primary: true, run: () => this.#accept() }] : [],
      });
    }
  }

  #accepted(key, when = new Date()) {
    this.#doing = "accepted";
    this.#step("accepted");
    this.#refresh();
    clear(byId("notes-notice"));
    show(byId("saved"), true);
    text(byId("saved-key"), key ?? "");
    text(byId("copy-key"), "Copy");
    byId("ops-link").href = `/ops#${this.session}`;
    const date = byId("stamp-date");
    text(date, when.toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" }));
    date.dateTime = when.toISOString();
    show(byId("stamp"), this.#absent === ""); // a stamp wants something to stand on
    announce(`Accepted. The card is kept at ${key}.`);
    byId("next-book").focus({ preventScroll: true });
  }

  #stand(record) {
    const { state, step, title, detail, card, ask, key } = standing(record);
    this.#absent = card;
    const uploaded = state !== "sending" && state !== "closed";
    this.#cover.progress(uploaded ? "Arrived" : "\u00a0", uploaded ? 1 : 0, "");
    show(byId("notes-empty"), false);
    if (state === "accepted") {
      this.#accepted(key, new Date(record.updated_at));
    } else if (state === "closed") {
      this.#close(step);
    } else {
      this.#extracted = state === "open";
      this.#step(step);
      this.#refresh();
    }
    notice(byId("notes-notice"), {
      kind: state === "failed" || state === "closed" ? "error" : "info",
      title,
      detail: api.sentence(detail),
      actions: state === "accepted" ? [] : ask ? [{ label: ask, primary: true, run: () => this.#read() }, this.#another()] : [this.#another(true)],
    });
  }

  // Which controls can be used follows from where the book stands.
  #refresh() {
    const free = this.#doing === "" && this.#extracted;
    const over = this.#doing === "accepted" || this.#doing === "closed";
    const inSight = this.#absent === "" || this.#doing === "reading";
    const open = free && inSight;
    this.#card.lock(!open);
    byId("card").classList.toggle("open", open);
    show(byId("fields"), inSight);
    show(byId("card-absent"), !inSight);
    text(byId("card-absent"), this.#absent);
    text(byId("card-hint"), this.#hint(open, inSight));
    show(byId("accept-row"), inSight && !over);
    byId("accept").disabled = !open || !this.#card.filled();
    text(byId("accept"), this.#doing === "saving" ? "Keeping the card…" : "Accept the card");
    byId("message").disabled = !free;
    byId("send").disabled = !free || byId("message").value.trim() === "";
    show(byId("correct"), !over);
    show(byId("pulse"), this.#doing === "reading");
  }

  #hint(open, inSight) {
    if (this.#doing === "accepted") return "Kept.";
    if (this.#doing === "closed") return inSight ? "It cannot be accepted." : "Closed.";
    if (!inSight || this.#doing === "saving") return "";
    if (this.#doing === "halted") return "Waiting for another try.";
    return open ? "You can correct every line." : "It fills in as the reader goes.";
  }

  // Marks how far the book has got; one that is closed gets no further.
  #step(current, closed = false) {
    const names = Object.keys(steps);
    const at = names.indexOf(current);
    for (const li of document.querySelectorAll(".steps li")) {
      const i = names.indexOf(li.dataset.step);
      text(li, i === at && closed ? "Closed" : steps[li.dataset.step]);
      li.classList.toggle("closed", i === at && closed);
      li.classList.toggle("past", i < at || current === "accepted");
      if (i === at) li.setAttribute("aria-current", "step");
      else li.removeAttribute("aria-current");
    }
  }

  #title(title) {
    text(byId("review-title"), title ? String(title) : "On the desk");
    document.title = `${title || "On the desk"} · Bookshelf`;
  }

  #another(primary = false) {
    return { label: "Bring another book", primary, run: () => this.leave() };
  }

  async #copyKey() {
    try {
      await navigator.clipboard.writeText(byId("saved-key").textContent);
      text(byId("copy-key"), "Copied");
    } catch {
      // No permission: mark the key, so that it can be copied by hand.
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
