// The notes of the runs that have ended. The events of a run are kept for a week;
// after that, what the model has seen remains.

import { describePast, sumUsage } from "./outcome.js";
import { formatUsage } from "./words.js";

const atATime = 4; // requests

/**
 * recall returns the runs of a draft that have ended, oldest first, each as {run,
 * events}. The runs in known are left out. fetchEvents(run) returns the events of
 * a run; its error has the status 404 or 410 if they are not kept any more.
 */
export async function recall(draft, fetchEvents, known = []) {
  const ended = (draft.runs ?? []).filter((run) => run !== draft.run_id && !known.includes(run));
  const all = draft.runs ?? [];
  const isWhole = known.length > 0 || all[0]?.endsWith(".1");
  const eventsByRun = new Map();
  try {
    if (!isWhole) throw Object.assign(new Error("the first runs are missing"), { status: 410 });
    const queue = [...ended];
    const take = async () => {
      for (let run = queue.shift(); run; run = queue.shift()) eventsByRun.set(run, await fetchEvents(run));
    };
    await Promise.all(Array.from({ length: Math.min(atATime, ended.length) }, take));
  } catch (err) {
    if (err.status !== 404 && err.status !== 410) throw err;
    const events = toEvents(draft.transcript ?? []);
    return events.length === 0 ? [] : [{ run: ended.at(-1) ?? "", events }];
  }
  return ended.map((run) => ({ run, events: eventsByRun.get(run) }));
}

/** toEvents returns the entries of a transcript as the events of a run. */
export function toEvents(transcript) {
  return transcript.flatMap(({ role, text, ...call }) => {
    if (call.name) return [{ ...call, type: "tool_call" }, { ...call, type: "tool_result" }];
    return [role === "user" ? { type: "user_message", text } : { type: "text_delta", delta: text }];
  });
}

/** tellPast shows the runs that recall has returned. */
export function tellPast(notes, past) {
  for (const { run, events } of past) {
    notes.begin(run, { isQuiet: true });
    let last = "";
    for (const event of events) {
      if (event.type === "text_delta" && last === "text_delta" && !event.at) notes.write("\n\n");
      notes.show(event);
      last = event.type;
    }
    notes.finish();
    tellEnd(notes, events);
  }
}

/** tellEnd shows how a run has ended, below its notes. */
export function tellEnd(notes, events) {
  for (const words of [describePast(events.at(-1)), formatUsage(sumUsage(events))]) {
    if (words) notes.aside(words);
  }
}
