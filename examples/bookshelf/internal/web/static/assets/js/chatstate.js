// The state of the page of a chat, apart from the page. All functions are pure.

import { describeEnd } from "./chatwords.js";

/**
 * newChatState returns the state before anything is loaded.
 * chat is the id, or "" before the first message; run is the newest run; next is the cursor of the older turns; status
 * is "loading", "ready", "sending" or "reading"; message is what was sent last, for another try.
 */
export function newChatState(path) {
  const chat = path.split("/")[2] ?? "";
  return { chat, run: "", next: undefined, status: "loading", canApprove: false, message: "", isMissing: false };
}

/**
 * describeControls returns what is shown and enabled. text is that of the box, and entries the number of entries.
 * @returns {{canSend: boolean, hasBox: boolean, isBusy: boolean, canStop: boolean, hasEarlier: boolean,
 *   hasGreeting: boolean}}
 */
export function describeControls({ chat, next, status, isMissing }, { text, entries }) {
  const isFree = status === "ready" && !isMissing;
  return {
    canSend: isFree && text.trim() !== "",
    hasBox: !isMissing,
    isBusy: status === "reading" || status === "sending",
    canStop: status === "reading",
    hasEarlier: Boolean(next),
    hasGreeting: chat === "" && isFree && entries === 0,
  };
}

/**
 * readEvent returns what an event says about the page beside the transcript: the text that a person has sent, the words
 * of the pulse, and the number of the turns before the run. isFirst states that the run is the first one that is
 * followed, so that the transcript may have turns of it.
 */
export function readEvent(event, isFirst) {
  switch (event.type) {
    case "user_message":
      return { message: event.text };
    case "chat":
      return isFirst && event.turns !== undefined ? { turns: event.turns } : {};
    case "run_queued":
      return { pulse: "waiting for a place" };
    case "run_started":
      return { pulse: "working" };
  }
  return {};
}

/** describeLoss returns the title for a run that cannot be followed any more, and whether another try is useful. */
export function describeLoss({ status }) {
  if (status === 404 || status === 410) return { title: "This answer is not kept any more", isFinal: true };
  return { title: "The connection to the reader was lost", isFinal: false };
}

/**
 * describeRunEnd returns the notice about the last event of a run, with a message that can be sent again, or
 * undefined.
 */
export function describeRunEnd(last, message) {
  const end = describeEnd(last);
  return end && { ...end, again: message || undefined };
}

/** nameOf returns the name of a chat from its first message. */
export const nameOf = (message) => message.replaceAll(/\s+/g, " ").slice(0, 120);
