// The page: uploads, the chat and the files.

import { chat, createKey, fetchChat, fetchMe, fetchSample, follow, Problem, stopRun } from "./api.js";
import { announce, byId, el, showError } from "./dom.js";
import { refreshFiles } from "./files.js";
import { formatBytes } from "./fold.js";
import { drawIdentity } from "./identity.js";
import { Attempts, readRejection } from "./rejection.js";
import { closeReport, openReport } from "./report.js";
import { Turn } from "./thread.js";
import { uploadFile } from "./upload.js";

let me = {};
let chatID = "";
let running = ""; // the id of the run in flight
const attempts = new Attempts();
let work = Promise.resolve(); // a chat has one run at a time, so messages wait for each other

const actions = { open: (id) => go({ file: id }), takeIn: (id, name) => say({ file_id: id }, `Take in ${name}`) };
const refresh = () => refreshFiles(actions);

/** say sends a message when the earlier ones are answered. */
function say(body, question) {
  work = work.then(() => send(body, question));
  return work;
}

/** send starts a run. A message that the server does not accept comes back into the input. */
async function send(body, question) {
  const chatThen = chatID;
  const key = attempts.key(chatThen, body, createKey);
  const sent = chatThen ? { ...body, chat_id: chatThen } : body;
  let hasStarted = false;
  let other = "";
  await run(question, () => chat(sent, key, (id) => {
    hasStarted = true;
    running = id;
    chatID = id.split(".")[0];
    go({ chat: chatID });
  }), (turn, err) => {
    if (hasStarted) return turn.fail(err.message);
    const rejection = readRejection(err);
    other = rejection.run;
    if (rejection.canRetry) attempts.keep(chatThen, body, key);
    turn.fail(rejection.message, rejection.canRetry ? () => retry(body, question) : undefined);
    if (body.message && byId("message").value === "") byId("message").value = body.message;
  });
  if (other) { // another page has started it
    running = other;
    await run("…", () => named(other));
  }
}

/** retry sends a rejected message again, and takes it out of the input. */
function retry(body, question) {
  const input = byId("message");
  if (input.value.trim() === body.message) input.value = "";
  input.focus();
  say(body, question);
}

/** run draws the events of a run. A Problem that ends them is passed to failed. */
async function run(question, events, failed = (turn, err) => turn.fail(err.message)) {
  const turn = new Turn(question);
  byId("stop").hidden = false;
  try {
    for await (const event of events()) {
      turn.add(event);
      const isStart = event.type === "step_started" && event.step === 1; // the upload is recorded by then
      if (isStart || (event.type === "tool_result" && event.name.endsWith("_profile"))) refresh();
    }
    turn.end();
  } catch (err) {
    if (err instanceof Problem) failed(turn, err);
    else {
      turn.fail("This page has a defect. Please reload it.");
      console.error(err);
    }
  } finally {
    running = "";
    byId("stop").hidden = true;
    refresh();
  }
}

/** take uploads files and takes each of them in. */
function take(files) {
  showError("");
  for (const file of files) {
    if (file.size === 0) showError(`“${file.name}” is empty.`);
    else if (file.size > me.max_upload) showError(`“${file.name}” is larger than ${formatBytes(me.max_upload)}.`);
    else sendFile(file);
  }
}

async function sendFile(file) {
  const stop = new AbortController();
  const bar = el("progress", { max: 1, value: 0, "aria-label": `Upload of ${file.name}` });
  const percent = el("span", { class: "hint" }, "0 %");
  const cancel = el("button", { type: "button", class: "button small", onClick: () => stop.abort() }, "Cancel");
  const row = el("li", {}, el("span", { class: "name" }, file.name), bar, percent, cancel);
  byId("uploads").append(row);
  try {
    const id = await uploadFile(file, (part) => {
      bar.value = part;
      percent.textContent = `${Math.floor(100 * part)} % of ${formatBytes(file.size)}`;
    }, stop.signal);
    row.remove();
    announce(`${file.name} is uploaded.`);
    refresh();
    say({ file_id: id }, `Take in ${file.name}`);
  } catch (err) {
    if (stop.signal.aborted) {
      row.remove();
      announce(`The upload of ${file.name} is cancelled.`);
      return;
    }
    const again = el("button", { type: "button", class: "button small", onClick: () => {
      row.remove();
      sendFile(file);
    } }, "Try again");
    const dismiss = el("button", { type: "button", class: "button small", onClick: () => row.remove() }, "Remove");
    row.replaceChildren(el("span", { class: "name" }, file.name), el("span", { class: "flaw", role: "alert" }, err.message), again, dismiss);
  }
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
    history.pushState(null, "", hash);
    showFile();
  } else {
    history.replaceState(null, "", hash);
  }
}

/** showFile shows the report that the address names. */
function showFile() {
  const id = new URLSearchParams(location.hash.slice(1)).get("file");
  if (!id) return closeReport();
  return openReport(id, { steward: me.is_steward, changed: refresh, close: () => {
    go({ file: "" });
    byId("files-title").focus?.();
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
      if (found.running && i === found.runs.length - 1) running = runID;
      work = work.then(() => run("…", () => named(runID)));
    }
  } catch (err) {
    go({ chat: "" });
    if (err.status !== 404) showError(err.message);
    else showError("This chat does not exist for you. A new one begins with your next message.");
  }
}

/** named yields the events of a run, and shows its question. */
async function* named(runID) {
  for await (const event of follow(runID)) {
    if (event.type === "user_message") {
      const question = byId("thread").lastElementChild.querySelector(".question");
      question.textContent = event.text;
    }
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
  byId("drop-hint").textContent = `or drop them here. CSV, TSV, JSON or JSON Lines, up to ${formatBytes(me.max_upload)} each.`;
  await refresh();
  showFile();
  await reopen();
}

for (const name of ["shipments.csv", "inventory.tsv", "purchase_orders.jsonl", "suppliers.csv", "bill_of_materials.json"]) {
  byId("samples").append(el("button", { type: "button", class: "link", onClick: async () => {
    try {
      take([new File([await fetchSample(name)], name)]);
    } catch (err) {
      showError(err.message);
    }
  } }, name), " ");
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
  if (running) stopRun(running).catch((err) => showError(err.message));
});
byId("more").addEventListener("click", () => refreshFiles(actions, true));
addEventListener("popstate", showFile);
begin();
