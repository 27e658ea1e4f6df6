// The list of files, with the next step of each.

import { listFiles } from "./api.js";
import { byId, el, showError } from "./dom.js";
import { formatBytes, formatCount } from "./fold.js";

const steps = { user_upload: 0, profiled: 1, confirmed: 2, done: 3 };
const labels = ["Uploaded", "Profiled", "Confirmed"];
let next = "";

function drawFile(file, { open, takeIn }) {
  const facts = [];
  if (file.rows) facts.push(`${formatCount(file.rows)} rows`);
  if (file.size) facts.push(formatBytes(file.size));
  const done = steps[file.step] ?? 0;
  return el("li", { class: "file" },
    el("button", { type: "button", class: "name", onClick: () => open(file.id) }, file.name),
    el("p", { class: "hint" }, [file.kind === "unknown" ? "" : file.kind_label, ...facts, file.state].filter(Boolean).join(" · ")),
    file.failure ? el("p", { class: "flaw" }, file.failure) : "",
    file.owner === "you"
      ? el("ol", { class: "steps", "aria-label": `Progress of ${file.name}` },
        labels.map((label, i) => el("li", { class: i < done ? "past" : "" }, label, i < done ? el("span", { class: "visually-hidden" }, ", done") : "")))
      : "",
    file.can_take_in ? el("button", { type: "button", class: "button small", onClick: () => takeIn(file.id, file.name) }, "Take it in") : "",
    file.can_confirm ? el("button", { type: "button", class: "button small primary", onClick: () => open(file.id) }, "Look and confirm") : "");
}

/** refreshFiles draws the first page of the list, or adds an older one. */
export async function refreshFiles(actions, older = false) {
  const list = byId("files");
  try {
    const page = await listFiles(older ? next : "");
    next = page.next ?? "";
    const drawn = page.files.map((f) => drawFile(f, actions));
    if (older) list.append(...drawn);
    else {
      list.replaceChildren(...(drawn.length > 0 ? drawn : [el("li", { class: "hint" }, "You have not taken in a file yet.")]));
      byId("shared").replaceChildren(...page.shared.map((f) => drawFile(f, actions)));
      byId("shared-title").hidden = page.shared.length === 0;
    }
    byId("more").hidden = next === "";
  } catch (err) {
    showError(err.message);
  } finally {
    list.setAttribute("aria-busy", "false");
  }
}
