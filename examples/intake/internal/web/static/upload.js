// The upload of a file: by one PUT, or in parts with a few tries each. It uses XMLHttpRequest, since fetch does not
// report progress.

import { abortUpload, completeUpload, Problem, requestPart, startUpload } from "./api.js";

const tries = 4;
const parallel = 3;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const browserSets = new Set(["host", "content-length"]);

/** put sends bytes as a grant requires. It returns the ETag of the answer. */
function put(grant, bytes, progress, signal) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const abort = () => xhr.abort();
    signal.addEventListener("abort", abort);
    const settle = (how, value) => {
      signal.removeEventListener("abort", abort);
      how(value);
    };
    if (signal.aborted) return settle(reject, signal.reason);
    xhr.open(grant.method, grant.url);
    for (const [name, value] of Object.entries(grant.headers ?? {})) {
      if (!browserSets.has(name.toLowerCase())) xhr.setRequestHeader(name, value);
    }
    xhr.upload.addEventListener("progress", (e) => progress(e.loaded));
    xhr.addEventListener("load", () => {
      if (xhr.status >= 200 && xhr.status < 300) settle(resolve, xhr.getResponseHeader("ETag") ?? "");
      else settle(reject, new Problem(`The storage rejected the file (${xhr.status}).`, xhr.status));
    });
    xhr.addEventListener("error", () => settle(reject, new Problem("The storage did not answer.")));
    xhr.addEventListener("abort", () => settle(reject, signal.reason));
    xhr.send(bytes);
  });
}

/** sendPart sends one part, again if that fails, and returns its ETag. */
async function sendPart(upload, n, bytes, progress, signal) {
  for (let i = 1; ; i++) {
    try {
      return await put(await requestPart(upload, n, signal), bytes, progress, signal);
    } catch (err) {
      if (signal.aborted || i === tries) throw err;
      progress(0);
      await sleep(500 * 2 ** i);
    }
  }
}

/** uploadFile sends a file and returns its id. progress is called with a fraction from 0 to 1. */
export async function uploadFile(file, progress, signal) {
  const name = file.name.normalize("NFC");
  const plan = await startUpload(name, file.size, file.type || undefined, signal);
  try {
    if (plan.grant) {
      await put(plan.grant, file, (n) => progress(n / file.size), signal);
      return plan.id;
    }
    const sent = new Array(plan.parts).fill(0);
    const etags = new Array(plan.parts);
    let next = 0;
    const work = async () => {
      while (next < plan.parts) {
        const i = next++;
        const bytes = file.slice(i * plan.part_size, (i + 1) * plan.part_size);
        etags[i] = await sendPart(plan.id, i + 1, bytes, (n) => {
          sent[i] = n;
          progress(Math.min(1, sent.reduce((a, b) => a + b, 0) / file.size));
        }, signal);
      }
    };
    await Promise.all(Array.from({ length: parallel }, work));
    await completeUpload(plan.id, etags, signal);
    return plan.id;
  } catch (err) {
    abortUpload(plan.id).catch(() => {}); // the server gives it up by itself later
    throw err;
  }
}
