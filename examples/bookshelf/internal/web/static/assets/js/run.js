// The stream of a run: it survives a broken connection, a silent one and a
// server that is replaced.

import { readEvents } from "./sse.js";

const silence = 30_000; // milliseconds without a byte after which a connection is dead; the server is never silent for 15 s
const firstDelay = 500; // milliseconds, doubled with each attempt
const longestDelay = 10_000;
const maxAttempts = 15; // without a new event in between

/** isLast reports whether an event ends its run. */
export const isLast = (event) => event.type === "complete" || event.type === "error";

/**
 * backOff returns a random delay before an attempt, in milliseconds. least is
 * the time that the server has asked for.
 */
export function backOff(attempt, least = 0, random = Math.random) {
  return least + random() * Math.min(longestDelay, firstDelay * 2 ** attempt);
}

/**
 * followRun yields the events of a run in order and none of them twice, up to
 * the last one. connect(lastID) returns a response with the events after that
 * id, or undefined if it should be asked again; it throws if that is useless.
 * waiting(true) is called when the connection is lost, and waiting(false) when
 * there is one again. An event {type: "reset"} states that all events follow
 * anew. The property at is the place of an event in its run. It returns without a last event if the server cannot be reached.
 */
export async function* followRun(connect, { signal, waiting = () => {}, delay = backOff, limit = silence } = {}) {
  let lastID = "";
  let least = 0;
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    if (attempt > 0) {
      waiting(true);
      await sleep(delay(attempt - 1, least), signal);
    }
    const response = await connect(lastID);
    if (!response) continue;
    waiting(false);
    const stream = readEvents(response.body, { silence: limit, onRetry: (ms) => (least = ms) });
    try {
      for await (const { data, id } of stream) {
        const event = JSON.parse(data);
        if (event.type === "reset") lastID = "";
        else if (id <= lastID) continue;
        else lastID = id;
        attempt = 0;
        yield { ...event, at: id };
        if (isLast(event)) return;
      }
    } catch (cause) {
      if (signal?.aborted || cause instanceof SyntaxError) throw cause;
    }
  }
}

/** sleep waits, and rejects when the signal is aborted. */
function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/**
 * retract returns the events without those that an event {type: "retract",
 * after} takes back: all whose place is greater than after.
 */
export function retract(events, after) {
  return events.filter((e) => e.at <= after);
}
