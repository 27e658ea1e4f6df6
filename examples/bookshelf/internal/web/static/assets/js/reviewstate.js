// What the desk shows of an upload that nobody reads, apart from the page. All functions are pure.

import { isEditable, readStatus } from "./bookstatus.js";

/**
 * planReview returns what the desk shows of an upload of which no run is in flight.
 * @param record one of /api/ops/files/{id}
 * @param draft its {metadata, texts, runs}
 * @returns {{status: string, step: string, key?: string, absent: string, canEdit: boolean, isUploaded: boolean,
 *   mustAsk: boolean, notice?: object}}
 *   status, step and key are those of readStatus; absent is the text in place of the fields, or ""; canEdit states that
 *   a person can edit and accept the card; mustAsk states that the reader was never asked; notice is {kind, title,
 *   detail, ask, hasAnother}, where ask is the label of the button that starts the reader, if it can be started, and
 *   hasAnother states that another book may be brought.
 */
export function planReview(record, { metadata, texts = {}, runs = [] }) {
  const { status, kind, step, title, detail, card, ask, key } = readStatus(record);
  const hasDraft = status !== "closed" && Object.keys({ ...metadata, ...texts }).length > 0;
  const mustAsk = status === "unread" && runs.length === 0; // the page was closed before
  const isPlain = mustAsk || (hasDraft && status !== "failed");
  return {
    status,
    step,
    key,
    absent: hasDraft ? "" : card,
    canEdit: isEditable(record),
    isUploaded: status !== "sending" && status !== "closed",
    mustAsk,
    notice: isPlain ? undefined : { kind, title, detail, ask, hasAnother: status !== "accepted" },
  };
}

/**
 * leavesEditable reports whether a person can edit and accept the card after a run.
 * @param end the last event of the run, if it has one
 * @param found whether the card has values
 * @param record the record of the upload after the run, if it could be loaded
 */
export function leavesEditable(end, found, record) {
  if (!end) return false;
  return end.type === "complete" || (end.code === "stopped" && found) || (record !== undefined && isEditable(record));
}

/**
 * mustResume reports whether an upload is not what the desk shows, so that it must be shown anew. A run in flight and
 * changes of an open card are shown without that.
 * @param shown {isOpen, seen}: whether the card can be corrected, and when the shown record was changed
 */
export function mustResume(record, draft, { isOpen, seen }) {
  const staysOpen = isOpen && isEditable(record);
  return !draft.run_id && !staysOpen && record.updated_at !== seen;
}
