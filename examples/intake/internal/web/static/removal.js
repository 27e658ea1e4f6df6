// The button that removes a file, which asks once more.

import { deleteFile } from "./api.js";
import { announce, el } from "./dom.js";

/** drawRemoval draws the button. removed is called after the file is removed. */
export function drawRemoval(file, removed) {
  const error = el("div", {});
  const row = el("div", { class: "actions" });
  const button = (label, onClick, named) => el("button", { type: "button", class: "button small", onClick },
    label, named ? el("span", { class: "visually-hidden" }, ` ${file.name}`) : "");
  const begin = button("Remove", () => {
    const keep = button("Keep it", () => {
      error.replaceChildren();
      row.replaceChildren(begin);
      begin.focus();
    });
    row.replaceChildren(button("Remove it for good", remove), keep);
    keep.focus();
  }, true);
  async function remove() {
    try {
      await deleteFile(file.id);
      announce(`${file.name} is removed.`);
      removed();
    } catch (err) {
      error.replaceChildren(el("p", { class: "notice error", role: "alert" }, err.message));
    }
  }
  row.append(begin);
  return el("div", { class: "removal" }, row, error);
}
