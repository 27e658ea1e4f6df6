// Shows an upload of this page beside the card: its progress, and what went wrong.

import { explainError, toSentence } from "./api.js";
import { byId, setVisible } from "./dom.js";
import { clearSlot, showNotice } from "./notice.js";
import { PhotoError } from "./prepare.js";
import { describeUpload } from "./bookstatus.js";
import { formatBytes } from "./words.js";

/** showSending shows the state of an upload. actions has retry() and cancel(). */
export function showSending(upload, cover, { retry, cancel }) {
  const { state, progress, photo, problem } = upload;
  const { words } = describeUpload(upload);
  const size = formatBytes((photo?.blob ?? upload.file).size);
  const isOnItsWay = ["waiting", "preparing", "sending"].includes(state);
  setVisible(byId("cancel-upload"), isOnItsWay);
  if (photo?.note) cover.filed(toSentence(photo.note));
  if (state === "sending" && progress !== undefined)
    cover.progress("Sending the photo…", progress, `${Math.round(progress * 100)} %`);
  else cover.progress(words, isOnItsWay ? undefined : upload.hasArrived ? 1 : 0, isOnItsWay ? size : "");
  const slot = byId("upload-notice");
  if (state === "failed") showNotice(slot, describeFailure(upload, retry, cancel));
  else if (state === "starting" && problem) showNotice(slot, describeWaiting(problem));
  else clearSlot(slot);
}

function describeFailure({ problem, hasArrived }, retry, cancel) {
  const isFile = problem instanceof PhotoError; // the same file fails again
  const title = isFile
    ? "This file cannot be read"
    : hasArrived
      ? "The reader could not start"
      : "The photo did not arrive";
  const remove = { label: isFile ? "Choose another photo" : "Give it up", primary: isFile, run: cancel };
  const again = { label: hasArrived ? "Ask the reader again" : "Send it again", primary: true, run: retry };
  return {
    kind: "error",
    title,
    detail: isFile ? problem.message : explainError(problem),
    wait: problem.retryAfter,
    actions: isFile ? [remove] : [again, remove],
  };
}

function describeWaiting(problem) {
  const when = problem.retryAfter ? ` in ${problem.retryAfter} s` : " in a moment";
  return { title: "The photo has arrived", detail: `${explainError(problem)} The page asks again${when}.` };
}
