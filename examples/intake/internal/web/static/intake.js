// The page: uploads, the chat and the files.

import { chat, createKey, fetchChat, fetchMe, fetchSample, follow, Problem, stopRun } from "./api.js";
import { describeLoss } from "./connection.js";
import { announce, byId, el, showError } from "./dom.js";
import { focusFile, refreshFiles } from "./files.js";
import { drawIdentity } from "./identity.js";
import { Attempts, readRejection } from "./rejection.js";
import { closeReport, hasDrafts, openReport } from "./report.js";
import { Turn } from "./thread.js";
import { isSending, sendFile } from "./uploads.js";
import { formatBytes } from "./words.js";

let me = {};
let chatID = "";
let running = ""; // the id of the run in flight
const attempts = new Attempts();
let work = Promise.resolve(); // a chat has one run at a time, so messages wait for each other
let waiting = 0; // messages that wait or are being answered

const open = (id) => go({ file: id });
const takeIn = (id, name) => say({ file_id: id }, `Take in ${name}`);
const actions = { open, takeIn, changed: () => refreshFiles(actions) };
const refresh = actions.changed;

/** say shows a message, and sends it when the earlier ones are answered. */
function say(body, question) {
  const retry = () => say(body, question);
  const turn = new Turn(question, { open, retry, file: body.file_id });
  if (waiting++ > 0) turn.wait();
  work = work.then(() => send(turn, body, question)).finally(() => waiting--);
  return work;
}

/** send starts a run. A message that the server does not accept comes back into the input. */
async function send(turn, body, question) {
  const chatThen = chatID;
  const key = attempts.key(chatThen, body, createKey);
  const sent = chatThen ? { ...body, chat_id: chatThen } : body;
  let other = "";
  await run(turn, () => chat(sent, key, (id) => {
    start(turn, id);
    chatID = id.split(".")[0];
    go({ chat: chatID });
  }, showLoss), (err) => {
    if (turn.run) return turn.fail(err.message);
    const rejection = readRejection(err);
    other = rejection.run;
    if (rejection.canRetry) attempts.keep(chatThen, body, key);
    turn.fail(rejection.message, rejection.canRetry ? () => retry(body, question) : undefined);
    if (body.message && byId("message").value === "") byId("message").value = body.message;
  });
  if (other) { // another page has started it
    const found = new Turn("…", { open });
    start(found, other);
    await run(found, () => named(found, other));
  }
}

/** start notes the run that answers a turn. */
function start(turn, id) {
  turn.run = id;
  running = id;
  byId("stop").disabled = false;
}

/** retry sends a rejected message again, and takes it out of the input. */
function retry(body, question) {
  const input = byId("message");
  if (input.value.trim() === body.message) input.value = "";
  input.focus();
  say(body, question);
}

/** run draws the events of a run. A Problem that ends them is passed to failed. */
async function run(turn, events, failed = (err) => turn.fail(err.message)) {
  turn.begin();
  byId("stop").hidden = false;
  byId("stop").disabled = running === "";
  try {
    for await (const event of events()) {
      turn.add(event);
      const isStart = event.type === "step_started" && event.step === 1; // the upload is recorded by then
      if (isStart || (event.type === "tool_result" && event.name.endsWith("_profile"))) refresh();
    }
    turn.end();
  } catch (err) {
    if (err instanceof Problem) failed(err);
    else {
      turn.fail("This page has a defect. Please reload it.");
      console.error(err);
    }
  } finally {
    running = "";
    showStatus("");
    const stop = byId("stop");
    const hadFocus = document.activeElement === stop || stop.disabled;
    stop.hidden = true;
    if (hadFocus && document.activeElement === document.body) byId("message").focus({ preventScroll: true });
    refresh();
  }
}

function showStatus(words) {
  if (byId("status").textContent === words) return;
  byId("status").textContent = words;
  announce(words);
}

let isLost = false;

/** showLoss says whether the connection to a run is lost. */
function showLoss(isNow) {
  if (isLost && !isNow) announce("The connection is back.");
  isLost = isNow;
  showStatus(isNow ? describeLoss() : "");
}

/** take uploads files and takes each of them in. */
function take(files) {
  showError("");
  const problems = [];
  for (const file of files) {
    if (file.size === 0) problems.push(`“${file.name}” is empty.`);
    else if (file.size > me.max_upload) problems.push(`“${file.name}” is larger than ${formatBytes(me.max_upload)}.`);
    else {
      sendFile(file, (id) => {
        refresh();
        takeIn(id, file.name);
      });
    }
  }
  showError(problems.join(" "));
}

/** go changes the part of the address that names the chat and the file. */
function go(change) {
  const now = new URLSearchParams(location.hash.slice(1));
  for (const [name, value] of Object.entries(change)) {
    if (value) now.set(name, value);
    else now.delete(name);
  }
  const hash = `#${now}`;
  if (hash === location.hash) return;
  if ("file" in change) {
    history.pushState(null, "", hash === "#" ? location.pathname : hash);
    showFile();
  } else {
    history.replaceState(null, "", hash);
  }
}

const fileInAddress = () => new URLSearchParams(location.hash.slice(1)).get("file");
let shownFile = null;

/** showFile shows the report that the address names, or the chat. */
function showFile() {
  const id = fileInAddress();
  const before = shownFile;
  shownFile = id;
  if (!id) {
    if (closeReport()) focusFile(before);
    return undefined;
  }
  return openReport(id, { steward: me.is_steward, changed: refresh, close: () => go({ file: "" }), ask: () => {
    go({ file: "" });
    byId("message").focus();
  } });
}

/** reopen draws the chat that the address names again, and follows its run in flight. */
async function reopen() {
  const id = new URLSearchParams(location.hash.slice(1)).get("chat");
  if (!id) return;
  try {
    const found = await fetchChat(id);
    chatID = found.chat_id;
    for (const [i, runID] of found.runs.entries()) {
      const isRunning = found.running && i === found.runs.length - 1;
      const turn = new Turn("…", { open });
      turn.run = runID;
      waiting++;
      work = work.then(() => {
        if (isRunning) start(turn, runID);
        return run(turn, () => named(turn, runID));
      }).finally(() => waiting--);
    }
  } catch (err) {
    go({ chat: "" });
    if (err.status !== 404) showError(err.message);
    else showError("This chat was not found: it does not exist, or it is not yours. A new one begins with your next message.");
  }
}

/** named yields the events of a run, and shows its question. */
async function* named(turn, runID) {
  for await (const event of follow(runID, showLoss)) {
    if (event.type === "user_message") turn.question.textContent = event.text;
    yield event;
  }
}

async function begin() {
  try {
    me = await fetchMe();
  } catch (err) {
    showError(err.message);
    if (err.status === 401) setTimeout(() => location.reload(), 1500);
    return;
  }
  drawIdentity(me, () => {
    history.replaceState(null, "", location.pathname); // the chat and the file are those of another person
    location.reload();
  });
  byId("drop-hint").textContent = `or drop them here: CSV, TSV, JSON or JSON Lines, up to ${formatBytes(me.max_upload)} each`;
  showFile();
  await refresh();
  await reopen();
}

for (const name of ["shipments.csv", "inventory.tsv", "purchase_orders.jsonl", "suppliers.csv", "bill_of_materials.json"]) {
  byId("samples").append(el("li", {}, el("button", { type: "button", class: "link", onClick: async () => {
    try {
      take([new File([await fetchSample(name)], name)]);
    } catch (err) {
      showError(err.message);
    }
  } }, name)));
}
byId("file").addEventListener("change", (e) => {
  take([...e.target.files]);
  e.target.value = "";
});
const drop = byId("drop");
for (const type of ["dragover", "dragleave", "drop"]) {
  drop.addEventListener(type, (e) => {
    e.preventDefault();
    drop.classList.toggle("over", type === "dragover");
    if (type === "drop") take([...e.dataTransfer.files]);
  });
}
byId("ask").addEventListener("submit", (e) => {
  e.preventDefault();
  const message = byId("message").value.trim();
  if (!message) return;
  byId("message").value = "";
  showError("");
  say({ message }, message);
});
byId("stop").addEventListener("click", () => {
  if (!running) return;
  byId("stop").disabled = true;
  showStatus("Stopping…");
  stopRun(running).catch((err) => {
    byId("stop").disabled = false;
    showStatus(err.message);
  });
});
byId("more").addEventListener("click", () => refreshFiles(actions, true));
addEventListener("popstate", showFile);
addEventListener("beforeunload", (e) => (isSending() || hasDrafts()) && e.preventDefault()); // they would be lost
addEventListener("offline", () => running && showStatus(describeLoss()));
addEventListener("online", () => isLost || byId("stop").disabled || showStatus(""));
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && refresh()); // changed elsewhere
begin();
