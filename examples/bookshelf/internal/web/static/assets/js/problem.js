// The errors of the server, as messages for a person.

import { runIn } from "./run.js";

/** Problem is an error of the server or of the connection to it. */
export class Problem extends Error {
  /** status is the HTTP status, or 0 without a response. */
  status;
  /** retryAfter is in seconds. It is undefined if the server did not send it. */
  retryAfter;
  /** field is the name of the field whose value the server rejects, if that is why. */
  field;
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
    let field;
    if ((response.headers.get("content-type") ?? "").includes("json")) {
      const body = await response.json().catch(() => ({}));
      detail = String(body?.detail || body?.title || "");
      draft = body?.draft;
      field = body?.field;
    }
    const problem = new Problem(
      toSentence(detail) || byStatus(response.status),
      response.status,
      parseRetryAfter(response.headers.get("retry-after")),
    );
    problem.draft = draft;
    problem.field = field;
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
  if (status === 404) return "This was not found.";
  if (status === 409) return "This is not possible right now. Try again in a moment.";
  if (status === 429 || status === 503) return "The server is busy.";
  if (status >= 500) return `The server had a problem (${status}).`;
  return `The server rejected the request (${status}).`;
}
