// The ways to bring photos: choose them, drop them, paste them, take them with a
// camera, or take a sample.

import { explainError, fetchSample, listSamples } from "./api.js";
import { byId, el, isEnabled, setEnabled, setText, setVisible } from "./dom.js";
import { describeFolders, isMisplaced, readDrop } from "./drop.js";
import { clearSlot, showNotice } from "./notice.js";
import { acceptedFiles, describeLimits } from "./prepare.js";

const most = 100; // photos at a time
const noPhoto = {
  title: "There is no photo in the clipboard",
  detail: "It has text or something else. Copy a picture itself, not its address, and paste it again.",
};

/** Intake calls addFiles with the files that a person brings. */
export class Intake {
  #inputs = ["file", "camera", "file-more"].map(byId);
  #section = byId("intake");
  #slot = byId("intake-notice");
  #addFiles;

  constructor(addFiles) {
    this.#addFiles = addFiles;
    for (const input of this.#inputs) {
      input.accept = acceptedFiles;
      input.addEventListener("change", () => this.#take(input));
    }
    this.#listenForDrops(byId("drop"));
    document.addEventListener("paste", (e) => {
      const files = [...(e.clipboardData?.files ?? [])];
      if (files.length > 0) this.#offer(files);
      else if (e.clipboardData && this.isOpen && isMisplaced(e.clipboardData, e.target)) this.#explain(noPhoto);
    });
    setText(byId("drop-limits"), describeLimits());
    this.#fillShelf(byId("samples"));
  }

  /** isOpen reports whether the section is shown. Photos may be brought while it is not. */
  get isOpen() {
    return !this.#section.hidden;
  }

  /** show shows or hides the section. */
  show(isOpen) {
    clearSlot(this.#slot);
    setVisible(this.#section, isOpen);
  }

  /** takeEarly takes the files that were chosen before the page was ready. */
  takeEarly() {
    for (const input of this.#inputs) this.#take(input);
  }

  #take(input) {
    const files = [...input.files];
    input.value = ""; // so that the same file can be chosen again
    if (files.length > 0) this.#offer(files);
  }

  #offer(files) {
    clearSlot(this.#slot);
    if (files.length > most) {
      const title = `At most ${most} photos at a time, please.`;
      this.#explain({ kind: "error", title, detail: `These are ${files.length}.` });
      return;
    }
    if (files.length > 0) this.#addFiles(files);
  }

  #explain(notice) {
    showNotice(this.isOpen ? this.#slot : byId("upload-notice"), notice);
  }

  // The whole window accepts a drop, so that a photo that misses the box does
  // not replace the page.
  #listenForDrops(box) {
    const isFile = (e) => [...(e.dataTransfer?.types ?? [])].includes("Files");
    addEventListener("dragover", (e) => {
      if (!isFile(e)) return;
      e.preventDefault();
      e.dataTransfer.dropEffect = "copy";
      box.classList.add("over");
    });
    addEventListener("dragleave", (e) => {
      if (e.relatedTarget === null) box.classList.remove("over");
    });
    addEventListener("drop", (e) => {
      if (!isFile(e)) return;
      e.preventDefault();
      box.classList.remove("over");
      const { files, folders } = readDrop(e.dataTransfer);
      this.#offer(files);
      if (folders.length > 0) this.#explain(describeFolders(folders));
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
            el("img", { src: s.thumbnail, alt: "", width: 272, height: 408, decoding: "async" }),
            el("span", { class: "sample-title" }, s.title),
            el("span", { class: "sample-author" }, s.author),
          ),
        ),
      ),
    );
  }

  async #takeSample(offered, button) {
    if (!isEnabled(button)) return;
    setEnabled(button, false);
    try {
      const image = await fetchSample(offered.url);
      const ending = image.type === "image/jpeg" ? "jpg" : "png";
      // Another photo may have been chosen in the meantime.
      if (this.isOpen) this.#offer([new File([image], `${offered.name}.${ending}`, { type: image.type })]);
    } catch (err) {
      showNotice(this.#slot, {
        kind: "error",
        title: "The sample could not be loaded",
        detail: explainError(err),
      });
    } finally {
      setEnabled(button, true);
    }
  }
}
