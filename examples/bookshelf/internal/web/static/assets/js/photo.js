// The photo of a book: an image, or a blank cover in its place.

import { fetchThumbnail } from "./books.js";
import { el } from "./dom.js";
import { titleOf } from "./bookwords.js";

/**
 * createPhoto returns the whole photo of a book. The link to it expires, so a photo
 * that does not load is asked for once more: renew returns the book again.
 */
export function createPhoto(book, { renew, alt = "" } = {}) {
  const box = createBlank(book);
  if (book.photo_url) show(box, book.photo_url, { alt, failed: async () => renewPhoto(box, await renew(), alt) });
  return box;
}

function renewPhoto(box, fresh, alt) {
  if (fresh?.photo_url && box.isConnected) show(box, fresh.photo_url, { alt });
}

/** createThumbnail returns the small photo of a book. It is loaded when it comes near the screen. */
export function createThumbnail(book) {
  const box = createBlank(book);
  if (!book.thumbnail_url) return box;
  const near = new IntersectionObserver(
    async (entries) => {
      if (!entries.some((e) => e.isIntersecting)) return;
      near.disconnect();
      const url = await loadThumbnail(book.thumbnail_url);
      if (url) show(box, url, { done: () => URL.revokeObjectURL(url) });
    },
    { rootMargin: "50% 0px" },
  );
  near.observe(box);
  return box;
}

// A photo that cannot be decoded does not have a thumbnail. Its blank cover stays, as without a connection.
async function loadThumbnail(path) {
  try {
    return URL.createObjectURL(await fetchThumbnail(path));
  } catch {
    return undefined;
  }
}

function createBlank(book) {
  const blank = el("span", { class: "photo-blank", "aria-hidden": "true" }, el("span", {}, titleOf(book)));
  return el("div", { class: "photo" }, blank);
}

function show(box, url, { alt = "", failed, done }) {
  const img = el("img", { alt, decoding: "async", draggable: "false" });
  img.addEventListener("load", () => {
    box.classList.add("shown");
    done?.();
  });
  img.addEventListener("error", () => {
    img.remove();
    done?.();
    failed?.().catch(() => {}); // the blank cover stays
  });
  img.src = url;
  box.append(img);
}
