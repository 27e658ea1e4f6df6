// The photo on the desk: the picture, the progress of its upload, and its name.

import { byId, setVisible, setText } from "./dom.js";

/** Cover controls the left side of the desk. */
export class Cover {
  #url = "";

  /** clear shows an empty cover. */
  clear() {
    const img = byId("cover");
    img.onload = img.onerror = null;
    img.removeAttribute("src");
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = "";
    this.blank("");
    this.filed("");
    this.now("");
    this.progress("\u00a0", 0, ""); // a space that keeps the line's height
  }

  /** picture shows a file. A file that is not an image stays a blank cover with its name. */
  picture(file, name) {
    const img = byId("cover");
    this.blank(name);
    this.#url = URL.createObjectURL(file);
    img.onload = () => this.#show(true);
    img.onerror = () => this.#show(false);
    img.src = this.#url;
  }

  /**
   * link shows the photo at a URL, and a blank cover with the name until it is
   * loaded. If it cannot be loaded, renew returns another URL, once.
   */
  link(url, name, renew) {
    const img = byId("cover");
    this.blank(name);
    img.onload = () => this.#show(true);
    img.onerror = async () => {
      this.#show(false);
      img.onerror = () => this.#show(false);
      const again = await renew().catch(() => undefined);
      if (again && img.getAttribute("src") === url) img.src = again;
    };
    img.src = url;
  }

  /** blank shows a cover without a picture. */
  blank(name) {
    setText(byId("cover-name"), name);
    this.#show(false);
  }

  /** progress shows the progress of the upload: a fraction from 0 to 1, or undefined if it is not known. */
  progress(label, fraction, aside) {
    const bar = byId("progress");
    if (fraction === undefined) bar.removeAttribute("value");
    else bar.value = fraction;
    setText(byId("sending"), label);
    setText(byId("percent"), aside);
  }

  /** filed shows the name of the photo if the server rejected the original name. */
  filed(words) {
    setText(byId("filed"), words);
  }

  /** now shows what the reader does, for screens without the notes beside the cover. */
  now(words) {
    setText(byId("now"), words);
  }

  #show(visible) {
    setVisible(byId("cover"), visible);
    setVisible(byId("cover-blank"), !visible);
  }
}
