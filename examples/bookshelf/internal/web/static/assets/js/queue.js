// The uploads of this page: some at a time, each with its progress, and each can
// be cancelled and tried again. When a photo has arrived, the reader is started.

const atATime = 3;
const longestWait = 60_000; // milliseconds before the reader is asked again
const margin = 30_000; // milliseconds that a grant must still be valid

/** Upload is one photo on its way to the reader. */
export class Upload {
  /** key names the upload in this page. */
  key;
  file;
  /**
   * state is "waiting" (for others), "preparing", "sending", "starting" (it has
   * arrived, and the reader is asked), "started", "failed" or "cancelled".
   */
  state = "waiting";
  /** progress is a fraction from 0 to 1, or undefined if it is not known. */
  progress = undefined;
  /** photo is what is sent, once it is prepared. */
  photo;
  /** session is the id of the upload on the server, once it has one. */
  session = "";
  /** problem is why it has failed, or why the reader has not started yet. */
  problem;
  /** hasArrived reports whether the storage has the photo. */
  hasArrived = false;

  grant;
  isRepeated = false; // the photo was sent with this grant before
  leaving = new AbortController(); // aborted by a cancellation

  constructor(key, file) {
    this.key = key;
    this.file = file;
  }

  /** name is the name of the photo for a person. */
  get name() {
    return this.photo?.displayName ?? this.file.name;
  }

  /** isUnsent reports whether the photo is lost if the page is closed. */
  get isUnsent() {
    const canBeSent = this.photo !== undefined; // unlike a file that the page cannot read
    return (
      ["waiting", "preparing", "sending"].includes(this.state) ||
      (this.state === "failed" && canBeSent && !this.hasArrived)
    );
  }
}

/** Queue sends uploads. */
export class Queue {
  /** uploads are those of this page, oldest first, without the cancelled ones. */
  uploads = [];

  #work;
  #onChange;
  #sleep;
  #now;
  #busy = 0;
  #count = 0;

  /**
   * @param work has five functions, which get a signal as the last argument:
   *   prepare(file) returns the photo {blob, type, name, displayName, note};
   *   grant(photo) returns a grant {session_id, expires_at, …};
   *   put(grant, photo, progress) sends the photo;
   *   start(session) starts the reader;
   *   discard(session) gives a session up, without a signal, and does not throw.
   * @param onChange is called with an upload whenever it changes.
   */
  constructor(work, onChange, { sleep = wait, now = Date.now } = {}) {
    this.#work = work;
    this.#onChange = onChange;
    this.#sleep = sleep;
    this.#now = now;
  }

  /** isUnsent reports whether a photo is lost if the page is closed. */
  get isUnsent() {
    return this.uploads.some((u) => u.isUnsent);
  }

  /** find returns the upload with this key or session. */
  find(id) {
    return this.uploads.find((u) => u.key === id || u.session === id);
  }

  /** add puts a file at the end of the queue. */
  add(file) {
    const upload = new Upload(`upload-${++this.#count}`, file);
    this.uploads.push(upload);
    this.#enqueue(upload);
    return upload;
  }

  /** retry tries a failed upload again, at the step that failed. */
  retry(upload) {
    if (upload.state === "failed") this.#enqueue(upload);
  }

  /** retryLost tries the uploads again that have lost their connection. */
  retryLost() {
    for (const u of this.uploads) if (u.problem?.status === 0) this.retry(u);
  }

  /** cancel ends an upload and removes it. */
  cancel(upload) {
    upload.leaving.abort();
    this.uploads = this.uploads.filter((u) => u !== upload);
    if (upload.session && upload.state !== "started") this.#work.discard(upload.session);
    this.#change(upload, "cancelled");
  }

  #enqueue(upload) {
    this.#change(upload, "waiting");
    this.#fill();
  }

  #change(upload, state, values = {}) {
    Object.assign(upload, { state, progress: undefined, problem: undefined }, values);
    this.#onChange(upload);
  }

  // Begins uploads while there is a place.
  #fill() {
    for (const upload of this.uploads) {
      if (this.#busy >= atATime) return;
      if (upload.state !== "waiting") continue;
      this.#busy++;
      const { signal } = upload.leaving;
      this.#send(upload, signal).then((isSent) => {
        this.#busy--;
        this.#fill();
        if (isSent) this.#start(upload, signal);
      });
    }
  }

  // Returns whether the photo has arrived. It does not throw.
  async #send(upload, signal) {
    const work = this.#work;
    try {
      this.#change(upload, "preparing");
      upload.photo ??= await work.prepare(upload.file, signal);
      signal.throwIfAborted();
      if (!upload.hasArrived) {
        this.#change(upload, "sending");
        await this.#grant(upload, signal);
        await this.#put(upload, signal);
        upload.hasArrived = true;
      }
      return !signal.aborted;
    } catch (problem) {
      if (!signal.aborted) this.#change(upload, "failed", { problem });
      return false;
    }
  }

  // A grant is used again while it is valid, since the photo may have arrived although its answer was lost.
  async #grant(upload, signal) {
    if (upload.grant && Date.parse(upload.grant.expires_at) > this.#now() + margin) return;
    if (upload.session) this.#work.discard(upload.session); // a later grant takes its place
    upload.grant = await this.#work.grant(upload.photo, signal);
    if (signal.aborted) this.#work.discard(upload.grant.session_id);
    signal.throwIfAborted();
    upload.session = upload.grant.session_id;
    upload.isRepeated = false;
    this.#change(upload, "sending", { progress: 0 });
  }

  async #put(upload, signal) {
    const progress = (done) => {
      if (signal.aborted) return;
      upload.progress = done;
      this.#onChange(upload);
    };
    try {
      await this.#work.put(upload.grant, upload.photo, progress, signal);
    } catch (err) {
      if (err.status === 412 && upload.isRepeated) return; // it had arrived
      upload.isRepeated = true;
      if (err.status === 403) upload.grant = undefined;
      throw err;
    }
  }

  // Asks until the reader has a place for the run. The server says when to ask again.
  async #start(upload, signal) {
    this.#change(upload, "starting", { progress: 1 });
    for (;;) {
      try {
        await this.#work.start(upload.session, signal);
        if (!signal.aborted) this.#change(upload, "started", { progress: 1 });
        return;
      } catch (problem) {
        if (signal.aborted) return;
        if (![429, 503].includes(problem.status)) {
          this.#change(upload, "failed", { problem });
          return;
        }
        this.#change(upload, "starting", { progress: 1, problem });
        await this.#sleep(Math.min(longestWait, 1000 * Math.max(1, problem.retryAfter ?? 5)), signal);
        if (signal.aborted) return;
      }
    }
  }
}

/** wait resolves after a time, or when the signal is aborted. */
function wait(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
