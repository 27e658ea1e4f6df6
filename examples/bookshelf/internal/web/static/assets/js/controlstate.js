// What the controls of the card on the desk are, apart from the page. All functions are pure.

import { describeCard } from "./outcome.js";

/**
 * describeControls returns what is shown and enabled.
 * @param {{status: string, absent: string, isEditable: boolean, run: string, isStopping?: boolean}} state
 *   status is that of the book, see bookstatus.js, and "ready" if it is unread; absent is the text in place of the
 *   fields, or ""; isEditable states that the card can be corrected and accepted; run is the id of the run that can be
 *   stopped, or "", and isStopping states that it was asked to stop.
 * @param {{isFilled: boolean, message: string}} entered whether any field has a value, and the text of the message box
 */
export function describeControls({ status, absent, isEditable, run, isStopping = false }, { isFilled, message }) {
  const isFree = status === "ready" && isEditable;
  const isOver = status === "accepted" || status === "closed";
  const isReading = status === "reading";
  const hasFields = absent === "" || isReading;
  const isOpen = isFree && hasFields;
  const hint = describeCard(status, { open: isOpen, inSight: hasFields, isFilled });
  return {
    card: { isOpen, hasFields, absent, hint },
    accept: {
      isVisible: hasFields && !isOver,
      isEnabled: isOpen && isFilled,
      label: status === "saving" ? "Saving the card…" : "Accept the card",
    },
    message: { isVisible: !isOver, canSend: isFree && message.trim() !== "" },
    stop: { isVisible: isReading && run !== "", isEnabled: !isStopping },
    isWorking: isReading,
  };
}

/** describeRefusedMessage returns why a message is not sent now, or "" if there is nothing to say. */
export function describeRefusedMessage({ status }, message) {
  if (message.trim() === "") return "";
  if (status === "reading") return "The reader is working. Send your message when it has finished.";
  if (status === "sending") return "The photo is on its way. Send your message when the reader has read it.";
  return "";
}
