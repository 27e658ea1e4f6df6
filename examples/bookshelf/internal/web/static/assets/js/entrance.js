// The ways in and out: how a sign-in at the issuer begins, and what other tabs
// are told about it.

import { explainSilence } from "./network.js";
import { Problem } from "./problem.js";

const configPath = "/api/sign-in";

/** ask sends a POST with a JSON body, or a GET without one, and returns the JSON of the answer. It sends no token. */
async function ask(path, body) {
  let response;
  try {
    response = await fetch(path, {
      cache: "no-store",
      signal: AbortSignal.timeout(30_000),
      ...(body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
    });
  } catch {
    throw new Problem(explainSilence());
  }
  if (!response.ok) throw await Problem.from(response);
  return response.json().catch(() => {
    throw new Problem("The response of the server could not be read.", response.status);
  });
}

/** fetchConfig returns how people sign in: {kind, issuer}. */
export const fetchConfig = () => ask(configPath);

/** begin returns the URL of the issuer's page. Afterwards, the browser comes back to a path of this site. */
export async function begin(path) {
  try {
    return (await ask("/sign-in/start", { return: path })).url;
  } catch (err) {
    if (err.status !== 400 || path === "/") throw err;
    return (await ask("/sign-in/start", { return: "/" })).url; // an odd address, which the server does not return to
  }
}

/** end signs out here and returns the URL that signs out at the issuer. */
export const end = async () => (await ask(`${configPath}/end`, {})).url;

let channel;

/** connect returns the channel between the tabs of this site. Not every browser has one. */
function connect() {
  channel ??= globalThis.BroadcastChannel && new BroadcastChannel("sign-in");
  return channel;
}

/** onOtherTab calls signedIn or signedOut when that happens in another tab. */
export function onOtherTab({ signedIn, signedOut }) {
  connect()?.addEventListener("message", ({ data }) => {
    if (data === "in") signedIn();
    if (data === "out") signedOut();
  });
}

/** announceSignIn tells the other tabs that somebody has signed in. */
export const announceSignIn = () => connect()?.postMessage("in");

/** announceSignOut tells the other tabs that the person has signed out. */
export const announceSignOut = () => connect()?.postMessage("out");

/**
 * describe returns the words of the page /sign-in for the fragment of its URL. action is the label of its button, or ""
 * if the sign-in begins at once; again is the path that the browser comes back to.
 */
export function describe(fragment) {
  const again = "/";
  switch (fragment) {
    case "":
      return { title: "You are signed out", lead: "Nothing of yours is left on this page.", action: "Sign in", again };
    case "begin":
      return { title: "Signing in…", lead: "The other page keeps what you typed.", action: "", again: "/sign-in#done" };
    case "done":
      return {
        title: "You are signed in",
        lead: "You can close this tab and continue on the other page.",
        action: "",
        again,
      };
    case "again":
      return {
        title: "Please sign in again",
        lead: "This sign-in has been used already, or it has expired.",
        action: "Sign in",
        again,
      };
    case "denied":
      return {
        title: "You are not signed in",
        lead: "The sign-in was cancelled, or it was not allowed.",
        action: "Try again",
        again,
      };
    case "refused":
      return {
        title: "Your account cannot be used here",
        lead:
          "You have signed in, but your account does not have a tenant that this server accepts. " +
          "Ask the person who manages the accounts.",
        action: "Sign in as somebody else",
        again,
      };
  }
  return {
    title: "The sign-in has failed",
    lead: "Something went wrong between this server and the issuer. It may be tried again.",
    action: "Try again",
    again,
  };
}
