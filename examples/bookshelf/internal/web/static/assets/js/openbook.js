// The book that is open on the desk: what is shown of it, and the person's edits.

import * as api from "./api.js";
import { announce } from "./announce.js";
import { Card } from "./card.js";
import { refreshControls } from "./controls.js";
import { Cover } from "./cover.js";
import { byId, setText, setVisible } from "./dom.js";
import { Fitting } from "./fitting.js";
import { describeKeeping, Keeper } from "./keeper.js";
import { Notes } from "./notes.js";
import { clearSlot, showNotice } from "./notice.js";
import { closedCard } from "./bookstatus.js";
import { markStep } from "./steps.js";

const parts = ["steps", "bench"]; // that a book has and an unknown upload does not
const slots = ["review-notice", "upload-notice", "notes-notice", "accept-notice", "fits-notice"];

/** OpenBook holds the parts of the page that show a book. It has at most one at a time. */
export class OpenBook {
  /** session is the id of the upload, or "". */
  session = "";
  /** signal is aborted when the book leaves the desk. */
  signal;
  /** state is for refreshControls. */
  state;
  /** keeper keeps the edits, once the upload has an id. */
  keeper;
  /** shownRuns has the ids of the runs in the notes. */
  shownRuns = [];
  /** seen is when the record that is shown was changed. */
  seen = "";

  cover = new Cover();
  notes = new Notes(byId("entries"), byId("transcript"));
  card;
  fitting;

  #leaving = new AbortController();
  #edited;

  /**
   * @param ask asks the reader: ask(message).
   * @param edited is called with the id of the upload and its title when the server has an edit of its draft.
   */
  constructor({ ask, edited }) {
    this.#edited = edited;
    this.card = new Card(byId("fields"), {
      onEdit: (name, value) => {
        if (name === "title") this.title(value);
        this.refresh();
        this.keeper?.touch();
      },
      onTitle: () => this.fitting.check(),
    });
    this.fitting = new Fitting(this.card, ask);
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") this.keeper?.flush();
    });
  }

  /** open shows a book of which nothing is known yet. absent is the text in place of its fields. */
  open(absent = "") {
    this.#end();
    this.#leaving = new AbortController();
    this.signal = this.#leaving.signal;
    this.state = { status: "ready", absent, isEditable: false, run: "", isStopping: false };
    this.shownRuns = [];
    this.card.clear();
    this.fitting.settle();
    this.notes.clear();
    this.clearNotices();
    byId("message").value = "";
    this.cover.clear();
    markStep("photo");
    this.title("");
    for (const id of ["saved", "stamp", "cancel-upload"]) setVisible(byId(id), false);
    setVisible(byId("notes-empty"), true);
    for (const id of ["review", ...parts]) setVisible(byId(id), true);
    this.refresh();
    if (document.activeElement?.closest("#tray")) return; // the person goes through the books
    byId("review-title").focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }

  /** leave clears the desk. A run in flight continues on the server. */
  leave() {
    this.#end();
    this.cover.clear();
    setVisible(byId("review"), false);
    document.title = "The desk · Bookshelf";
  }

  #end() {
    this.#leaving.abort();
    this.keeper?.leave();
    this.keeper = undefined;
    this.session = "";
  }

  /** keep keeps the edits of the upload with that id. */
  keep(id) {
    if (this.session === id && this.keeper) return;
    this.session = id;
    const store = {
      load: () => api.fetchDraft(id),
      save: async (card, version) => {
        const draft = await api.saveDraft(id, card, version);
        this.#edited(id, draft.metadata.title);
        return draft;
      },
    };
    const card = {
      read: () => this.card.read(),
      show: (draft) => {
        this.card.show(draft);
        this.title(this.card.value("title"));
      },
      refuse: (name, complaint) => this.card.refuse(name, complaint),
    };
    this.keeper = new Keeper(card, store, (state, reason) => {
      setText(byId("accept-hint"), describeKeeping(state, reason));
      if (state === "refused" || state === "closed") announce(describeKeeping(state, reason));
    });
    setText(byId("accept-hint"), describeKeeping(""));
  }

  /** set changes the state. */
  set(changes) {
    Object.assign(this.state, changes);
    this.refresh();
  }

  /** close shows that the card cannot be accepted any more. */
  close(step) {
    this.keeper.close();
    markStep(step, true);
    this.set({ status: "closed", absent: this.state.absent || !this.card.filled() ? closedCard : "" });
  }

  /** explain shows a notice in the place of a book of which nothing is known. */
  explain(notice) {
    for (const id of parts) setVisible(byId(id), false);
    showNotice(byId("review-notice"), notice);
  }

  /** isIdle reports whether nothing is going on that this page has begun or follows. */
  get isIdle() {
    return this.keeper !== undefined && (this.state.status === "ready" || this.state.status === "failed");
  }

  clearNotices() {
    for (const slot of slots) clearSlot(byId(slot));
  }

  /** refresh shows and enables the controls. */
  refresh() {
    refreshControls(this.state, this.card);
  }

  /** title shows the title of the book. */
  title(title) {
    setText(byId("review-title"), title ? String(title) : "On the desk");
    document.title = `${title || "On the desk"} · Bookshelf`;
  }
}
