// The files that are being uploaded.

import { announce, byId, el } from "./dom.js";
import { uploadFile } from "./upload.js";
import { formatBytes, sentence } from "./words.js";

let sending = 0;

/** isSending reports whether files are being uploaded. */
export const isSending = () => sending > 0;

/** sendFile uploads a file and shows its progress. arrived is called with its id. */
export async function sendFile(file, arrived) {
  const stop = new AbortController();
  const bar = el("progress", { max: 1, value: 0, "aria-label": `Upload of ${file.name}` });
  const percent = el("span", { class: "hint" }, "0 %");
  const button = (label, onClick) => el("button", { type: "button", class: "button small", onClick },
    label, el("span", { class: "visually-hidden" }, ` ${file.name}`));
  const cancel = button("Cancel", () => stop.abort());
  const row = el("li", {}, el("span", { class: "name" }, file.name), bar, percent, cancel);
  byId("uploads").append(row);
  sending++;
  try {
    const id = await uploadFile(file, (part) => {
      bar.value = part;
      percent.textContent = `${Math.floor(100 * part)} % of ${formatBytes(file.size)}`;
    }, stop.signal);
    row.remove();
    announce(`${file.name} is uploaded.`);
    arrived(id);
  } catch (err) {
    if (stop.signal.aborted) {
      row.remove();
      announce(`The upload of ${file.name} is cancelled.`);
      return;
    }
    const again = button("Try again", () => {
      row.remove();
      sendFile(file, arrived);
    });
    const reason = el("span", { class: "flaw", role: "alert" }, sentence(err.message));
    row.replaceChildren(el("span", { class: "name" }, file.name), reason, again, button("Remove", () => row.remove()));
  } finally {
    sending--;
  }
}
