// Messages that the server did not accept. It does not need a DOM.

/**
 * readRejection returns {message, run, canRetry} of a failure before a run has started. run is the id of the run that
 * is in flight in the chat, or "". canRetry reports whether the same message may be accepted later.
 */
export function readRejection(err) {
  const found = err.status === 409 ? /^\/api\/runs\/([^/]+)\/events$/.exec(err.location ?? "") : null;
  const canRetry = found !== null || err.status === 0 || err.status === 429 || err.status >= 500;
  return { message: err.message, run: found ? decodeURIComponent(found[1]) : "", canRetry };
}

/** Attempts keeps the idempotency keys of rejected messages, so that one is not answered twice. */
export class Attempts {
  #kept = new Map();

  /** key returns the key of a message of a chat: the one of its rejected attempt, or a new one. */
  key(chat, body, create) {
    const name = JSON.stringify([chat, body]);
    const key = this.#kept.get(name) ?? create();
    this.#kept.delete(name);
    return key;
  }

  /** keep keeps the key of a rejected attempt. It forgets the oldest of more than 20. */
  keep(chat, body, key) {
    this.#kept.set(JSON.stringify([chat, body]), key);
    if (this.#kept.size > 20) this.#kept.delete(this.#kept.keys().next().value);
  }
}
