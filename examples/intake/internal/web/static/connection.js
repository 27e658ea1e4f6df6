// The pauses between attempts to join a stream again. A sign that the network is back ends a pause.

const pauses = [500, 1000, 2000, 4000, 8000]; // milliseconds; the last one is repeated

/** pauseBefore waits before attempt n, which begins at 0, or until the network is back. */
export function pauseBefore(n) {
  return new Promise((resolve) => {
    const leave = new AbortController();
    const end = () => {
      clearTimeout(timer);
      leave.abort();
      resolve();
    };
    const timer = setTimeout(end, pauses[Math.min(n, pauses.length - 1)]);
    addEventListener("online", end, { signal: leave.signal });
  });
}

/** describeLoss returns what a person reads while a stream is not connected. */
export function describeLoss() {
  if (navigator.onLine !== false) return "The connection is lost. Reconnecting…";
  return "You are offline. The work goes on, and you see it when you are back.";
}
