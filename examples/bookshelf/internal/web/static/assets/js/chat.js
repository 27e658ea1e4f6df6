// The chat: the transcript of a conversation about the books, the run that is in
// flight, and the person's other chats. The path has the id of the chat.

import * as api from "./api.js";
import { announce } from "./announce.js";
import { ChatList } from "./chatlist.js";
import { fetchChat, sendMessage, decide } from "./chats.js";
import { describeControls, describeLoss, describeRunEnd, nameOf, newChatState, readEvent } from "./chatstate.js";
import { describeStatus, readOutput } from "./chatwords.js";
import { byId, setText, setVisible } from "./dom.js";
import { isOffline, onNudge } from "./network.js";
import { clearSlot, showNotice } from "./notice.js";
import { ApprovalRequest } from "./request.js";
import { tellEvents } from "./run.js";
import { Talk } from "./talk.js";
import { Unsent } from "./unsent.js";
import { describePulse } from "./words.js";

const replaced = "A new message has replaced this request.";
const { signal } = new AbortController();
const state = newChatState(location.pathname);
const unsent = new Unsent();
const chats = new ChatList(() => state.chat, signal);

const talk = new Talk(byId("entries"), byId("transcript"), (event, run) => {
  const send = (isApproved, reason) => decideRequest(run, event.approval_id, isApproved, reason);
  return new ApprovalRequest(event, { canApprove: state.canApprove, decide: send });
});

/** change changes the state, and shows and enables the controls. */
function change(values = {}) {
  Object.assign(state, values);
  const { value: text } = byId("message");
  const controls = describeControls(state, { text, entries: byId("entries").childElementCount });
  byId("send").disabled = !controls.canSend;
  setVisible(byId("say"), controls.hasBox);
  setVisible(byId("pulse"), controls.isBusy);
  if (state.status === "sending") setText(byId("pulse-words"), "sending");
  setVisible(byId("stop"), controls.canStop);
  if (!controls.canStop) byId("stop").disabled = false;
  setVisible(byId("earlier"), controls.hasEarlier);
  setVisible(byId("greeting"), controls.hasGreeting);
}

/** loadChat shows the chat from its transcript, and follows the run in flight. */
async function loadChat() {
  change({ status: state.chat === "" ? "ready" : "loading" });
  if (state.chat === "") return;
  let page;
  try {
    page = await fetchChat(state.chat, undefined, signal);
  } catch (err) {
    change({ status: "ready", isMissing: err.status === 404 });
    if (state.isMissing) showMissing(err);
    else showError("The chat could not be loaded", err, loadChat);
    return;
  }
  showPage(page);
  await followAll(page.follow);
  talk.scrollToEnd();
}

/** showPage shows the newest page of the transcript. */
function showPage({ turns, next, run_id: run = "", status, follow, rights }) {
  clearSlot(byId("chat-notice"));
  talk.clear();
  talk.prepend(turns, run);
  const words = follow.length === 0 ? describeStatus(status) : "";
  if (words) talk.aside(words);
  talk.scrollToEnd();
  if (!next) nameChat(turns.flatMap((t) => t.entries).find((e) => e.role === "user")?.text);
  change({ status: "ready", run, next, canApprove: rights.can_approve });
}

async function loadEarlier() {
  byId("earlier").disabled = true;
  try {
    const page = await fetchChat(state.chat, state.next, signal);
    state.next = page.next;
    talk.prepend(page.turns, state.run);
    announce(`${page.turns.length} earlier turns are shown.`);
    byId("transcript").focus({ preventScroll: true });
  } catch (err) {
    showError("Earlier messages could not be loaded", err, loadEarlier);
  }
  byId("earlier").disabled = false;
  change();
}

/** followAll follows runs, each of which continues the one before. */
async function followAll(runs) {
  for (const [i, run] of runs.entries()) {
    if (!(await followRun(run, { isContinued: i > 0, isFirst: i === 0, isPast: i < runs.length - 1 }))) return;
  }
}

/**
 * followRun shows the events of a run until its end, and returns whether it could. sent is the message that the run
 * answers, until the run has it; isPast states that another run follows.
 */
async function followRun(run, { isContinued = false, isFirst = true, isPast = false, sent } = {}) {
  change({ status: "reading", run });
  talk.begin(run, { isContinued, isQuiet: isPast });
  let events;
  try {
    const view = { show: (event) => showEvent(event, isFirst, sent), rewind: () => talk.rewind() };
    events = await tellEvents(api.events(run, { signal, waiting: showConnection, onNudge }), view);
  } catch (err) {
    if (!signal.aborted) showLoss(err);
    return false;
  }
  talk.finish({ isPending: events.at(-1)?.type === "pending" });
  change({ status: "ready" });
  nameBooks(run);
  if (!isPast) showEnd(events.at(-1));
  return true;
}

function showEvent(event, isFirst, sent) {
  const { message, turns, pulse } = readEvent(event, isFirst);
  if (message !== undefined) {
    sent?.remove();
    state.message = message;
    nameChat(message);
  }
  if (turns !== undefined) talk.dropTurns(turns);
  if (pulse) setText(byId("pulse-words"), pulse);
  talk.show(event);
}

function showConnection(isLost) {
  setText(byId("pulse-words"), describePulse({ isLost, isOffline: isOffline() }));
}

/** showLoss shows that a run cannot be followed any more. It may be waiting for an approval. */
function showLoss(err) {
  change({ status: "ready" });
  talk.finish({ isPending: true });
  const { title, isFinal } = describeLoss(err);
  showError(title, err, isFinal ? undefined : loadChat);
}

/** showEnd shows how a run has ended, if that is not as usual. */
function showEnd(last) {
  const end = describeRunEnd(last, state.message);
  if (!end) return;
  const { again, ...notice } = end;
  const actions = again ? [{ label: "Ask again", primary: true, run: () => send(again) }] : [];
  showNotice(byId("chat-notice"), { ...notice, actions }).scrollIntoView({ block: "nearest" });
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
  change({ status: "sending" });
  clearSlot(byId("chat-notice"));
  const sent = talk.addMessage(message);
  sent.classList.add("sending");
  talk.scrollToEnd();
  let started;
  try {
    started = await sendMessage(state.chat, message, { signal });
  } catch (err) {
    if (signal.aborted) return;
    sent.remove();
    await explainUnsent(message, err);
    return;
  }
  talk.closeRequests(replaced);
  unsent.forget(state.chat);
  state.message = message;
  if (state.chat === "") beginChat(started.chat, message);
  sent.classList.remove("sending");
  loadChats();
  await followRun(started.run, { sent, isFirst: false });
}

/** explainUnsent gives a message back that was not sent. */
async function explainUnsent(message, err) {
  if (byId("message").value === "") byId("message").value = message;
  change({ status: "ready" });
  if (err.status === 409) await loadChat(); // another tab has sent a message
  else showError("The message was not sent", err, () => send(takeMessage() || message));
}

/** beginChat gives a new chat its address. */
function beginChat(id, message) {
  state.chat = id;
  history.replaceState(null, "", `/chat/${id}`);
  nameChat(message);
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
    await api.stop(state.run);
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
  const name = nameOf(message);
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

async function loadChats() {
  const rights = await chats.load();
  if (rights) state.canApprove = rights.can_approve;
}

async function restoreUnsent() {
  try {
    await api.session.ready();
  } catch {
    return change(); // the server is away, so it is not known to whom the text belongs
  }
  if (byId("message").value === "") byId("message").value = unsent.restore(state.chat);
  return change();
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
  unsent.keep(state.chat, byId("message").value);
  change();
});
byId("stop").addEventListener("click", stop);
byId("earlier").addEventListener("click", loadEarlier);
for (const b of document.querySelectorAll("[data-say]")) b.addEventListener("click", () => send(b.dataset.say));

// Another tab may have sent a message meanwhile.
document.addEventListener("visibilitychange", async () => {
  const isIdle = () => state.status === "ready" && state.chat !== "" && !state.isMissing;
  if (document.visibilityState !== "visible" || !isIdle()) return;
  const page = await fetchChat(state.chat, undefined, signal).catch(() => undefined);
  if (page && page.run_id !== state.run && isIdle()) loadChat();
});

loadChat();
loadChats();
restoreUnsent();
