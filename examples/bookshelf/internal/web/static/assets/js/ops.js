// The operations page: the uploads with their numbers, a filter and a search. What
// it shows is in the URL, and it polls while it is visible.

import { announce } from "./announce.js";
import * as api from "./api.js";
import { byId, setText, setVisible } from "./dom.js";
import { clearSlot, showNotice } from "./notice.js";
import { formatView, isSameList, parseView } from "./opsview.js";
import { Poller } from "./poll.js";
import { countUploads } from "./uploads.js";
import { UploadList } from "./uploadlist.js";
import { formatCount } from "./words.js";

const typingPause = 300; // milliseconds after which a search begins
const searchPause = 30_000; // between two refreshes of a search, which reads many rows
const countPause = 15_000; // between two requests for the numbers, each of which reads many rows, if no row has changed
const tickPause = 5_000;

let view = parseView(location.search, location.hash);
let asking = new AbortController(); // for the requests of the current list
let tag; // of the counts
let counts = {};
let seen = 0; // the time of the last answer
let searched = 0; // and of that of a search
let counted = 0; // and of the numbers
let typing = 0; // the timer of the search
let isTyped = false; // whether the current search is in an entry of the history

const list = new UploadList({
  toggled: (id, open) => {
    go({ ...view, open: open ? [...view.open, id] : view.open.filter((o) => o !== id) });
    if (open) poller.hurry();
  },
  acted: () => {
    searched = counted = 0;
    poller.hurry();
  },
});
const poller = new Poller(refresh);

/** go changes the view and its URL. */
async function go(next, { replace = false } = {}) {
  const url = formatView(next);
  if (url !== location.pathname + location.search || location.hash) {
    if (replace) history.replaceState(null, "", url);
    else history.pushState(null, "", url);
  }
  await show(next);
}

/** show shows a view. */
async function show(next) {
  const isSame = isSameList(view, next) && seen > 0;
  view = next;
  drawView();
  if (isSame) await open();
  else await load();
}

/** load loads the list of the view from its beginning. */
async function load() {
  poller.stop();
  asking.abort();
  asking = new AbortController();
  tag = undefined;
  byId("rows").setAttribute("aria-busy", "true");
  await poller.now();
  if (document.visibilityState !== "visible") poller.stop();
}

/** refresh is one round of polling. It returns whether something has changed. */
async function refresh() {
  const { signal } = asking;
  const isFirst = byId("rows").hasAttribute("aria-busy");
  try {
    const isDue = isFirst || Date.now() - counted > countPause;
    const [hasRows, hasCounts] = await Promise.all([
      isFirst ? loadList(signal) : refreshList(signal),
      isDue && loadCounts(signal),
    ]);
    if (hasRows && !isDue) await loadCounts(signal);
    if (signal.aborted) return false;
    clearSlot(byId("ops-notice"));
    seen = Date.now();
    tick();
    return hasCounts || hasRows;
  } catch (err) {
    if (signal.aborted) return false;
    if (isFirst) list.clear(view);
    showError("The uploads could not be loaded", err, isFirst ? load : () => poller.now());
    tick();
    throw err;
  }
}

async function loadCounts(signal) {
  const answer = await countUploads(view, tag, signal);
  if (signal.aborted) return false;
  counted = Date.now();
  if (!answer.body) return false;
  ({ tag, body: counts } = answer);
  drawCounts();
  return true;
}

async function loadList(signal) {
  await list.load(view, signal);
  if (signal.aborted) return false;
  searched = Date.now();
  await open();
  return true;
}

async function refreshList(signal) {
  if (view.q && Date.now() - searched < searchPause) return false;
  searched = Date.now();
  return list.refresh(signal);
}

async function open() {
  await list.open(view.open, asking.signal);
}

async function loadMore() {
  const button = byId("more");
  button.setAttribute("aria-disabled", "true"); // it keeps the focus
  try {
    await list.more(asking.signal);
  } catch (err) {
    if (!asking.signal.aborted) showError("Older uploads could not be loaded", err, loadMore);
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

function showError(title, err, again) {
  showNotice(byId("ops-notice"), {
    kind: "error",
    title,
    detail: api.explainError(err),
    wait: err.retryAfter,
    actions: [{ label: "Try again", run: again }],
  });
}

function drawCounts() {
  // Below this sum, no class is at its limit. The counting ended early, and each number may be too small.
  const more = counts.capped && counts.all < 1000 ? "+" : "";
  for (const node of document.querySelectorAll("[data-count]")) {
    const n = counts[node.dataset.count];
    setText(node, Number.isFinite(n) ? formatCount(n, counts.capped) + more : "–");
  }
}

/** drawView shows the filter and the search of the view. */
function drawView() {
  for (const link of document.querySelectorAll("[data-filter]")) {
    const { filter } = link.dataset;
    link.href = formatView({ ...view, status: filter, open: [] });
    if (filter === view.status) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  if (byId("q").value.trim() !== view.q) byId("q").value = view.q;
  byId("mine").checked = view.owner === "me";
  const isOps = api.session.who?.roles?.includes("ops") ?? false;
  setVisible(byId("whose"), isOps);
  setText(byId("waiting-name"), isOps && view.owner !== "me" ? "Waiting for review" : "Waiting for you");
  setText(
    byId("lead"),
    isOps && view.owner !== "me" ? "All uploads of your tenant and their status." : "Your uploads and their status.",
  );
}

function tick() {
  list.tick();
  if (seen === 0) return;
  const s = Math.round((Date.now() - seen) / 1000);
  setText(byId("fresh"), s < 30 ? "Up to date" : `Loaded ${s < 120 ? `${s} s` : `${Math.round(s / 60)} min`} ago`);
}

/** search changes the search. The first change of a series is an entry in the history. */
function search() {
  clearTimeout(typing);
  const q = byId("q").value.trim().slice(0, 200);
  if (q === view.q) return;
  const replace = isTyped;
  isTyped = true;
  go({ ...view, q, open: [] }, { replace }).then(() => {
    if (q === view.q) announce(byId("found").textContent || byId("empty").textContent);
  });
}

function begin() {
  for (const link of document.querySelectorAll("[data-filter]")) {
    link.addEventListener("click", (e) => {
      if (e.ctrlKey || e.metaKey || e.shiftKey || e.altKey) return; // another tab or window
      e.preventDefault();
      isTyped = false;
      go({ ...view, status: link.dataset.filter, open: [] });
    });
  }
  byId("search").addEventListener("submit", (e) => {
    e.preventDefault();
    search();
    isTyped = false;
  });
  byId("q").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(search, typingPause);
  });
  byId("q").addEventListener("blur", () => (isTyped = false));
  byId("mine").addEventListener("change", () => go({ ...view, owner: byId("mine").checked ? "me" : "", open: [] }));
  byId("refresh").addEventListener("click", load);
  byId("more").addEventListener("click", () => byId("more").hasAttribute("aria-disabled") || loadMore());
  byId("fresh-rows").addEventListener("click", () => list.settle());
  addEventListener("popstate", () => {
    isTyped = false;
    show(parseView(location.search, location.hash));
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") poller.now();
    else poller.stop();
  });
  setInterval(tick, tickPause);
}

begin();
const linked = parseView("", location.hash).open[0]; // from the desk
if (location.hash && linked) history.replaceState(null, "", formatView(view));
await api.session.ready().catch(() => {}); // the requests explain why
drawView();
await load();
if (linked) list.show(linked);
