// The status of an upload in words, from a row of /api/ops/files. A pure function.

import { humanizeName } from "./words.js";

const reasons = {
  abandoned: "Nobody continued in time.",
  access_denied: "The model did not allow the request.",
  budget: "The tokens of this period are used up.",
  filtered: "The model’s filter stopped the answer.",
  image_too_large: "The photo is too large.",
  internal: "Something went wrong on the server.",
  limit: "The reader reached a limit before it was done.",
  lost: "The reader was interrupted.",
  max_attempts: "The last attempt failed too.",
  not_an_image: "The file is not a photo that can be read.",
  store_failed: "The card could not be saved. Accept it again.",
  throttled: "The model was too busy.",
  timeout: "It took too long.",
  unavailable: "The model was out of reach.",
  upload_differs: "Another file arrived than was announced.",
};

const stages = { user_upload: "Upload", enrichment: "Reading", av_scan: "Virus scan" };

/** formatStage returns the name of a stage. */
export const formatStage = (name) => (Object.hasOwn(stages, name) ? stages[name] : humanizeName(name));

/** formatReason returns the reason of a failure as a sentence. */
export function formatReason(reason) {
  if (!reason) return "";
  return Object.hasOwn(reasons, reason) ? reasons[reason] : `${humanizeName(reason)}.`;
}

/**
 * describeStatus returns the status of a row: a badge and its kind, a sentence, and
 * what a person may do with the upload.
 * @returns {{kind: "waiting"|"active"|"failed"|"closed"|"success", badge: string, detail: string, canOpen: boolean,
 *   canRead: boolean, canRetry: boolean, canCancel: boolean}}
 *   canOpen: its card is at the desk of the caller. canRead: its book is on their shelf.
 */
export function describeStatus(row) {
  const canChange =
    row.class === "active" || row.class === "waiting" || (row.class === "failed" && row.retryable === true);
  const canOpen = row.own !== false && canChange && row.stage !== "user_upload";
  const canRead = row.own !== false && row.class === "success";
  return { ...explain(row), canOpen, canRead, canRetry: row.class === "failed" && canChange, canCancel: canChange };
}

function explain(row) {
  switch (row.class) {
    case "waiting":
      return row.own === false
        ? { kind: "waiting", badge: `Waiting for ${row.user_id}`, detail: "The card is ready to be checked." }
        : { kind: "waiting", badge: "Waiting for you", detail: "The card is ready to be checked." };
    case "success":
      return { kind: "success", badge: "Accepted", detail: "" };
    case "failed":
      return explainFailure(row);
  }
  if (row.stage === "user_upload")
    return { kind: "active", badge: "Uploading", detail: "The photo has not arrived yet." };
  if (row.state === "queued") return { kind: "active", badge: "Not read yet", detail: "The photo has arrived." };
  if (row.state === "released")
    return { kind: "active", badge: "Interrupted", detail: "The reader continues by itself." };
  return {
    kind: "active",
    badge: row.stage === "enrichment" ? "Reading" : "Running",
    detail: row.stage === "enrichment" ? "" : formatStage(row.stage ?? ""),
  };
}

function explainFailure(row) {
  const stage = row.stage && row.stage !== "enrichment" ? `${formatStage(row.stage)}: ` : "";
  if (row.reason === "cancelled") return { kind: "closed", badge: "Cancelled", detail: "" };
  if (row.reason === "abandoned")
    return { kind: "closed", badge: "Abandoned", detail: stage + formatReason(row.reason) };
  if (row.reason === "stopped") return { kind: "failed", badge: "Stopped", detail: "Somebody stopped the reader." };
  return {
    kind: "failed",
    badge: row.retryable ? "Failed" : "Failed for good",
    detail: stage + formatReason(row.reason),
  };
}
