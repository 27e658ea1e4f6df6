// The status of a book on the desk and in its tray, from its upload. All functions are pure.
//
// The desk has one vocabulary: a book is "sending" (its photo is on its way), "unread", "reading", "ready" (it is the
// person's turn), "failed" (and may be tried again), "saving", "accepted" or "closed" (it cannot be accepted any more).

/** closedCard is the text in place of a card that cannot be filled in any more. */
export const closedCard = "This book cannot be read again, so it does not have a card.";

/** describeEmptyStop is the text about a reader that was stopped before it had set a field. */
export const describeEmptyStop =
  "The reader had not filled in anything yet. Fill in the card yourself, or let the reader begin again.";

/** isEditable reports whether a person can fill in, correct and accept the card of a record. */
export const isEditable = (record) => ["ready", "failed"].includes(readStatus(record).status);

/**
 * readStatus returns the status of a record of /api/ops/files/{id}.
 * @returns {{status: "sending"|"unread"|"ready"|"failed"|"closed"|"accepted", kind: "error"|"info",
 *   step: "photo"|"reading"|"review"|"accepted", title: string, detail: string, card: string, ask?: string,
 *   key?: string}}
 *   step is the step that it has reached;
 *   card is the text in place of the card's fields, or "" if the card is empty;
 *   ask is the label of the button that starts the reader, if it can be started;
 *   key is the key of the saved card.
 */
export function readStatus(record) {
  const found = findStatus(record);
  const isWanted = ["stopped", "cancelled"].includes(record.reason);
  const isError = !isWanted && ["closed", "failed"].includes(found.status);
  return { ...found, kind: isError ? "error" : "info" };
}

function findStatus(record) {
  const stage = (name) => (record.stage_progress ?? []).find((s) => s.stage_name === name);
  const upload = stage("user_upload");
  const reading = stage("enrichment");

  if (record.current_status === "SUCCESS") {
    return {
      status: "accepted",
      step: "accepted",
      title: "This card has been accepted",
      detail: "This page does not have the reader’s notes.",
      card: "This page does not have the fields of the card. They are in its file.",
      key: reading?.destination?.key,
    };
  }
  if (record.current_status === "FAILED") {
    const why = reading?.error_message || upload?.error_message || record.reason || "No reason was recorded.";
    if (record.reason === "cancelled") {
      const detail = "It was cancelled on the operations page, or while the photo was sent.";
      const card = "This upload was cancelled, so its card cannot be accepted.";
      return {
        status: "closed",
        step: upload?.status === "success" ? "reading" : "photo",
        title: "This upload was cancelled",
        detail,
        card,
      };
    }
    if (!record.retryable) {
      const step = reading || upload?.status === "success" ? "reading" : "photo";
      return { status: "closed", step, title: "This upload is closed", detail: why, card: closedCard };
    }
    const stopped = record.reason === "stopped";
    return {
      status: "failed",
      step: "review",
      title: stopped ? "You stopped the reader" : "The reader could not finish",
      detail: stopped ? describeEmptyStop : why,
      card: "",
      ask: "Ask the reader again",
    };
  }
  if (reading && record.class === "waiting") {
    return {
      status: "ready",
      step: "review",
      title: "The reader has not found anything",
      detail: "Fill in the card yourself, tell the reader what you see, or ask it to read the book again.",
      card: "",
      ask: "Read it again",
    };
  }
  if (reading) {
    return {
      status: "ready",
      step: "review",
      title: "This book is still open",
      detail:
        "The reader has started and may still be working. Ask it to read the book again, or tell it what to correct.",
      card: "The card is empty. Its fields appear when the reader has read the book again.",
      ask: "Read it again",
    };
  }
  if (upload?.status === "success") {
    return {
      status: "unread",
      step: "photo",
      title: "The photo has arrived",
      detail: "The reader has not read it yet.",
      card: "",
      ask: "Read the cover",
    };
  }
  return {
    status: "sending",
    step: "photo",
    title: "The photo has not arrived yet",
    detail: "If it does not arrive soon, upload it again.",
    card: "",
    ask: "Check again and read it",
  };
}

/**
 * describeRow describes a row of /api/ops/files in a few words.
 * @returns {{status: "ready"|"reading"|"sending"|"failed"|"accepted"|"closed", words: string}}
 */
export function describeRow({ class: group, stage, state, reason, retryable }) {
  if (group === "waiting") return { status: "ready", words: "Ready for you" };
  if (group === "success") return { status: "accepted", words: "Accepted" };
  if (group === "failed") {
    if (reason === "cancelled") return { status: "closed", words: "Cancelled" };
    if (reason === "abandoned") return { status: "closed", words: "Given up" };
    if (!retryable) return { status: "closed", words: "Cannot be read" };
    return { status: "failed", words: reason === "stopped" ? "Stopped" : "Not read" };
  }
  if (stage === "enrichment") return { status: "reading", words: state === "queued" ? "Not read yet" : "Being read" };
  return { status: "sending", words: "Not arrived yet" };
}

/**
 * describeUpload describes an upload of this page in a few words.
 * @returns {{status: "sending"|"reading"|"failed", words: string}}
 */
export function describeUpload({ state, progress, problem, hasArrived }) {
  switch (state) {
    case "waiting":
      return { status: "sending", words: "Waits for the others" };
    case "preparing":
      return { status: "sending", words: "Preparing the photo…" };
    case "sending":
      return {
        status: "sending",
        words: progress === undefined ? "Sending…" : `Sending, ${Math.round(progress * 100)} %`,
      };
    case "starting":
      return { status: "reading", words: problem ? "Waits for the reader" : "Arrived" };
    case "failed":
      return { status: "failed", words: hasArrived ? "Not read" : "Not sent" };
  }
  return { status: "reading", words: "Being read" };
}
