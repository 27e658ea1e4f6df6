// The page: it connects the address, the chat, the files and the uploads.

import { readAddress, writeAddress } from "./address.js";
import { fetchMe } from "./api.js";
import { hasChat, markChat, refreshChats } from "./chats.js";
import { offerFiles } from "./choosing.js";
import { Conversation } from "./conversation.js";
import { hasDrafts } from "./decision.js";
import { announce, byId, el, showError } from "./dom.js";
import { focusFile, refreshFiles } from "./files.js";
import { drawIdentity } from "./identity.js";
import { closeReport, openReport } from "./report.js";
import { isSending, sendFile } from "./uploads.js";
import { formatBytes } from "./words.js";

const page = {
  me: {},
  conversation: undefined, // the one that is shown; messages go to it
  others: new Set(), // conversations that are not shown and still being answered
  file: "", // the id of the file whose report is shown, or ""
};
const open = (id) => go({ file: id });
const takeIn = (id, name) => page.conversation?.say({ file_id: id }, `Take in ${name}`);
const actions = { open, takeIn, changed: () => refreshFiles(actions) };
const refresh = actions.changed;
const host = { changed: drawConversation, filesChanged, open, refused, retried };

/** filesChanged draws the files again, and the list of chats if a chat has just begun. */
function filesChanged({ id }) {
  refresh();
  if (id && !hasChat(id)) refreshChats();
}

/** go shows another chat or file, which becomes the next entry of the browser's history. */
function go(change) {
  const hash = writeAddress({ ...readAddress(location.hash), ...change });
  if (hash === location.hash) return;
  history.pushState(null, "", hash || location.pathname);
  show();
}

/** show shows the chat and the file that the address names. */
function show() {
  const { chat, file } = readAddress(location.hash);
  if (chat !== page.conversation?.id) {
    showError("");
    converse([...page.others].find((c) => chat && c.id === chat) ?? new Conversation(chat, host));
  }
  const before = page.file;
  page.file = file;
  if (file === before) return;
  const close = () => go({ file: "" });
  if (file) openReport(file, { steward: page.me.is_steward, changed: refresh, close, ask: askAboutIt });
  else if (closeReport()) focusFile(before);
}

function askAboutIt() {
  go({ file: "" });
  byId("message").focus();
}

/** converse shows a conversation. The one before goes on. */
function converse(conversation) {
  const before = page.conversation;
  if (before?.isBusy) page.others.add(before);
  page.others.delete(conversation);
  page.conversation = conversation;
  byId("thread").replaceWith(conversation.list);
  drawConversation(conversation);
}

/** drawConversation writes the id of the conversation that is shown into the address, and draws how it stands. */
function drawConversation(conversation) {
  if (conversation !== page.conversation) {
    if (!conversation.isBusy) page.others.delete(conversation);
    return;
  }
  const hash = writeAddress({ ...readAddress(location.hash), chat: conversation.id });
  if (hash !== location.hash) history.replaceState(null, "", hash || location.pathname);
  markChat(conversation.id);
  drawStanding(conversation);
}

/** drawStanding draws how the run of the conversation that is shown stands. */
function drawStanding(conversation) {
  const stop = byId("stop");
  const hadFocus = !stop.hidden && (document.activeElement === stop || stop.disabled);
  stop.hidden = !conversation.isAnswering;
  stop.disabled = conversation.run === "" || conversation.isStopping;
  const isLost = hadFocus && document.activeElement === document.body;
  if (stop.hidden && isLost) byId("message").focus({ preventScroll: true });
  if (byId("status").textContent === conversation.status) return;
  byId("status").textContent = conversation.status;
  announce(conversation.status);
}

/** refused explains why a chat is not shown, or gives a message back that the server did not accept. */
function refused(conversation, { err, message, question }) {
  const isShown = conversation === page.conversation;
  const input = byId("message");
  if (question && !isShown) showError(`“${question}” was not sent to its chat: ${err.message}`);
  else if (message && input.value === "") input.value = message;
  if (question || !isShown) return;
  if (err.status === 404) {
    showError("This chat was not found: it does not exist, or it is not yours. " +
      "A new one begins with your next message.");
  } else {
    showProblem(err, () => conversation.reopen());
  }
}

/** showProblem shows a failure with a button that tries again. */
function showProblem(err, again) {
  showError(err.message, el("button", { type: "button", class: "button small", onClick: () => {
    showError("");
    again();
  } }, "Try again"));
}

/** retried takes a message that is sent again out of the input. */
function retried(message) {
  const input = byId("message");
  if (input.value.trim() === message) input.value = "";
  input.focus();
}

/** take uploads files and takes each of them in. */
function take(files) {
  showError("");
  const problems = [];
  for (const file of files) {
    const { name, size } = file;
    if (size === 0) problems.push(`“${name}” is empty.`);
    else if (size > page.me.max_upload) problems.push(`“${name}” is larger than ${formatBytes(page.me.max_upload)}.`);
    else {
      sendFile(file, (id) => {
        refresh();
        takeIn(id, name);
      });
    }
  }
  showError(problems.join(" "));
}

async function begin() {
  try {
    page.me = await fetchMe();
  } catch (err) {
    if (err.status === 401) setTimeout(() => location.reload(), 1500);
    showProblem(err, begin);
    return;
  }
  drawIdentity(page.me, () => {
    history.replaceState(null, "", location.pathname); // the chat and the file are those of another person
    location.reload();
  });
  const most = formatBytes(page.me.max_upload);
  byId("drop-hint").textContent = `or drop them here: CSV, TSV, JSON or JSON Lines, up to ${most} each`;
  show();
  addEventListener("popstate", show); // also when a link of this page is pasted
  await Promise.all([refresh(), refreshChats()]);
}

offerFiles(take);
byId("ask").addEventListener("submit", (e) => {
  e.preventDefault();
  const message = byId("message").value.trim();
  if (!message || !page.conversation) return;
  byId("message").value = "";
  showError("");
  page.conversation.say({ message }, message);
});
byId("stop").addEventListener("click", () => page.conversation.stop());
byId("new-chat").addEventListener("click", () => {
  if (page.conversation.id) go({ chat: "" });
  else converse(new Conversation("", host)); // the first message is not accepted yet
  announce("This is a new chat.");
  byId("message").focus();
});
document.querySelector(".skip").addEventListener("click", (e) => {
  e.preventDefault(); // the address names the chat
  byId("main").focus();
});
byId("more").addEventListener("click", () => refreshFiles(actions, true));
byId("more-chats").addEventListener("click", () => refreshChats(true));
addEventListener("beforeunload", (e) => (isSending() || hasDrafts()) && e.preventDefault()); // they would be lost
for (const type of ["online", "offline"]) {
  addEventListener(type, () => page.conversation?.noteNetwork(type === "online"));
}
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  refresh(); // changed elsewhere
  refreshChats();
});
begin();
