// Where an upload stands, read from its record: what the desk can say and offer
// after a reload. A pure function.

/** closedCard stands in the place of a card that will not be filled in any more. */
export const closedCard = "There is no card: nothing more can be read of this book.";

/**
 * standing reads a record of /api/ops/files/{id}.
 * @returns {{state: "sending"|"unread"|"open"|"failed"|"closed"|"accepted", step: "photo"|"reading"|"review"|"accepted", title: string, detail: string, card: string, ask?: string, key?: string}}
 *   step is how far it has got;
 *   card is said in the place of the card's lines, "" while there are none to miss;
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
      step: "accepted",
      title: "This card has been accepted",
      detail: "This page does not have the reader’s notes.",
      card: "This page does not have the card’s lines. They are in its file.",
      key: reading?.destination?.key,
    };
  }
  if (record.current_status === "FAILED") {
    const why = reading?.error_message || upload?.error_message || record.reason || "No reason was recorded.";
    if (!record.retryable) {
      const step = reading || upload?.status === "success" ? "reading" : "photo";
      return { state: "closed", step, title: "This upload is closed", detail: why, card: closedCard };
    }
    return {
      state: "failed",
      step: "reading",
      title: "The reader could not finish",
      detail: why,
      card: "This page does not have the card’s lines. They appear once the reader has gone over the book again.",
      ask: "Ask the reader again",
    };
  }
  if (reading) {
    return {
      state: "open",
      step: "review",
      title: "This book is still open",
      detail:
        "The reader has started and may still be working. Ask it to read the book again, or tell it what to correct.",
      card: "This page has not seen what the reader found. The lines appear once the reader has gone over the book again.",
      ask: "Go over it again",
    };
  }
  if (upload?.status === "success") {
    return {
      state: "unread",
      step: "photo",
      title: "The photo is here",
      detail: "Nobody has read it yet.",
      card: "",
      ask: "Read the cover",
    };
  }
  return {
    state: "sending",
    step: "photo",
    title: "The photo was on its way",
    detail: "It has not arrived yet. If it does not arrive soon, bring the book again.",
    card: "",
    ask: "Look, and read it",
  };
}
