// A reader of server-sent events in the body of a fetch. The desk sends a POST
// request, which EventSource does not support.
//
// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html,
// "Parsing an event stream" and "Interpreting an event stream".

/**
 * Parser parses chunks of bytes into events. It keeps an incomplete event until
 * the next call of push. As specified, an event that is incomplete when the
 * stream ends is dropped.
 */
export class Parser {
  #decoder = new TextDecoder("utf-8"); // drops one BOM at the start, and keeps split characters
  #buffer = "";
  #afterCR = false; // the last line ended in CR, so a LF that follows belongs to it
  #data = [];
  #type = "";
  #id = "";
  #retry;

  /**
   * push returns the events that these bytes complete, in order.
   * @param {Uint8Array} bytes
   * @returns {{type: string, data: string, id: string}[]}
   */
  push(bytes) {
    const text = this.#decoder.decode(bytes, { stream: true });
    const events = [];
    let start = 0;
    if (this.#afterCR && text !== "") {
      if (text[0] === "\n") start = 1;
      this.#afterCR = false;
    }
    for (let i = start; i < text.length; i++) {
      const c = text[i];
      if (c !== "\n" && c !== "\r") continue;
      const event = this.#line(this.#buffer + text.slice(start, i));
      if (event) events.push(event);
      this.#buffer = "";
      if (c === "\r") {
        if (i + 1 === text.length) this.#afterCR = true;
        else if (text[i + 1] === "\n") i++;
      }
      start = i + 1;
    }
    this.#buffer += text.slice(start);
    return events;
  }

  /** retry is the reconnection time of the stream in milliseconds, or undefined. */
  get retry() {
    return this.#retry;
  }

  #line(line) {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return undefined; // a comment
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value[0] === " ") value = value.slice(1);
    switch (field) {
      case "data":
        this.#data.push(value);
        break;
      case "event":
        this.#type = value;
        break;
      case "id":
        if (!value.includes("\0")) this.#id = value;
        break;
      case "retry":
        if (/^[0-9]+$/.test(value)) this.#retry = Number(value);
        break;
    }
    return undefined;
  }

  #dispatch() {
    const data = this.#data;
    const type = this.#type || "message";
    this.#data = [];
    this.#type = "";
    // A block without a data line is not an event. It can set the id.
    return data.length === 0 ? undefined : { type, data: data.join("\n"), id: this.#id };
  }
}

/**
 * readEvents yields the events of a body until it ends. Leaving the loop cancels
 * the body, and so does the signal, which ends the events. It rejects if the body
 * fails, or if it does not send a byte for silence milliseconds. onRetry is called
 * with the reconnection time of the stream.
 * @param {ReadableStream<Uint8Array>} body
 */
export async function* readEvents(body, { silence = Infinity, signal, onRetry = () => {} } = {}) {
  const parser = new Parser();
  const reader = body.getReader();
  const cancel = () => reader.cancel().catch(() => {});
  signal?.addEventListener("abort", cancel);
  try {
    for (;;) {
      const { done, value } = await within(silence, reader.read());
      if (done) return;
      const events = parser.push(value);
      if (parser.retry !== undefined) onRetry(parser.retry);
      yield* events;
    }
  } finally {
    signal?.removeEventListener("abort", cancel);
    cancel(); // not awaited, since the result does not matter
  }
}

/** within rejects if the promise is not settled after ms milliseconds. */
async function within(ms, promise) {
  if (ms === Infinity) return promise;
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("The stream is silent.")), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
