// The server's HTTP interface, one function a path. Whatever goes wrong is a
// Problem whose message a person can read.

import { events } from "./sse.js";

/** Problem is a refusal by the server, or the failure to reach it. */
export class Problem extends Error {
  /** status is the HTTP status, 0 if there was no answer. */
  status;
  /** retryAfter is in seconds, undefined if the server named none. */
  retryAfter;

  constructor(message, status = 0, retryAfter = undefined) {
    super(message);
    this.name = "Problem";
    this.status = status;
    this.retryAfter = retryAfter;
  }

  /** from reads an application/problem+json answer; any other body is not shown. */
  static async from(response) {
    let detail = "";
    if ((response.headers.get("content-type") ?? "").includes("json")) {
      const body = await response.json().catch(() => ({}));
      detail = String(body?.detail || body?.title || "");
    }
    return new Problem(
      sentence(detail) || byStatus(response.status),
      response.status,
      seconds(response.headers.get("retry-after")),
    );
  }
}

/** explain says what went wrong; what is no Problem is a mistake in the page. */
export function explain(err) {
  return err instanceof Problem ? err.message : "Something went wrong on this page itself. Load it again.";
}

/** sentence gives a server's detail the look of one. */
export function sentence(detail) {
  const s = detail.trim();
  if (s === "") return "";
  const start = s[0].toUpperCase() + s.slice(1);
  return /[.!?…]$/.test(start) ? start : start + ".";
}

/** seconds reads Retry-After: a number, or an HTTP date from which now is taken. */
export function seconds(header, now = Date.now()) {
  if (!header) return undefined;
  if (/^[0-9]+$/.test(header.trim())) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1000));
}

function byStatus(status) {
  if (status === 401) return "Please sign in first.";
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
    throw new Problem("The server's answer could not be read.", response.status);
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

/** samples lists the covers that the server offers: {name, title, author, url}. */
export async function samples() {
  return (await json("/samples")).samples ?? [];
}

/** sample fetches the picture of one of them. */
export async function sample(url) {
  return (await request(url, { cache: "default" })).blob();
}

/** presigned asks for a grant to upload one file. */
export function presigned({ filename, type, size }, signal) {
  return json(`/api/upload/presigned?${query({ filename, content_type: type, size })}`, { signal });
}

/**
 * extract starts a run, or a refinement if there is a message, and yields the
 * events of its stream as they arrive. A stream that ends without "complete" or
 * "error" rejects: silence is no success.
 */
export async function* extract(sessionID, message, signal) {
  const body = message ? { session_id: sessionID, message } : { session_id: sessionID };
  const init = post(body, signal);
  init.headers.Accept = "text/event-stream";
  const response = await request("/api/metadata/extract", init);
  if (!(response.headers.get("content-type") ?? "").startsWith("text/event-stream")) {
    throw new Problem("The server's answer is not a stream of events.", response.status);
  }
  try {
    for await (const { data } of events(response.body)) {
      const event = JSON.parse(data);
      yield event;
      if (event.type === "complete" || event.type === "error") return;
    }
  } catch (cause) {
    if (signal?.aborted) throw cause;
    if (cause instanceof SyntaxError) throw new Problem("The server sent an event that cannot be read.");
    throw new Problem("The connection broke while the reader was at work.");
  }
  throw new Problem("The stream ended before the reader was done.");
}

/** accept saves the metadata: {status, saved_key, upload_id}. */
export function accept(sessionID, metadata) {
  return json("/api/metadata/accept", post({ session_id: sessionID, metadata }));
}

/** file is the record of one upload. */
export async function file(id, signal) {
  return (await json(`/api/ops/files/${encodeURIComponent(id)}`, { signal })).file;
}

/** files is one page of uploads, newest first: {files, next}. */
export function files({ status, limit, cursor }, signal) {
  return json(`/api/ops/files?${query({ status, limit, cursor })}`, { signal });
}

/** counts are the numbers of uploads by class: {all, active, waiting, failed, success, capped}. */
export function counts(signal) {
  return json("/api/ops/counts", { signal });
}
