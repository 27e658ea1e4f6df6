// The photo on the desk: the picture, how far it has got, and under which name
// it is filed.

import { byId, show, text } from "./dom.js";

/** Cover owns the left side of the desk. */
export class Cover {
  #url = "";

  /** clear shows an empty cover. */
  clear() {
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = "";
    this.blank("");
    this.filed("");
    this.now("");
    this.progress("\u00a0", 0, ""); // a space that keeps the line's height
  }

  /** picture shows a file; one that is no image stays a blank cover with its name, and the reader will say why. */
  picture(file) {
    const img = byId("cover");
    this.blank(file.name);
    this.#url = URL.createObjectURL(file);
    img.onload = () => this.#show(true);
    img.onerror = () => this.#show(false);
    img.src = this.#url;
  }

  /** blank shows a cover of which only the name is known. */
  blank(name) {
    text(byId("cover-name"), name);
    this.#show(false);
  }

  /** progress says how far the photo is: a fraction from 0 to 1, undefined while nobody knows. */
  progress(label, fraction, aside) {
    const bar = byId("progress");
    if (fraction === undefined) bar.removeAttribute("value");
    else bar.value = fraction;
    text(byId("sending"), label);
    text(byId("percent"), aside);
  }

  /** filed says what became of the photo's own name, if it was refused. */
  filed(words) {
    text(byId("filed"), words);
  }

  /** now says what the reader does, for those who do not see the notes beside the cover. */
  now(words) {
    text(byId("now"), words);
  }

  #show(visible) {
    show(byId("cover"), visible);
    show(byId("cover-blank"), !visible);
  }
}
