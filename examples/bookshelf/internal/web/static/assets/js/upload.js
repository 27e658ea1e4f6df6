// The upload of a photo: a grant from the server, then one PUT directly to the
// bucket. It uses XMLHttpRequest, since fetch does not report progress.

import { Problem, requestPresigned } from "./api.js";

/** acceptedTypes maps the media types that the reader accepts to a plain file name. */
export const acceptedTypes = { "image/jpeg": "cover.jpg", "image/png": "cover.png" };

/** checkFile returns why a file cannot be a cover, or undefined. The server checks the bytes. */
export function checkFile(file) {
  if (file.size === 0) return `“${file.name}” is empty.`;
  if (acceptedTypes[file.type]) return undefined;
  const kind = file.type ? `is ${file.type}` : "has a type that the browser does not know";
  return `“${file.name}” ${kind}. The reader accepts JPEG and PNG.`;
}

/**
 * requestGrant returns a grant for the name of the file. If the server rejects the
 * name, it returns a grant for a plain name, with the reason of the rejection.
 * @returns {Promise<{grant: object, filename: string, refusal?: string}>}
 */
export async function requestGrant(file, signal) {
  const ask = (filename) => requestPresigned({ filename, type: file.type, size: file.size }, signal);
  try {
    return { grant: await ask(file.name), filename: file.name };
  } catch (refused) {
    const plain = acceptedTypes[file.type];
    if (!(refused instanceof Problem) || refused.status !== 400 || file.name === plain) throw refused;
    return { grant: await ask(plain), filename: plain, refusal: refused.message };
  }
}

// The browser sets these headers and does not let a script set them.
const browserSets = new Set(["host", "content-length"]);

/**
 * putFile sends the file as the grant requires. It calls progress with a fraction
 * from 0 to 1.
 */
export function putFile(grant, file, progress, signal) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const abort = () => xhr.abort();
    const settle = (how, value) => {
      signal?.removeEventListener("abort", abort);
      how(value);
    };
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
    xhr.addEventListener("error", () =>
      settle(reject, new Problem("The photo could not be sent: the storage did not answer.")),
    );
    xhr.addEventListener("abort", () => settle(reject, signal.reason));
    xhr.send(file);
  });
}

// The XML of S3 is not for a person, so the message depends on the status only.
function refusal(status) {
  if (status === 403) return "The storage rejected the photo: the permission to upload it has expired, or the file has changed.";
  if (status === 412) return "This upload already has a photo, which cannot be replaced.";
  if (status === 400 || status === 413) return "The storage rejected the photo: it is too large, or the file has changed.";
  return `The storage had a problem (${status}).`;
}
