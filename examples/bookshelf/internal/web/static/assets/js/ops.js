// The operations page: counts and a filtered list of uploads, with slow polling
// while the page is visible.

import * as api from "./api.js";
import { announce } from "./announce.js";
import { byId, setVisible, setText } from "./dom.js";
import { extendList, fetchFilledPage, refreshList } from "./ledger.js";
import { clearSlot, showNotice } from "./notice.js";
import { Row } from "./row.js";
import { formatCount } from "./words.js";

const pageSize = 25;
const interval = 5_000; // between two requests, in milliseconds
const slowest = 60_000; // the longest interval after errors

const empty = {
  "": "No uploads yet. The first one appears here when an upload starts.",
  active: "Nothing is in progress right now.",
  waiting: "No card is waiting for review.",
  failed: "Nothing has failed.",
  success: "No card has been accepted yet.",
};

let filter = "";
let list = { rows: [], next: undefined };
const rows = new Map(); // Row by upload id
let asking = new AbortController(); // for the requests with the current filter
let timer = 0;
let pause = interval;
let seen = 0; // the time of the last response

function drawRows() {
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
    // Moving an element removes its focus, so it moves only if necessary.
    if (row.element === before) before = before.nextElementSibling;
    else box.insertBefore(row.element, before);
  }
  setText(byId("empty"), empty[filter]);
  setVisible(byId("empty"), list.rows.length === 0 && !list.next);
  setVisible(byId("more"), Boolean(list.next));
}

function drawCounts(counts) {
  // Below this sum, no class is at its limit. The counting ended early, and each number may be too small.
  const more = counts.capped && counts.all < 1000 ? "+" : "";
  for (const node of document.querySelectorAll("[data-count]")) {
    const n = counts[node.dataset.count];
    setText(node, Number.isFinite(n) ? formatCount(n, counts.capped) + more : "–");
  }
}

/** refreshUploads loads the counts and the first page, and schedules the next refresh. */
async function refreshUploads() {
  clearTimeout(timer);
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  try {
    const [counts, page] = await Promise.all([
      api.fetchCounts(signal),
      fetchFilledPage((cursor) => api.listFiles({ status: filter, limit: pageSize, cursor }, signal)),
    ]);
    if (signal.aborted) return;
    drawCounts(counts);
    list = refreshList(list, page);
    drawRows();
    clearSlot(byId("ops-notice"));
    seen = Date.now();
    pause = interval;
  } catch (err) {
    if (signal.aborted) return;
    pause = Math.min(slowest, Math.max(pause * 2, (err.retryAfter ?? 0) * 1000));
    showError("The uploads could not be loaded", err, refreshUploads);
  }
  byId("rows").removeAttribute("aria-busy");
  updateTimes();
  if (document.visibilityState === "visible") timer = setTimeout(refreshUploads, pause);
}

async function loadOlder() {
  const button = byId("more");
  const { signal } = asking;
  button.disabled = true;
  try {
    const page = await fetchFilledPage((cursor) => api.listFiles({ status: filter, limit: pageSize, cursor }, signal), list.next);
    if (signal.aborted) return;
    list = extendList(list, page);
    drawRows();
    announce(`${list.rows.length} uploads are shown.`);
  } catch (err) {
    if (!signal.aborted) showError("Older uploads could not be loaded", err, loadOlder);
  } finally {
    button.disabled = false;
  }
}

function showError(title, err, again) {
  showNotice(byId("ops-notice"), {
    kind: "error",
    title,
    detail: api.explainError(err),
    actions: [{ label: "Try again", run: again }],
  });
}

function chooseFilter(wanted) {
  if (wanted === filter) return;
  filter = wanted;
  for (const b of document.querySelectorAll("[data-filter]")) {
    b.setAttribute("aria-pressed", String(b.dataset.filter === filter));
  }
  list = { rows: [], next: undefined };
  byId("rows").setAttribute("aria-busy", "true");
  refreshUploads().then(() => announce(`${list.rows.length} uploads are shown.`));
}

/** updateTimes updates relative times between two refreshes. */
function updateTimes() {
  for (const row of rows.values()) row.tick();
  if (seen === 0) return;
  const s = Math.round((Date.now() - seen) / 1000);
  setText(byId("fresh"), s < 10 ? "Up to date" : `Loaded ${s < 120 ? `${s} s` : `${Math.round(s / 60)} min`} ago`);
}

for (const b of document.querySelectorAll("[data-filter]")) b.addEventListener("click", () => chooseFilter(b.dataset.filter));
byId("refresh").addEventListener("click", refreshUploads);
byId("more").addEventListener("click", loadOlder);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") refreshUploads();
  else clearTimeout(timer);
});
setInterval(updateTimes, 5_000);

// The desk links to an upload by its id. It is opened if it is on the page.
await refreshUploads();
const linked = rows.get(location.hash.slice(1));
if (linked) {
  linked.toggle(true);
  linked.element.scrollIntoView({ block: "nearest" });
}
