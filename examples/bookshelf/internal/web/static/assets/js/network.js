// Signs that a connection may be dead, or that there may be one again: the
// network is back, or the page was frozen or out of sight for long.

const long = 30_000; // milliseconds out of sight

let hiddenSince = 0;

/** onNudge calls react at each sign. It returns a function that ends that. */
export function onNudge(react) {
  const leave = new AbortController();
  const { signal } = leave;
  addEventListener("online", () => react(), { signal });
  addEventListener("pageshow", (e) => e.persisted && react(), { signal });
  document.addEventListener("resume", () => react(), { signal });
  document.addEventListener(
    "visibilitychange",
    () => {
      if (document.visibilityState === "hidden") hiddenSince = Date.now();
      else if (Date.now() - hiddenSince > long) react();
    },
    { signal },
  );
  return () => leave.abort();
}

/** isOffline reports whether the browser knows that it does not have a network. */
export const isOffline = () => globalThis.navigator?.onLine === false;

/** explainSilence returns why a request did not get an answer, in a sentence. */
export const explainSilence = () =>
  isOffline() ? "This device does not have a network." : "The server could not be reached. Is it still running?";
