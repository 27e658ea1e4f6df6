// The operations page: counts, the list of uploads under a filter, and gentle
// polling while somebody is looking.

import * as api from "./api.js";
import { announce } from "./announce.js";
import { byId, show, text } from "./dom.js";
import { extended, filled, refreshed } from "./ledger.js";
import { clear, notice } from "./notice.js";
import { Row } from "./row.js";
import { count } from "./words.js";

const pageSize = 25;
const interval = 5_000; // between two looks, in milliseconds
const slowest = 60_000; // when the server does not answer

const empty = {
  "": "No uploads yet. The first one appears here as soon as a photo is on its way.",
  active: "Nothing is in progress right now.",
  waiting: "No card is waiting for review.",
  failed: "Nothing has failed.",
  success: "No card has been accepted yet.",
};

let filter = "";
let list = { rows: [], next: undefined };
const rows = new Map(); // Row by upload id
let asking = new AbortController(); // what is asked under the current filter
let timer = 0;
let pause = interval;
let seen = 0; // when the list was last answered

function draw() {
  const box = byId("rows");
  const ids = new Set(list.rows.map((r) => r.upload_id));
  for (const [id, row] of rows) {
    if (ids.has(id)) continue;
    row.element.remove();
    rows.delete(id);
  }
  let before = box.firstElementChild;
  for (const data of list.rows) {
    let row = rows.get(data.upload_id);
    if (row) row.update(data);
    else rows.set(data.upload_id, (row = new Row(data)));
    // Moving an element takes its focus away, so it moves only if it must.
    if (row.element === before) before = before.nextElementSibling;
    else box.insertBefore(row.element, before);
  }
  text(byId("empty"), empty[filter]);
  show(byId("empty"), list.rows.length === 0 && !list.next);
  show(byId("more"), Boolean(list.next));
}

function drawCounts(counts) {
  // Below this sum no class is full: the counting ended early, and each number may be too small.
  const more = counts.capped && counts.all < 1000 ? "+" : "";
  for (const node of document.querySelectorAll("[data-count]")) {
    const n = counts[node.dataset.count];
    text(node, Number.isFinite(n) ? count(n, counts.capped) + more : "–");
  }
}

/** look asks for the counts and the first page, and then waits for the next time. */
async function look() {
  clearTimeout(timer);
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  try {
    const [counts, page] = await Promise.all([
      api.counts(signal),
      filled((cursor) => api.files({ status: filter, limit: pageSize, cursor }, signal)),
    ]);
    if (signal.aborted) return;
    drawCounts(counts);
    list = refreshed(list, page);
    draw();
    clear(byId("ops-notice"));
    seen = Date.now();
    pause = interval;
  } catch (err) {
    if (signal.aborted) return;
    pause = Math.min(slowest, Math.max(pause * 2, (err.retryAfter ?? 0) * 1000));
    complain("The uploads could not be loaded", err, look);
  }
  byId("rows").removeAttribute("aria-busy");
  tick();
  if (document.visibilityState === "visible") timer = setTimeout(look, pause);
}

async function more() {
  const button = byId("more");
  const { signal } = asking;
  button.disabled = true;
  try {
    const page = await filled((cursor) => api.files({ status: filter, limit: pageSize, cursor }, signal), list.next);
    if (signal.aborted) return;
    list = extended(list, page);
    draw();
    announce(`${list.rows.length} uploads are shown.`);
  } catch (err) {
    if (!signal.aborted) complain("Older uploads could not be loaded", err, more);
  } finally {
    button.disabled = false;
  }
}

function complain(title, err, again) {
  notice(byId("ops-notice"), {
    kind: "error",
    title,
    detail: api.explain(err),
    actions: [{ label: "Try again", run: again }],
  });
}

function choose(wanted) {
  if (wanted === filter) return;
  filter = wanted;
  for (const b of document.querySelectorAll("[data-filter]")) {
    b.setAttribute("aria-pressed", String(b.dataset.filter === filter));
  }
  list = { rows: [], next: undefined };
  byId("rows").setAttribute("aria-busy", "true");
  look().then(() => announce(`${list.rows.length} uploads are shown.`));
}

/** tick keeps the words about time true between two looks. */
function tick() {
  for (const row of rows.values()) row.tick();
  if (seen === 0) return;
  const s = Math.round((Date.now() - seen) / 1000);
  text(byId("fresh"), s < 10 ? "Up to date" : `As it was ${s < 120 ? `${s} s` : `${Math.round(s / 60)} min`} ago`);
}

for (const b of document.querySelectorAll("[data-filter]")) b.addEventListener("click", () => choose(b.dataset.filter));
byId("refresh").addEventListener("click", look);
byId("more").addEventListener("click", more);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") look();
  else clearTimeout(timer);
});
setInterval(tick, 5_000);

// The desk links to an upload by its id: it is opened if it is on the page.
await look();
const linked = rows.get(location.hash.slice(1));
if (linked) {
  linked.toggle(true);
  linked.element.scrollIntoView({ block: "nearest" });
}
