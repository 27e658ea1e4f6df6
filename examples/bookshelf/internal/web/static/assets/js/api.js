// The server's HTTP interface: one function for each path. Each failure is a
// Problem with a message for a person.

import { explainSilence } from "./network.js";
import { Clock } from "./clock.js";
import { explainError, parseRetryAfter, Problem, toSentence } from "./problem.js";
import { foldEvent, followRun, isLast, runIn } from "./run.js";
import { explainAbsence, Session } from "./session.js";

export { explainError, parseRetryAfter, Problem, toSentence };

/** session is the person's. Its token goes with each request to the API. */
export const session = new Session(
  async (path, body) => {
    const init = { ...(body && post(body)), signal: within(answerTime) };
    return read(await check(await send(path, init)), init);
  },
  { storage: openStorage(), lock: globalThis.navigator?.locks && ((f) => navigator.locks.request("sign-in", f)) },
);

/**
 * openStorage returns the storage of this tab, or one that forgets everything if there is none or it is not allowed.
 */
function openStorage() {
  try {
    if (globalThis.sessionStorage) return sessionStorage;
  } catch {
    // the browser does not allow it
  }
  return { getItem: () => null, setItem() {}, clear() {} };
}

/**
 * request sends a request as the person, and returns the response if its status is a success. Otherwise it throws a
 * Problem. A token that the server rejects is replaced once.
 */
export async function request(path, init) {
  if (!path.startsWith("/api/")) return check(await send(path, init));
  const ask = async () => send(path, { ...init, headers: { ...init?.headers, ...(await session.headers()) } });
  let response = await ask();
  if (response.status === 401 && session.canRenew) {
    await session.renew();
    response = await ask();
  }
  if (response.status === 404) throw new Problem(explainAbsence(session.who), 404);
  return check(response);
}

/** clock has the time of the server. */
export const clock = new Clock();

async function send(path, init) {
  try {
    const response = await fetch(path, { cache: "no-store", ...init });
    if (!init?.cache) clock.note(response.headers.get("date"));
    return response;
  } catch (cause) {
    if (isLeft(init)) throw cause;
    throw new Problem(explainSilence());
  }
}

async function check(response) {
  if (!response.ok && response.status !== 304) throw await Problem.from(response);
  return response;
}

/**
 * isLeft reports whether nobody waits for the answer any more. Without an answer in time, the server is out of reach.
 */
const isLeft = (init) => init?.signal?.aborted && init.signal.reason?.name !== "TimeoutError";

/** within returns a signal that is aborted with another one, or after ms milliseconds. */
function within(ms, signal) {
  return signal ? AbortSignal.any([signal, AbortSignal.timeout(ms)]) : AbortSignal.timeout(ms);
}

/** json sends a request as the person, and returns the JSON of the response. */
export async function json(path, init = {}) {
  init = { ...init, signal: within(answerTime, init.signal) };
  return read(await request(path, init), init);
}

async function read(response, init) {
  try {
    return await response.json();
  } catch (cause) {
    if (isLeft(init)) throw cause;
    throw new Problem("The response of the server could not be read.", response.status);
  }
}

/** post is a request with a JSON body. */
export function post(body, signal) {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal };
}

export { query as encodeQuery, randomKey };

const answerTime = 30_000; // milliseconds for a whole answer, and for the head of a stream
const saveTime = 20_000; // milliseconds for saving a draft

const query = (params) =>
  new URLSearchParams(Object.entries(params).filter(([, v]) => v !== undefined && v !== "")).toString();

/** listSamples returns the sample covers of the server: {name, title, author, url, thumbnail}. */
export async function listSamples() {
  return (await json("/samples")).samples ?? [];
}

/** fetchSample returns the image of a sample. */
export async function fetchSample(url) {
  return (await request(url, { cache: "default" })).blob();
}

/** requestPresigned returns a grant to upload one file. */
export function requestPresigned({ filename, display, type, size }, signal) {
  return json(`/api/upload/presigned?${query({ filename, display_name: display, content_type: type, size })}`, {
    signal,
  });
}

/** startRun starts a run of the reader, or a refinement if there is a message, and returns its id, see beginRun. */
export async function startRun(sessionID, message, options) {
  const body = message ? { session_id: sessionID, message } : { session_id: sessionID };
  return (await beginRun("/api/metadata/extract", body, options)).run;
}

/**
 * beginRun posts a body that starts a run, and returns {run, headers}: the id of
 * the run, and the headers of the response. A key identifies the request, so that
 * it starts one run if it is repeated. If another run is in flight, the Problem
 * has its id as run.
 */
export async function beginRun(path, body, { key = randomKey(), signal } = {}) {
  const start = () => {
    const init = post(body, within(answerTime, signal));
    init.headers["Idempotency-Key"] = key;
    return request(path, init);
  };
  const response = await repeat(start, signal);
  response.body?.cancel().catch(() => {}); // the run continues without this reader
  return { run: runIn(response.headers.get("location")), headers: response.headers };
}

/** repeat asks again if the connection was lost, a few times. */
async function repeat(ask, signal, pause = 500) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask();
    } catch (err) {
      if (!(err instanceof Problem) || err.status !== 0 || attempt === 4) throw err;
      await new Promise((resolve) => setTimeout(resolve, pause * 2 ** attempt));
      signal?.throwIfAborted();
    }
  }
}

// crypto.randomUUID is missing on pages that were loaded over plain http.
const randomKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

/**
 * events yields the events of a run from the first one, also if the connection
 * breaks. It rejects if the events end without "complete" or "error".
 */
export function events(runID, options) {
  return follow((lastID) => stream(`/api/runs/${encodeURIComponent(runID)}/events`, lastID, options.signal), options);
}

/** fetchEvents returns the events of a run that has ended, without those that were taken back. */
export async function fetchEvents(runID, signal) {
  let kept = [];
  for await (const event of events(runID, { signal, attempts: 3 })) kept = foldEvent(kept, event);
  return kept;
}

/** fetchResult returns the whole result of a tool call: {blocks, summary, is_error}. */
export function fetchResult(runID, callID, signal) {
  return json(`/api/runs/${encodeURIComponent(runID)}/results/${encodeURIComponent(callID)}`, { signal });
}

async function* follow(connect, options) {
  try {
    for await (const event of followRun(connect, options)) {
      yield event;
      if (isLast(event)) return;
    }
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new Problem("The server sent an event that cannot be read.");
    throw cause;
  }
  throw new Problem("The connection was lost, and the server cannot be reached. The reader may still be working.");
}

/** stream requests the events after an id. It returns undefined if the request should be repeated. */
async function stream(path, lastID, signal) {
  const headers = lastID ? { "Last-Event-ID": lastID } : {};
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(new DOMException("The server does not answer.", "TimeoutError")),
    answerTime,
  );
  const init = { headers, signal: signal ? AbortSignal.any([signal, late.signal]) : late.signal };
  try {
    const response = await retryable(
      () => request(path, init),
      (status) => status === 0 || status >= 500,
    );
    if (response && response.status !== 200)
      throw new Problem("The stream ended before the reader had finished.", response.status);
    return response;
  } finally {
    clearTimeout(timer);
  }
}

/** retryable returns undefined instead of a failure with a temporary status. Status 0 is a lost connection. */
async function retryable(ask, isTemporary) {
  try {
    return await ask();
  } catch (err) {
    if (err instanceof Problem && isTemporary(err.status)) return undefined;
    throw err;
  }
}

/** stop asks a run to stop. Its events say when it has. */
export function stop(runID) {
  return json(`/api/runs/${encodeURIComponent(runID)}/stop`, { method: "POST" });
}

/** cancelUpload ends the record of an upload, and deletes the photo. */
export function cancelUpload(id) {
  return json(`/api/ops/files/${encodeURIComponent(id)}/cancel`, { method: "POST" });
}

/**
 * fetchDraft returns the draft: {metadata, texts, sources, origins, version, transcript, runs, photo_url, run_id of the
 * run in flight}.
 */
export function fetchDraft(sessionID, signal) {
  return json(`/api/metadata/${encodeURIComponent(sessionID)}`, { signal });
}

/**
 * saveDraft keeps a card {metadata, texts} that was made from a version of the draft. It continues if the page is
 * closed.
 */
export function saveDraft(sessionID, { metadata, texts }, version) {
  const put = post({ metadata, texts, version }, AbortSignal.timeout(saveTime));
  return json(`/api/metadata/${encodeURIComponent(sessionID)}/draft`, { ...put, method: "PUT", keepalive: true });
}

/** accept saves the metadata: {status, saved_key, upload_id}. */
export function accept(sessionID, metadata) {
  return json("/api/metadata/accept", post({ session_id: sessionID, metadata }));
}

/** fetchFile returns the record of one upload. */
export async function fetchFile(id, signal) {
  return (await json(`/api/ops/files/${encodeURIComponent(id)}`, { signal })).file;
}

/** listFiles returns one page of uploads, newest first: {files, next}. owner is "me" for those of the caller only. */
export function listFiles({ status, owner, limit, cursor }, signal) {
  return json(`/api/ops/files?${query({ status, owner, limit, cursor })}`, { signal });
}

/** jsonIfChanged returns the tag of an answer and its JSON as body, or only the tag if the answer still has it. */
export async function jsonIfChanged(path, tag, signal) {
  const init = { signal: within(answerTime, signal), headers: tag ? { "If-None-Match": tag } : {} };
  const response = await request(path, init);
  if (response.status === 304) return { tag };
  return { tag: response.headers.get("etag") ?? "", body: await read(response, init) };
}
