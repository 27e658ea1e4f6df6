// The chat: the transcript of a conversation about the books, the run that is in
// flight, and the person's other chats. The path has the id of the chat.

import * as api from "./api.js";
import { announce } from "./announce.js";
import { ApprovalRequest } from "./request.js";
import { fetchChat, listChats, sendMessage, decide } from "./chats.js";
import { describeEnd, describeStatus, readOutput } from "./chatwords.js";
import { byId, el, setText, setVisible } from "./dom.js";
import { isOffline, onNudge } from "./network.js";
import { clearSlot, showNotice } from "./notice.js";
import { retract } from "./run.js";
import { Talk } from "./talk.js";

let chat = location.pathname.split("/")[2] ?? ""; // the id, or "" before the first message
let newest = ""; // the id of the newest run
let next; // the cursor of the older turns
let status = "loading"; // or "ready", "sending" or "reading"
let canApprove = false;
let lastMessage = ""; // what was sent last, for another try
let isMissing = false;
const replaced = "A new message has replaced this request.";
const leaving = new AbortController();
const { signal } = leaving;

const talk = new Talk(byId("entries"), byId("transcript"), (event, run) => {
  return new ApprovalRequest(event, {
    canApprove,
    decide: (isApproved, reason) => decideRequest(run, event.approval_id, isApproved, reason),
  });
});

/** loadChat shows the chat from its transcript, and follows the run in flight. */
async function loadChat() {
  status = "loading";
  refresh();
  if (chat === "") {
    status = "ready";
    refresh();
    return;
  }
  let page;
  try {
    page = await fetchChat(chat, undefined, signal);
  } catch (err) {
    status = "ready";
    isMissing = err.status === 404;
    refresh();
    if (isMissing) showMissing(err);
    else showError("The chat could not be loaded", err, loadChat);
    return;
  }
  clearSlot(byId("chat-notice"));
  talk.clear();
  canApprove = page.rights.can_approve;
  newest = page.run_id ?? "";
  next = page.next;
  const turns = page.turns;
  talk.prepend(turns, newest);
  if (page.follow.length === 0) {
    const words = describeStatus(page.status);
    if (words) talk.aside(words);
  }
  talk.scrollToEnd();
  nameChat(turns.flatMap((t) => t.entries).find((e) => e.role === "user" && !page.next)?.text);
  status = "ready";
  refresh();
  await followAll(page.follow);
  talk.scrollToEnd();
}

async function loadEarlier() {
  byId("earlier").disabled = true;
  try {
    const page = await fetchChat(chat, next, signal);
    next = page.next;
    talk.prepend(page.turns, newest);
    announce(`${page.turns.length} earlier turns are shown.`);
    byId("transcript").focus({ preventScroll: true });
  } catch (err) {
    showError("Earlier messages could not be loaded", err, loadEarlier);
  }
  byId("earlier").disabled = false;
  refresh();
}

/** followAll follows runs, each of which continues the one before. */
async function followAll(runs) {
  for (const [i, run] of runs.entries()) {
    if (!(await followRun(run, { isContinued: i > 0, isFirst: i === 0, isPast: i < runs.length - 1 }))) return;
  }
}

/** followRun shows the events of a run until its end. It returns whether it could. */
async function followRun(run, { isContinued = false, isFirst = true, isPast = false, sent } = {}) {
  status = "reading";
  newest = run;
  refresh();
  talk.begin(run, { isContinued, isQuiet: isPast });
  let events = [];
  let mine = sent; // the message, until the run has it
  const waiting = (isLost) =>
    setText(byId("pulse-words"), isLost ? (isOffline() ? "offline" : "reconnecting") : "working");
  const show = (event) => {
    if (event.type === "user_message") {
      mine?.remove();
      mine = undefined;
      lastMessage = event.text;
      nameChat(event.text);
    }
    if (event.type === "chat" && isFirst && event.turns !== undefined) talk.dropTurns(event.turns);
    if (event.type === "run_queued") setText(byId("pulse-words"), "waiting for a place");
    if (event.type === "run_started") setText(byId("pulse-words"), "working");
    talk.show(event);
  };
  try {
    for await (const event of api.events(run, { signal, waiting, onNudge })) {
      if (event.type === "retract" || event.type === "reset") {
        events = event.type === "reset" ? [] : retract(events, event.after);
        talk.rewind();
        for (const e of events) show(e);
        continue;
      }
      events.push(event);
      show(event);
    }
  } catch (err) {
    if (signal.aborted) return false;
    status = "ready";
    refresh();
    talk.finish({ isPending: true });
    const isGone = err.status === 404 || err.status === 410;
    showError(
      isGone ? "This answer is not kept any more" : "The connection to the reader was lost",
      err,
      isGone ? undefined : loadChat,
    );
    return false;
  }
  const isPending = events.at(-1)?.type === "pending";
  talk.finish({ isPending });
  status = "ready";
  refresh();
  nameBooks(run);
  if (isPast) return true;
  const end = describeEnd(events.at(-1));
  if (end)
    showNotice(byId("chat-notice"), {
      ...end,
      actions: lastMessage ? [{ label: "Ask again", primary: true, run: () => send(lastMessage) }] : [],
    });
  if (end) byId("chat-notice").scrollIntoView({ block: "nearest" });
  return true;
}

/** nameBooks links the titles of the books that the calls of a run have returned. */
async function nameBooks(run) {
  for (const call of talk.unnamed()) {
    try {
      talk.name(readOutput(await api.fetchResult(run, call, signal)));
    } catch {
      // the titles are not links then
    }
  }
}

/** send sends a message, and follows the run that answers it. */
async function send(message) {
  status = "sending";
  refresh();
  clearSlot(byId("chat-notice"));
  const sent = talk.addMessage(message);
  sent.classList.add("sending");
  talk.scrollToEnd();
  let started;
  try {
    started = await sendMessage(chat, message, { signal });
  } catch (err) {
    if (signal.aborted) return;
    sent.remove();
    if (byId("message").value === "") byId("message").value = message;
    status = "ready";
    refresh();
    if (err.status === 409) {
      await loadChat(); // another tab has sent a message
      return;
    }
    showError("The message was not sent", err, () => send(takeMessage() || message));
    return;
  }
  talk.closeRequests(replaced);
  lastMessage = message;
  forgetUnsent();
  if (chat === "") {
    chat = started.chat;
    history.replaceState(null, "", `/chat/${chat}`);
    nameChat(message);
  }
  sent.classList.remove("sending");
  loadChats();
  await followRun(started.run, { sent, isFirst: false });
}

/** decideRequest records a decision and follows the run that continues. */
async function decideRequest(run, approval, isApproved, reason) {
  const continued = await decide(run, approval, isApproved, reason);
  clearSlot(byId("chat-notice"));
  announce(isApproved ? "Approved." : "Rejected.");
  byId("transcript").focus({ preventScroll: true });
  talk.show({ type: "approval_decided", approval_id: approval, approved: isApproved, reason });
  followRun(continued, { isContinued: true, isFirst: false });
}

async function stop() {
  byId("stop").disabled = true; // until the run has ended
  try {
    await api.stop(newest);
  } catch (err) {
    byId("stop").disabled = false;
    showError("The reader was not stopped", err, stop);
  }
}

function takeMessage() {
  const box = byId("message");
  const message = box.value.trim();
  box.value = "";
  return message;
}

/** nameChat shows the beginning of the first message as the name of the chat. */
function nameChat(message) {
  if (!message || byId("title").dataset.named) return;
  const name = message.replaceAll(/\s+/g, " ").slice(0, 120);
  setText(byId("title"), name);
  byId("title").dataset.named = "true";
  document.title = `${name} · Bookshelf`;
}

function showMissing(err) {
  setText(byId("title"), "This chat is not here");
  document.title = "Not here · Bookshelf";
  showNotice(byId("chat-notice"), {
    title: "It was not found",
    detail: `${api.explainError(err)} Nobody else sees your chats, and you do not see theirs.`,
    actions: [{ label: "Begin a new chat", primary: true, run: () => location.assign("/chat") }],
  });
}

function showError(title, err, again) {
  const box = showNotice(byId("chat-notice"), {
    kind: "error",
    title: err.status === 401 ? "You are not signed in" : title,
    detail: api.explainError(err),
    wait: err.retryAfter,
    actions: again ? [{ label: "Try again", primary: true, run: again }] : [],
  });
  box.scrollIntoView({ block: "nearest" });
}

/** refresh shows and enables the controls for the present state. */
function refresh() {
  const isFree = status === "ready" && !isMissing;
  byId("send").disabled = !isFree || byId("message").value.trim() === "";
  setVisible(byId("say"), !isMissing);
  setVisible(byId("pulse"), status === "reading" || status === "sending");
  if (status === "sending") setText(byId("pulse-words"), "sending");
  setVisible(byId("stop"), status === "reading");
  if (status !== "reading") byId("stop").disabled = false;
  setVisible(byId("earlier"), Boolean(next));
  setVisible(byId("greeting"), chat === "" && isFree && byId("entries").childElementCount === 0);
}

// The list of the other chats.

let nextChats;

async function loadChats(cursor) {
  try {
    const page = await listChats(cursor, signal);
    canApprove = page.rights.can_approve;
    const rows = page.chats.map(newChatRow);
    if (cursor) byId("chats").append(...rows);
    else byId("chats").replaceChildren(...rows);
    nextChats = page.next;
    setVisible(byId("more-chats"), Boolean(nextChats));
    setVisible(byId("chats-empty"), byId("chats").childElementCount === 0);
  } catch {
    // The chat itself says why. The list stays as it is.
  }
}

function newChatRow({ chat_id: id, title, started_at: at }) {
  return el(
    "li",
    {},
    el(
      "a",
      { href: `/chat/${encodeURIComponent(id)}`, "aria-current": id === chat && "page" },
      el("span", { class: "chat-name", dir: "auto" }, title),
      el("time", { class: "hint", datetime: at }, new Date(at).toLocaleDateString(undefined, { dateStyle: "medium" })),
    ),
  );
}

// A text that was not sent is kept for this tab. It is forgotten when somebody
// else takes over, like all that the tab stores.

const unsentKey = () => `unsent:${chat}`;

function forgetUnsent() {
  try {
    sessionStorage.removeItem(unsentKey());
  } catch {
    // the browser does not allow storage
  }
}

function keepUnsent() {
  try {
    sessionStorage.setItem(unsentKey(), byId("message").value);
  } catch {
    // the browser does not allow storage
  }
}

async function restoreUnsent() {
  try {
    await api.session.ready();
    if (byId("message").value === "") byId("message").value = sessionStorage.getItem(unsentKey()) ?? "";
  } catch {
    // the browser does not allow storage, or the server is away
  }
  refresh();
}

byId("say").addEventListener("submit", (e) => {
  e.preventDefault();
  if (!byId("send").disabled) send(takeMessage());
});
byId("message").addEventListener("keydown", (e) => {
  if (e.key !== "Enter" || e.shiftKey || e.isComposing) return;
  e.preventDefault();
  byId("say").requestSubmit();
});
byId("message").addEventListener("input", () => {
  keepUnsent();
  refresh();
});
byId("stop").addEventListener("click", stop);
byId("earlier").addEventListener("click", loadEarlier);
byId("more-chats").addEventListener("click", () => loadChats(nextChats));
for (const b of document.querySelectorAll("[data-say]")) b.addEventListener("click", () => send(b.dataset.say));

// Another tab may have sent a message meanwhile.
document.addEventListener("visibilitychange", async () => {
  if (document.visibilityState !== "visible" || status !== "ready" || chat === "" || isMissing) return;
  const page = await fetchChat(chat, undefined, signal).catch(() => undefined);
  if (page && page.run_id !== newest && status === "ready") loadChat();
});

loadChat();
loadChats();
restoreUnsent();
