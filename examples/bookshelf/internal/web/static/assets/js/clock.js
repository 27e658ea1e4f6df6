// The clock of the server. That of a device may be wrong by hours.

const tolerance = 5000; // milliseconds: a date has whole seconds, and an answer takes its time

/** Clock estimates the time of the server from the dates of its answers. */
export class Clock {
  #ahead = 0; // milliseconds by which this device is ahead
  #device;

  constructor(device = Date.now) {
    this.#device = device;
  }

  /** note takes the header Date of an answer that does not come from a cache. */
  note(date) {
    const at = Date.parse(date ?? "");
    if (Number.isNaN(at)) return;
    const ahead = this.#device() - at;
    this.#ahead = Math.abs(ahead) > tolerance ? ahead : 0;
  }

  /** now returns the time of the server in milliseconds. */
  now() {
    return this.#device() - this.#ahead;
  }
}
