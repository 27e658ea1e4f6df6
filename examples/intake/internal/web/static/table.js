// Tables of results, which scroll in themselves.

import { el } from "./dom.js";
import { describeRest } from "./words.js";

/** drawTable draws {columns, rows, more} with a name for screen readers. */
export function drawTable({ columns, rows, more = 0 }, name) {
  return el("div", {},
    el("div", { class: "scroll", role: "group", tabindex: "0", "aria-label": name },
      el("table", { class: "values" },
        el("thead", {}, el("tr", {}, columns.map((c) => el("th", { scope: "col" }, c)))),
        el("tbody", {}, rows.map((r) => el("tr", {}, r.map((v) => el("td", {}, v))))))),
    more > 0 ? el("p", { class: "hint" }, describeRest(more, "more column")) : "");
}
