// The upload of a photo: a grant from the server, then one PUT directly to the
// bucket. It uses XMLHttpRequest, since fetch does not report progress.

import { Problem, requestPresigned } from "./api.js";

/** requestGrant returns a grant for a photo that is prepared. */
export function requestGrant({ name, displayName, type, blob }, signal) {
  return requestPresigned({ filename: name, display: displayName, type, size: blob.size }, signal);
}

const silence = 60_000; // milliseconds without progress after which an upload has lost its connection

// The browser sets these headers and does not let a script set them.
const browserSets = new Set(["host", "content-length"]);

/**
 * putFile sends the file as the grant requires. It calls progress with a fraction
 * from 0 to 1. Without progress for a minute, it gives up.
 */
export function putFile(grant, file, progress, signal) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const abort = () => xhr.abort();
    let timer = 0;
    const awake = () => {
      clearTimeout(timer);
      timer = setTimeout(abort, silence);
    };
    const settle = (how, value) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      how(value);
    };
    const lost = () => new Problem("The photo could not be sent: the storage did not answer.");
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    signal?.addEventListener("abort", abort);
    xhr.open(grant.method, grant.url);
    for (const [name, value] of Object.entries(grant.headers ?? {})) {
      if (browserSets.has(name.toLowerCase())) continue;
      xhr.setRequestHeader(name, Array.isArray(value) ? value.join(", ") : value);
    }
    xhr.upload.addEventListener("progress", (e) => {
      awake();
      if (e.lengthComputable && e.total > 0) progress(e.loaded / e.total);
    });
    xhr.addEventListener("load", () => {
      if (xhr.status >= 200 && xhr.status < 300) {
        progress(1);
        settle(resolve);
      } else {
        settle(reject, new Problem(refusal(xhr.status), xhr.status));
      }
    });
    xhr.addEventListener("error", () => settle(reject, lost()));
    xhr.addEventListener("abort", () => settle(reject, signal?.aborted ? signal.reason : lost()));
    awake();
    xhr.send(file);
  });
}

// The XML of S3 is not for a person, so the message depends on the status only.
function refusal(status) {
  if (status === 403)
    return "The storage rejected the photo: the permission to upload it has expired, or the file has changed.";
  if (status === 412) return "This upload already has a photo, which cannot be replaced.";
  if (status === 400 || status === 413)
    return "The storage rejected the photo: it is too large, or the file has changed.";
  return `The storage had a problem (${status}).`;
}
