// How a run ended, in words for a person. All functions are pure.

import { describeEmptyStop } from "./bookstatus.js";

/** describeStop returns a notice about a complete run whose model did not end its answer in a usual way. */
export const describeStop = (reason) => ({
  kind: "info",
  title: "This may not be an answer",
  detail: `The model did not end it in a usual way (${String(reason).replaceAll("_", " ")}).`,
});

/**
 * describeEnd returns a notice about the last event of a run, or undefined if
 * the run is complete. found states that the card has values of the reader.
 * @returns {{kind: "error"|"info", title: string, detail: string}|undefined}
 */
export function describeEnd({ type, code, message, stop_reason: reason }, found) {
  if (type === "complete" && reason) return describeStop(reason);
  if (type !== "error") return undefined;
  if (code === "stopped") {
    const detail = found
      ? "The card has the values that the reader had found. " +
        "You can correct it and accept it, or let the reader continue."
      : describeEmptyStop;
    return { kind: "info", title: "You stopped the reader", detail };
  }
  if (code === "budget") return { kind: "info", title: "The reader has to wait", detail: message };
  return { kind: "error", title: "The reader stopped early", detail: message };
}

/** describePast returns how an earlier run ended, or "" if it is complete. */
export function describePast(end) {
  if (end?.type !== "error") return "";
  return end.code === "stopped" ? "You stopped the reader here." : `The reader stopped early: ${end.message}`;
}

/** describeRefusal returns the title of a notice about a run that could not start, or whose stream was lost. */
export function describeRefusal({ status }) {
  if (status === 409) return "Not possible right now";
  if (status === 429 || status === 503) return "The reader is busy";
  if (status === 0 || status === 200) return "The connection to the reader was lost";
  return "The reader could not start";
}

/**
 * describeCard returns the hint above the card. inSight states that the fields are shown, open that they can be edited,
 * and isFilled that one of them has a value.
 */
export function describeCard(status, { open, inSight, isFilled }) {
  if (status === "accepted") return "Saved.";
  if (status === "closed") return inSight ? "It cannot be accepted." : "Closed.";
  if (!inSight || status === "saving") return "";
  if (status === "sending") return "The reader fills it in when the photo has arrived.";
  if (status === "failed") return "Waiting for a retry.";
  if (!open) return "The reader fills in the card.";
  return isFilled ? "You can correct every field." : "You can fill in every field yourself.";
}

/** sumUsage returns the sum of the usage events. */
export function sumUsage(events) {
  const sum = {};
  for (const event of events) {
    if (event.type !== "usage") continue;
    for (const [name, n] of Object.entries(event)) {
      if (typeof n === "number" && n > 0) sum[name] = (sum[name] ?? 0) + n;
    }
  }
  return sum;
}
