// What a screen reader says. The stream itself arrives a word at a time and is
// no live region: it would be read in shreds. Whole sentences are told here.

import { byId, el } from "./dom.js";

/** announce says a text politely, after what is being said. */
export function announce(words) {
  if (!words) return;
  const region = byId("announcer");
  region.append(el("p", {}, words));
  while (region.childElementCount > 6) region.firstElementChild.remove();
}
