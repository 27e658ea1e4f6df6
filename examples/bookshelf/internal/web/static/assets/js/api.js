// The server's HTTP interface: one function for each path. Each failure is a
// Problem with a message for a person.

import { readEvents } from "./sse.js";

/** Problem is an error of the server or of the connection to it. */
export class Problem extends Error {
  /** status is the HTTP status, or 0 without a response. */
  status;
  /** retryAfter is in seconds. It is undefined if the server did not send it. */
  retryAfter;

  constructor(message, status = 0, retryAfter = undefined) {
    super(message);
    this.name = "Problem";
    this.status = status;
    this.retryAfter = retryAfter;
  }

  /** from reads an application/problem+json response. It ignores any other body. */
  static async from(response) {
    let detail = "";
    if ((response.headers.get("content-type") ?? "").includes("json")) {
      const body = await response.json().catch(() => ({}));
      detail = String(body?.detail || body?.title || "");
    }
    return new Problem(
      toSentence(detail) || byStatus(response.status),
      response.status,
      parseRetryAfter(response.headers.get("retry-after")),
    );
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
    if (init?.signal?.aborted) throw cause;
    throw new Problem("The server could not be reached. Is it still running?");
  }
  if (!response.ok) throw await Problem.from(response);
  return response;
}

async function json(path, init) {
  const response = await request(path, init);
  try {
    return await response.json();
  } catch (cause) {
    if (init?.signal?.aborted) throw cause;
    throw new Problem("The response of the server could not be read.", response.status);
  }
}

const post = (body, signal) => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
  signal,
});

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

/**
 * extract starts a run, or a refinement if there is a message, and yields the
 * events of its stream as they arrive. It rejects if the stream ends without
 * "complete" or "error".
 */
export async function* extract(sessionID, message, signal) {
  const body = message ? { session_id: sessionID, message } : { session_id: sessionID };
  const init = post(body, signal);
  init.headers.Accept = "text/event-stream";
  const response = await request("/api/metadata/extract", init);
  if (!(response.headers.get("content-type") ?? "").startsWith("text/event-stream")) {
    throw new Problem("The response of the server is not a stream of events.", response.status);
  }
  try {
    for await (const { data } of readEvents(response.body)) {
      const event = JSON.parse(data);
      yield event;
      if (event.type === "complete" || event.type === "error") return;
    }
  } catch (cause) {
    if (signal?.aborted) throw cause;
    if (cause instanceof SyntaxError) throw new Problem("The server sent an event that cannot be read.");
    throw new Problem("The connection was lost while the reader was working.");
  }
  throw new Problem("The stream ended before the reader had finished.");
}

/** accept saves the metadata: {status, saved_key, upload_id}. */
export function accept(sessionID, metadata) {
  return json("/api/metadata/accept", post({ session_id: sessionID, metadata }));
}

/** fetchFile returns the record of one upload. */
export async function fetchFile(id, signal) {
  return (await json(`/api/ops/files/${encodeURIComponent(id)}`, { signal })).file;
}

/** listFiles returns one page of uploads, newest first: {files, next}. */
export function listFiles({ status, limit, cursor }, signal) {
  return json(`/api/ops/files?${query({ status, limit, cursor })}`, { signal });
}

/** fetchCounts returns the numbers of uploads by class: {all, active, waiting, failed, success, capped}. */
export function fetchCounts(signal) {
  return json("/api/ops/counts", { signal });
}
