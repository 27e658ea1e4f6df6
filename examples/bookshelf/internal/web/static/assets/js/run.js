// The stream of a run: it survives a broken connection, a silent one and a
// server that is replaced.

import { readEvents } from "./sse.js";

// Milliseconds without a byte after which a connection is dead; the server is never silent for 15 s.
const silence = 30_000;
const firstDelay = 500; // milliseconds, doubled with each attempt
const longestDelay = 10_000;
const maxAttempts = 15; // without a new event in between

/** runIn returns the id of the run in a Location of the server, or undefined. */
export const runIn = (location) => location?.match(/^\/api\/runs\/([^/]+)\/events$/)?.[1];

/** isLast reports whether an event ends its run. */
export const isLast = (event) => event.type === "complete" || event.type === "error" || event.type === "pending";

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
 * there is one again. onNudge(call) makes call the reaction to a sign that the
 * connection may be dead, or possible again, and returns a function that ends
 * that: the run is then joined anew at once. An event {type: "reset"} states that
 * all events follow anew. The property at is the place of an event in its run. It
 * returns without a last event if the server cannot be reached in so many attempts.
 */
export async function* followRun(connect, options = {}) {
  const {
    signal,
    waiting = () => {},
    delay = backOff,
    limit = silence,
    attempts = maxAttempts,
    onNudge = () => () => {},
  } = options;
  let lastID = "";
  let least = 0;
  let nudge = () => {};
  const stopNudges = onNudge(() => nudge());
  try {
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (attempt > 0) {
        waiting(true);
        await sleep(delay(attempt - 1, least), signal, (wake) => (nudge = wake));
      }
      const response = await connect(lastID);
      if (!response) continue;
      waiting(false);
      const leave = new AbortController();
      nudge = () => {
        attempt = -1; // the next one is at once
        leave.abort();
      };
      const stream = readEvents(response.body, { silence: limit, signal: leave.signal, onRetry: (ms) => (least = ms) });
      try {
        for await (const { data, id } of stream) {
          const event = JSON.parse(data);
          if (event.type === "reset") lastID = "";
          else if (id <= lastID) continue;
          else lastID = id;
          if (attempt > 0) attempt = 0;
          yield { ...event, at: id };
          if (isLast(event)) return;
        }
      } catch (cause) {
        if (signal?.aborted || cause instanceof SyntaxError) throw cause;
      }
    }
  } finally {
    stopNudges();
  }
}

/**
 * sleep waits until the time is over or the function that it passes to early is called. It rejects if the signal is
 * aborted.
 */
function sleep(ms, signal, early) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    };
    const abort = () => {
      stop();
      reject(signal.reason);
    };
    const wake = () => {
      stop();
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal?.addEventListener("abort", abort);
    early(wake);
  });
}

/** foldEvent returns the events of a run after another one: a retract or a reset takes events back. */
export function foldEvent(events, event) {
  if (event.type === "reset") return [];
  if (event.type === "retract") return retract(events, event.after);
  return [...events, event];
}

/**
 * retract returns the events without those that an event {type: "retract",
 * after} takes back: all whose place is greater than after.
 */
export function retract(events, after) {
  return events.filter((e) => e.at <= after);
}

/**
 * tellEvents shows the events of a stream, which may take events back, and returns those that are left.
 * @param view has show(event), and rewind(), which removes what the events so far have shown.
 */
export async function tellEvents(stream, view) {
  let events = [];
  for await (const event of stream) {
    const isTakenBack = event.type === "retract" || event.type === "reset";
    events = foldEvent(events, event);
    if (!isTakenBack) {
      view.show(event);
      continue;
    }
    view.rewind();
    for (const e of events) view.show(e);
  }
  return events;
}
