// The rows of the list of chats. It does not need a DOM.

import { formatDay } from "./words.js";

/**
 * addPage returns {rows, next} of a list after a page of it has been read: the first page, or an older one. Chats keep
 * their order, so rows that an earlier request has read follow a new first page.
 */
export function addPage({ rows, next }, page, isOlder) {
  if (isOlder) return { rows: [...rows, ...page.chats], next: page.next ?? "" };
  const last = page.chats.at(-1)?.chat_id;
  const at = rows.findIndex((row) => row.chat_id === last);
  if (!page.next || at < 0) return { rows: page.chats, next: page.next ?? "" };
  return { rows: [...page.chats, ...rows.slice(at + 1)], next };
}

/** describeRow returns {title, day, label} of a chat: its title, when it began, and both for a screen reader. */
export function describeRow({ title, started_at: started }, now) {
  const name = title.trim() === "" ? "Chat without a title" : title;
  const day = formatDay(started, now);
  return { title: name, day, label: day ? `${name}, ${day}` : name };
}
