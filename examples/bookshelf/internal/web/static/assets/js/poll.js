// Polling with a back-off, while the page is visible.

/**
 * Poller calls a function again and again: soon after a change, and more and more
 * slowly if nothing changes. After errors it waits longer. It stops while the page
 * is hidden.
 */
export class Poller {
  #ask;
  #soon;
  #slow;
  #slowest;
  #schedule;
  #cancel;
  #timer;
  #pause;
  #stopped = true;

  /**
   * @param {() => Promise<boolean>} ask returns whether something has changed
   * @param {object} [options] soon, slow and slowest are pauses in milliseconds: after a change, at most without one,
   *   and at most after errors. schedule and cancel are setTimeout and clearTimeout.
   */
  constructor(
    ask,
    { soon = 4_000, slow = 20_000, slowest = 60_000, schedule = setTimeout, cancel = clearTimeout } = {},
  ) {
    this.#ask = ask;
    this.#soon = this.#pause = soon;
    this.#slow = slow;
    this.#slowest = slowest;
    this.#schedule = (f, ms) => schedule(f, ms); // not as a method
    this.#cancel = (timer) => cancel(timer);
  }

  /** now asks at once and continues with short pauses. */
  async now() {
    this.stop();
    this.#stopped = false;
    this.#pause = this.#soon;
    await this.#run();
  }

  /** hurry makes the next pause a short one, since something is about to change. */
  hurry(ms = 1_000) {
    if (this.#stopped) return;
    this.#pause = this.#soon;
    this.#cancel(this.#timer);
    this.#timer = this.#schedule(() => this.#run(), ms);
  }

  /** stop ends the polling until now is called. */
  stop() {
    this.#stopped = true;
    this.#cancel(this.#timer);
  }

  async #run() {
    try {
      const changed = await this.#ask();
      this.#pause = changed ? this.#soon : Math.min(this.#slow, this.#pause * 1.5);
    } catch (err) {
      this.#pause = Math.min(this.#slowest, Math.max(this.#pause * 2, (err.retryAfter ?? 0) * 1000));
    }
    if (this.#stopped) return;
    this.#cancel(this.#timer);
    this.#timer = this.#schedule(() => this.#run(), this.#pause);
  }
}
