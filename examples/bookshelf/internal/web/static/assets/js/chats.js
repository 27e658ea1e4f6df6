// Requests about chats: one function for each path.

import { beginRun, encodeQuery, json, post } from "./api.js";

/** listChats returns a page of the person's chats, newest first: {chats, next}. */
export function listChats(cursor, signal) {
  return json(`/api/chat?${encodeQuery({ cursor })}`, { signal });
}

/** fetchChat returns a page of the transcript of a chat: {turns, next, run_id, status, follow, rights}. */
export function fetchChat(id, cursor, signal) {
  return json(`/api/chat/${encodeURIComponent(id)}?${encodeQuery({ cursor })}`, { signal });
}

/** sendMessage starts the run that answers a message, and returns {run, chat}. Without an id, it begins a chat. */
export async function sendMessage(id, message, options) {
  const { run, headers } = await beginRun("/api/chat", id ? { chat_id: id, message } : { message }, options);
  return { run, chat: headers.get("chat-id") ?? id };
}

/** decide approves or rejects a call for which a run waits, and returns the id of the run that continues. */
export async function decide(run, approval, isApproved, reason) {
  const path = `/api/runs/${encodeURIComponent(run)}/approvals/${encodeURIComponent(approval)}`;
  return (await json(path, post(reason ? { approved: isApproved, reason } : { approved: isApproved }))).run_id;
}
