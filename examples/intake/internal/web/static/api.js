// The server's HTTP interface. Each failure is a Problem with a message for a person.

import { pauseBefore } from "./connection.js";
import { readEvents } from "./sse.js";

/** Problem is an error of the server or of the connection to it. Its status is 0 without a response. */
export class Problem extends Error {
  constructor(message, status = 0, location = "") {
    super(message);
    this.name = "Problem";
    this.status = status;
    this.location = location;
  }
}

const tokenName = "intake.token";

/** setToken keeps the token of a made-up person in this tab, or removes it. */
export function setToken(token) {
  if (token) sessionStorage.setItem(tokenName, token);
  else sessionStorage.removeItem(tokenName);
}

async function request(path, { method = "GET", body, signal, headers = {} } = {}) {
  const token = sessionStorage.getItem(tokenName);
  const all = { ...headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  if (body !== undefined) all["Content-Type"] = "application/json";
  let response;
  try {
    const text = body && JSON.stringify(body);
    response = await fetch(path, { method, headers: all, signal, cache: "no-store", body: text });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new Problem(
      globalThis.navigator?.onLine === false
        ? "This device does not have a network." : "The server could not be reached. Is it still running?"
    );
  }
  if (response.ok) return response;
  if (response.status === 401 && token) {
    setToken("");
    throw new Problem("Your sign-in has ended. Choose again who you are.", 401);
  }
  const problem = await response.json().catch(() => ({}));
  const detail = String(problem.detail || problem.title || `The server answered ${response.status}.`);
  throw new Problem(detail, response.status, response.headers.get("location") ?? "");
}

const json = async (path, options) => (await request(path, options)).json();
const post = (path, body, signal) => json(path, { method: "POST", body: body ?? {}, signal });
const id = encodeURIComponent;

export const fetchMe = () => json("/api/me");
export const requestToken = (tenant, user, roles) => post("/api/dev/token", { tenant, user, roles });
export const startUpload = (name, size, type, signal) => post("/api/uploads", { name, size, type }, signal);
export const requestPart = (upload, n, signal) => post(`/api/uploads/${id(upload)}/parts/${n}`, {}, signal);
export const completeUpload = (upload, etags, signal) => post(`/api/uploads/${id(upload)}/complete`, { etags }, signal);
export const abortUpload = (upload) => post(`/api/uploads/${id(upload)}/abort`);
export const listFiles = (cursor) => json(`/api/files${cursor ? `?cursor=${id(cursor)}` : ""}`);
export const fetchFile = (file) => json(`/api/files/${id(file)}`);
export const confirmFile = (file, body) => post(`/api/files/${id(file)}/confirm`, body);
export const shareFile = (file) => post(`/api/files/${id(file)}/share`);
export const deleteFile = (file) => post(`/api/files/${id(file)}/delete`);
export const listChats = (cursor) => json(`/api/chat${cursor ? `?cursor=${id(cursor)}` : ""}`);
export const fetchChat = (chat) => json(`/api/chat/${id(chat)}`);
export const stopRun = (run) => post(`/api/runs/${id(run)}/stop`);
export const fetchResult = (run, call) => json(`/api/runs/${id(run)}/results/${id(call)}`);
export const fetchSample = async (name) => (await request(`/samples/${id(name)}`)).blob();

/** isLast reports whether a run does not have events after this one. */
export const isLast = (event) => event.type === "finished" || event.type === "failed";

const silence = 40_000; // milliseconds without a byte, after which the stream is joined again
const isTemporary = (err) => err instanceof Problem && (err.status === 0 || err.status === 429 || err.status >= 500);

/** createKey returns a random idempotency key. */
export const createKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

/**
 * chat starts a run with body and yields its events, also if the connection breaks. A call with the same key and body
 * joins the same run. started is called with the id of the run, and lost with whether the connection is lost.
 */
export async function* chat(body, key, started, lost) {
  let response;
  for (let n = 0; !response; n++) {
    try {
      response = await request("/api/chat", { method: "POST", body, headers: { "Idempotency-Key": key } });
    } catch (err) {
      if (!(err instanceof Problem) || (err.status !== 0 && err.status < 500) || n >= 3) throw err;
      await pauseBefore(n); // with the same key, so that one run is started
    }
  }
  const run = (response.headers.get("location") ?? "").split("/").at(-2);
  started(run);
  yield* follow(run, lost, response);
}

/**
 * follow yields the events of a run from the first one, or from those of a response on. It joins the stream again until
 * the run has ended. lost is called with true when the connection is lost, and with false when it is back.
 */
export async function* follow(run, lost, response) {
  let last = "";
  for (let n = 0; ; n++) {
    try {
      const headers = last ? { "Last-Event-ID": last } : {};
      response ??= await request(`/api/runs/${id(run)}/events`, { headers });
      lost(false);
      if (response.status === 204) return;
      for await (const { id: at, data } of readEvents(response.body, silence)) {
        const event = { ...JSON.parse(data), at };
        last = at;
        n = 0;
        yield event;
        if (isLast(event)) return;
      }
    } catch (err) {
      if (err instanceof SyntaxError || (err instanceof Problem && !isTemporary(err))) throw err;
    }
    response = undefined;
    lost(true);
    await pauseBefore(n);
  }
}
