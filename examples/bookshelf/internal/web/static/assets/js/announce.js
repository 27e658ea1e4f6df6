// Announcements for screen readers. The stream arrives word by word, so it is not
// a live region. This module announces whole sentences.

import { byId, el } from "./dom.js";

/** announce adds a text to the polite live region. */
export function announce(words) {
  if (!words) return;
  const region = byId("announcer");
  region.append(el("p", {}, words));
  while (region.childElementCount > 6) region.firstElementChild.remove();
}
