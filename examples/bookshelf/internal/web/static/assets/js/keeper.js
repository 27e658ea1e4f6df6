// The person's edits of a card, which the server keeps as a draft while they
// type.

const pause = 800; // milliseconds after an edit until the card is saved
const firstRetry = 2000; // milliseconds, doubled with each failure
const longestRetry = 30_000;
const maxConflicts = 5; // in a row
const maxFailures = 5; // in a row, once the card has been left

/** Keeper saves one card: one request at a time, and the newest edits last. */
export class Keeper {
  #card;
  #store;
  #report;
  #pause;
  #version = "";
  #isDirty = false; // edited since the request in flight began
  #isInvalid = false; // the text of a field is not valid yet
  #isClosed = false;
  #hasLeft = false; // the card shows another book
  #failures = 0; // in a row
  #timer = 0;
  #saving; // the promise of the requests in flight

  /**
   * @param card has read(), which returns {metadata, texts, commit()}, show(draft), which keeps the fields that were
   *   edited after the last commit, and refuse(field, reason), which returns whether the field is then among the texts.
   * @param store has load() and save({metadata, texts}, version). Both return a draft {metadata, texts, sources,
   *   version}. The error of a request with an old version has the present draft, and that of one with an invalid value
   *   the name of its field.
   * @param report is called with "pending", "saving", "saved", "invalid" (saved, and a text is not valid yet),
   *   "waiting" (for another try), "refused" with the server's reason, or "closed".
   */
  constructor(card, store, report, { delay = pause } = {}) {
    this.#card = card;
    this.#store = store;
    this.#report = report;
    this.#pause = delay;
  }

  /** unsaved reports whether an edit is not on the server. */
  get unsaved() {
    return !this.#isClosed && (this.#isDirty || this.#saving !== undefined);
  }

  /** showDraft shows a draft of the server, from which further edits are made. */
  showDraft(draft) {
    this.#version = draft.version;
    this.#card.show(draft);
  }

  /** forget states that the draft of the server has changed. It is loaded before the next save. */
  forget() {
    this.#version = "";
  }

  /** touch saves the card after a pause. */
  touch() {
    if (this.#isClosed) return;
    this.#isDirty = true;
    this.#report("pending");
    this.#schedule(this.#pause);
  }

  /** flush saves the card now. It returns whether all edits are on the server. */
  async flush() {
    clearTimeout(this.#timer);
    return this.#isClosed || (!this.#isDirty && !this.#saving) || this.#run();
  }

  /** leave saves the card as it is now, and shows nothing from then on. */
  leave() {
    const { metadata, texts } = this.#card.read();
    this.#card = { read: () => ({ metadata, texts, commit() {} }), show() {}, refuse: () => false };
    this.#report = () => {};
    this.#hasLeft = true;
    this.flush();
  }

  /** close ends the saving. Edits that are not saved are given up. */
  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #schedule(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#run(), ms);
  }

  #run() {
    this.#saving ??= this.#saveAll().finally(() => {
      this.#saving = undefined;
    });
    return this.#saving;
  }

  // Repeats itself until no edit is left.
  async #saveAll() {
    let refused = "";
    for (let conflicts = 0; this.#isDirty && !this.#isClosed; ) {
      try {
        if (this.#version === "") this.showDraft(await this.#store.load());
        this.#report("saving");
        this.#isDirty = false;
        const { metadata, texts, commit } = this.#card.read();
        this.#isInvalid = Object.keys(texts).length > 0;
        const draft = await this.#store.save({ metadata, texts }, this.#version);
        commit();
        this.showDraft(draft);
        this.#failures = 0;
        conflicts = 0;
      } catch (err) {
        this.#isDirty = true;
        if (err.draft && !this.#hasLeft && ++conflicts < maxConflicts) this.showDraft(err.draft);
        else if (err.field && err.field !== refused && this.#card.refuse(err.field, err.message)) refused = err.field;
        else return this.#giveUp(err);
      }
    }
    if (!this.#isClosed) this.#report(this.#isInvalid ? "invalid" : "saved");
    return !this.#isClosed;
  }

  #giveUp(err) {
    if (this.#isClosed) return false;
    clearTimeout(this.#timer);
    if (err.status === 400) {
      this.#report("refused", err.message);
    } else if (this.#hasLeft && (err.draft || this.#failures >= maxFailures)) {
      this.close(); // a card that nobody sees does not replace newer values
    } else if (err.status === 404 || (err.status === 409 && !err.draft)) {
      this.close();
      this.#report("closed", err.message);
    } else {
      this.#report("waiting");
      this.#schedule(Math.min(longestRetry, firstRetry * 2 ** this.#failures++));
    }
    return false;
  }
}

/** describeKeeping returns the words for a state of a Keeper. */
export function describeKeeping(state, reason = "") {
  switch (state) {
    case "pending":
    case "saving":
      return "Saving your changes…";
    case "saved":
      return "Your changes are saved.";
    case "invalid":
      return "Your changes are saved. Some are not valid yet, and must be before you accept.";
    case "waiting":
      return "Your changes are not saved yet. Trying again…";
    case "refused":
      return `Your changes are not saved. ${reason}`;
    case "closed":
      return "Your last changes were not saved: this card was closed elsewhere.";
  }
  return "You can correct every field before you accept.";
}
