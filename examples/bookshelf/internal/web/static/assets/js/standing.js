// Where an upload stands, read from its record: what the desk can say and offer
// after a reload. A pure function.

/**
 * standing reads a record of /api/ops/files/{id}.
 * @returns {{state: "sending"|"unread"|"open"|"failed"|"closed"|"accepted", title: string, detail: string, ask?: string, key?: string}}
 *   ask names the button that calls the reader, where calling it makes sense;
 *   key is where the card is kept.
 */
export function standing(record) {
  const stage = (name) => (record.stage_progress ?? []).find((s) => s.stage_name === name);
  const upload = stage("user_upload");
  const reading = stage("enrichment");

  if (record.current_status === "SUCCESS") {
    return {
      state: "accepted",
      title: "This card has been accepted",
      detail: "The card itself is in the file named here. This page does not have its lines any more.",
      key: reading?.destination?.key,
    };
  }
  if (record.current_status === "FAILED") {
    const why = reading?.error_message || upload?.error_message || record.reason || "No reason was recorded.";
    if (!record.retryable) return { state: "closed", title: "This upload is closed", detail: why };
    return { state: "failed", title: "The reader could not finish", detail: why, ask: "Ask the reader again" };
  }
  if (reading) {
    return {
      state: "open",
      title: "This book is still open",
      detail:
        "The reader has been at it, and may be at work now. This page lost sight of what it found when it was loaded again: let the reader go over the book once more, or correct it in words.",
      ask: "Go over it again",
    };
  }
  if (upload?.status === "success") {
    return { state: "unread", title: "The photo is here", detail: "Nobody has read it yet.", ask: "Read the cover" };
  }
  return {
    state: "sending",
    title: "The photo was on its way",
    detail: "Nobody has looked yet whether it arrived. If it did not, bring the book again.",
    ask: "Look, and read it",
  };
}
