// The photo of a book: an image, or a blank cover in its place.

import { el } from "./dom.js";
import { titleOf } from "./bookwords.js";

/**
 * createPhoto returns the photo of a book. The link to it expires, so a photo
 * that does not load is asked for once more: renew returns the book again.
 */
export function createPhoto(book, { renew, lazy = true, alt = "" } = {}) {
  const box = el("div", { class: "photo" }, el("span", { class: "photo-blank", "aria-hidden": "true" }, el("span", {}, titleOf(book))));
  if (book.photo_url) show(box, book.photo_url, { renew, lazy, alt });
  return box;
}

function show(box, url, { renew, lazy, alt }) {
  const img = el("img", { alt, loading: lazy && "lazy", decoding: "async", draggable: "false" });
  img.addEventListener("load", () => box.classList.add("shown"));
  img.addEventListener("error", async () => {
    img.remove();
    const fresh = await renew?.().catch(() => undefined);
    if (fresh?.photo_url && box.isConnected) show(box, fresh.photo_url, { lazy, alt });
  });
  img.src = url;
  box.append(img);
}
