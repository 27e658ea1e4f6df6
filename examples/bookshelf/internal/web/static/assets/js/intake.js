// The ways to bring a photo: choose it, drop it, paste it, or take a sample.

import { explainError, fetchSample, listSamples } from "./api.js";
import { byId, el, setVisible } from "./dom.js";
import { clearSlot, showNotice } from "./notice.js";
import { checkFile } from "./upload.js";

/** Intake calls take with each acceptable file. */
export class Intake {
  #section = byId("intake");
  #slot = byId("intake-notice");
  #take;

  constructor(take) {
    this.#take = take;
    const input = byId("file");
    input.addEventListener("change", () => {
      this.#offer([...input.files]);
      input.value = ""; // so that the same file can be chosen again
    });
    this.#listenForDrops(byId("drop"));
    document.addEventListener("paste", (e) => {
      const files = [...(e.clipboardData?.files ?? [])];
      if (this.#open() && files.length > 0) this.#offer(files);
    });
    this.#fillShelf(byId("samples"));
  }

  /** show shows or hides the section. */
  show(open) {
    clearSlot(this.#slot);
    setVisible(this.#section, open);
  }

  #open() {
    return !this.#section.hidden;
  }

  #offer(files) {
    clearSlot(this.#slot);
    if (files.length === 0) return;
    if (files.length > 1) {
      showNotice(this.#slot, { kind: "error", title: "One cover at a time, please." });
      return;
    }
    const complaint = checkFile(files[0]);
    if (complaint) showNotice(this.#slot, { kind: "error", title: "This file cannot be read", detail: complaint });
    else this.#take(files[0]);
  }

  // The whole window accepts a drop, so that a photo that misses the box does
  // not replace the page.
  #listenForDrops(box) {
    const isFile = (e) => [...(e.dataTransfer?.types ?? [])].includes("Files");
    addEventListener("dragover", (e) => {
      if (!isFile(e)) return;
      e.preventDefault();
      e.dataTransfer.dropEffect = this.#open() ? "copy" : "none";
      box.classList.add("over");
    });
    addEventListener("dragleave", (e) => {
      if (e.relatedTarget === null) box.classList.remove("over");
    });
    addEventListener("drop", (e) => {
      if (!isFile(e)) return;
      e.preventDefault();
      box.classList.remove("over");
      if (this.#open()) this.#offer([...e.dataTransfer.files]);
    });
  }

  async #fillShelf(shelf) {
    let offered;
    try {
      offered = await listSamples();
    } catch (err) {
      shelf.replaceChildren(el("li", { class: "hint" }, explainError(err)));
      return;
    } finally {
      shelf.removeAttribute("aria-busy");
    }
    shelf.replaceChildren(
      ...offered.map((s) =>
        el(
          "li",
          { class: "sample" },
          el(
            "button",
            { type: "button", onclick: (e) => this.#takeSample(s, e.currentTarget) },
            el("img", { src: s.url, alt: "", width: 600, height: 900, decoding: "async" }),
            el("span", { class: "sample-title" }, s.title),
            el("span", { class: "sample-author" }, s.author),
          ),
        ),
      ),
    );
  }

  async #takeSample(offered, button) {
    button.disabled = true;
    try {
      const image = await fetchSample(offered.url);
      const ending = image.type === "image/jpeg" ? "jpg" : "png";
      // Another photo may have been chosen in the meantime.
      if (this.#open()) this.#offer([new File([image], `${offered.name}.${ending}`, { type: image.type })]);
    } catch (err) {
      showNotice(this.#slot, {
        kind: "error",
        title: "The sample could not be loaded",
        detail: explainError(err),
      });
    } finally {
      button.disabled = false;
    }
  }
}
