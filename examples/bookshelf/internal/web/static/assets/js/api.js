// The server's HTTP interface: one function for each path. Each failure is a
// Problem with a message for a person.

import { foldEvent, followRun, isLast } from "./run.js";

/** Problem is an error of the server or of the connection to it. */
export class Problem extends Error {
  /** status is the HTTP status, or 0 without a response. */
  status;
  /** retryAfter is in seconds. It is undefined if the server did not send it. */
  retryAfter;
  /** draft is the present draft, if the request was for an older one. */
  draft;
  /** run is the id of the run in flight, if that is why the request was rejected. */
  run;

  constructor(message, status = 0, retryAfter = undefined) {
    super(message);
    this.name = "Problem";
    this.status = status;
    this.retryAfter = retryAfter;
  }

  /** from reads an application/problem+json response. It ignores any other body. */
  static async from(response) {
    let detail = "";
    let draft;
    if ((response.headers.get("content-type") ?? "").includes("json")) {
      const body = await response.json().catch(() => ({}));
      detail = String(body?.detail || body?.title || "");
      draft = body?.draft;
    }
    const problem = new Problem(
      toSentence(detail) || byStatus(response.status),
      response.status,
      parseRetryAfter(response.headers.get("retry-after")),
    );
    problem.draft = draft;
    problem.run = runIn(response.headers.get("location"));
    return problem;
  }
}

/** explainError returns a message for a person. An error that is not a Problem is a defect of the page. */
export function explainError(err) {
  return err instanceof Problem ? err.message : "This page has a defect. Please reload it.";
}

/** toSentence adds a capital and a full stop to a detail from the server. */
export function toSentence(detail) {
  const s = detail.trim();
  if (s === "") return "";
  const start = s[0].toUpperCase() + s.slice(1);
  return /[.!?…]$/.test(start) ? start : start + ".";
}

/** parseRetryAfter returns the seconds in Retry-After, which is a number or an HTTP date. */
export function parseRetryAfter(header, now = Date.now()) {
  if (!header) return undefined;
  if (/^[0-9]+$/.test(header.trim())) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1000));
}

function byStatus(status) {
  if (status === 401) return "Please sign in.";
  if (status === 404) return "This upload was not found.";
  if (status === 409) return "This is not possible right now. Try again in a moment.";
  if (status === 429 || status === 503) return "The server is busy.";
  if (status >= 500) return `The server had a problem (${status}).`;
  return `The server rejected the request (${status}).`;
}

async function request(path, init) {
  let response;
  try {
    response = await fetch(path, { cache: "no-store", ...init });
  } catch (cause) {
    if (isLeft(init)) throw cause;
    throw new Problem("The server could not be reached. Is it still running?");
  }
  if (!response.ok) throw await Problem.from(response);
  return response;
}

/** isLeft reports whether nobody waits for the answer any more. Without an answer in time, the server is out of reach. */
const isLeft = (init) => init?.signal?.aborted && init.signal.reason?.name !== "TimeoutError";

/** within returns a signal that is aborted with another one, or after ms milliseconds. */
const within = (ms, signal) => (signal ? AbortSignal.any([signal, AbortSignal.timeout(ms)]) : AbortSignal.timeout(ms));

async function json(path, init = {}) {
  init = { ...init, signal: within(answerTime, init.signal) };
  const response = await request(path, init);
  try {
    return await response.json();
  } catch (cause) {
    if (isLeft(init)) throw cause;
    throw new Problem("The response of the server could not be read.", response.status);
  }
}

const post = (body, signal) => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
  signal,
});

export { json as requestJSON, post as postBody, query as encodeQuery, randomKey };

const answerTime = 30_000; // milliseconds for a whole answer, and for the head of a stream
const saveTime = 20_000; // milliseconds for saving a draft

const query = (params) =>
  new URLSearchParams(Object.entries(params).filter(([, v]) => v !== undefined && v !== "")).toString();

/** listSamples returns the sample covers of the server: {name, title, author, url}. */
export async function listSamples() {
  return (await json("/samples")).samples ?? [];
}

/** fetchSample returns the image of a sample. */
export async function fetchSample(url) {
  return (await request(url, { cache: "default" })).blob();
}

/** requestPresigned returns a grant to upload one file. */
export function requestPresigned({ filename, type, size }, signal) {
  return json(`/api/upload/presigned?${query({ filename, content_type: type, size })}`, { signal });
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
  const start = post(body, signal);
  start.headers["Idempotency-Key"] = key;
  const response = await repeat(() => request(path, start), signal);
  response.body?.cancel().catch(() => {}); // the run continues without this reader
  return { run: runIn(response.headers.get("location")), headers: response.headers };
}

/** extract starts a run and yields its events. started is called with the id of the run. */
export async function* extract(sessionID, message, { started, ...options }) {
  const run = await startRun(sessionID, message, options);
  started(run);
  yield* events(run, options);
}

const runIn = (location) => location?.match(/^\/api\/runs\/([^/]+)\/events$/)?.[1];

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
const randomKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

/**
 * events yields the events of a run from the first one, also if the connection
 * breaks. It rejects if the events end without "complete" or "error".
 */
export function events(runID, options) {
  return follow((lastID) => stream(`/api/runs/${encodeURIComponent(runID)}/events`, lastID, options.signal), options);
}

/** fetchEvents returns the events of a run that has ended, without those that were taken back. */
export async function fetchEvents(runID, signal) {
  let told = [];
  for await (const event of events(runID, { signal, attempts: 3 })) told = foldEvent(told, event);
  return told;
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
  const timer = setTimeout(() => late.abort(new DOMException("The server does not answer.", "TimeoutError")), answerTime);
  const init = { headers, signal: signal ? AbortSignal.any([signal, late.signal]) : late.signal };
  try {
    const response = await retryable(() => request(path, init), (status) => status === 0 || status >= 500);
    if (response && response.status !== 200) throw new Problem("The stream ended before the reader had finished.", response.status);
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

/** fetchDraft returns the draft: {metadata, sources, origins, version, transcript, runs, photo_url, run_id of the run in flight}. */
export function fetchDraft(sessionID, signal) {
  return json(`/api/metadata/${encodeURIComponent(sessionID)}`, { signal });
}

/** saveDraft keeps a card that was made from a version of the draft. It continues if the page is closed. */
export function saveDraft(sessionID, metadata, version) {
  const put = post({ metadata, version }, AbortSignal.timeout(saveTime));
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

/** fetchCounts returns the numbers of uploads by class: {all, active, waiting, failed, success, capped}. */
export function fetchCounts(signal) {
  return json("/api/ops/counts", { signal });
}
