// A photo on its way to S3: a grant from the server, then one PUT straight to
// the bucket. XMLHttpRequest, because fetch cannot tell how far a body has got.

import { Problem, presigned } from "./api.js";

/** accepted are the media types that the reader takes, each with a plain file name for it. */
export const accepted = { "image/jpeg": "cover.jpg", "image/png": "cover.png" };

/** unsuitable says why a file cannot be a cover, or returns nothing. The server judges the bytes. */
export function unsuitable(file) {
  if (file.size === 0) return `“${file.name}” is empty.`;
  if (accepted[file.type]) return undefined;
  const kind = file.type ? `is ${file.type}` : "has no type that the browser knows";
  return `“${file.name}” ${kind}. The reader takes photos as JPEG or PNG.`;
}

/**
 * obtain asks for a grant under the file's own name. A name that the server
 * refuses is not mended: the photo is then filed under a plain name, and the
 * refusal is returned beside the grant, so that the page can say so.
 * @returns {Promise<{grant: object, filename: string, refusal?: string}>}
 */
export async function obtain(file, signal) {
  const ask = (filename) => presigned({ filename, type: file.type, size: file.size }, signal);
  try {
    return { grant: await ask(file.name), filename: file.name };
  } catch (refused) {
    const plain = accepted[file.type];
    if (!(refused instanceof Problem) || refused.status !== 400 || file.name === plain) throw refused;
    return { grant: await ask(plain), filename: plain, refusal: refused.message };
  }
}

// The browser sets these itself and lets no script do it.
const browserSets = new Set(["host", "content-length"]);

/**
 * put sends the file exactly as the grant says. progress is called with a
 * fraction from 0 to 1.
 */
export function put(grant, file, progress, signal) {
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

// S3 answers in XML for machines; the status says what a person can use.
function refusal(status) {
  if (status === 403) return "The storage rejected the photo: the permission to upload it has expired, or the file has changed.";
  if (status === 412) return "This upload already has a photo, which cannot be replaced.";
  if (status === 400 || status === 413) return "The storage rejected the photo: it is too large, or the file has changed.";
  return `The storage had a problem (${status}).`;
}
