// What the chat shows of its events, and what it says about them. All functions
// are pure.

import { describeStop } from "./outcome.js";

const bookTools = ["list_books", "search_books", "read_book", "share_book"];

/** canName reports whether the result of a tool can have books. */
export const canName = (tool) => bookTools.includes(tool);

/** findBooks returns the books {id, title} in the output of a tool. */
export function findBooks(output) {
  if (output === null || typeof output !== "object") return [];
  const rows = Array.isArray(output.books) ? output.books : [output];
  return rows
    .filter((row) => typeof row?.book_id === "string" && typeof row.title === "string" && row.title.trim() !== "")
    .map((row) => ({ id: row.book_id, title: row.title }));
}

/** readOutput returns the JSON of a result {blocks} of a tool, or undefined. */
export function readOutput({ blocks }) {
  for (const { json, text } of blocks ?? []) {
    if (json !== undefined) return json;
    try {
      return JSON.parse(text);
    } catch {
      // not JSON
    }
  }
  return undefined;
}

const mostBooks = 200; // that are looked for in a text
const quotes = "[“”\"„«»‘’'*_]";
const escape = (text) => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

/** pattern returns what a title looks like in a text. A short word is a title only in quotation marks. */
function pattern(title) {
  const words = escape(title);
  if (title.length >= 8 || /\s/.test(title)) return `(?<![\\p{L}\\p{N}])${words}(?![\\p{L}\\p{N}])`;
  return `(?<=${quotes})${words}(?=${quotes})`;
}

/**
 * linkBooks splits a text into {text, id}, where id is that of the book whose
 * title the text is. Books with the same title are taken in turn.
 */
export function linkBooks(text, books) {
  const byTitle = new Map();
  for (const { id, title } of books.slice(-mostBooks)) {
    const ids = byTitle.get(title) ?? [];
    if (!ids.includes(id)) byTitle.set(title, [...ids, id]);
  }
  if (byTitle.size === 0) return [{ text }];
  const titles = [...byTitle.keys()].sort((a, b) => b.length - a.length);
  const found = new RegExp(titles.map(pattern).join("|"), "gu");
  const seen = new Map();
  const parts = [];
  let end = 0;
  for (const { 0: title, index } of text.matchAll(found)) {
    if (index > end) parts.push({ text: text.slice(end, index) });
    const ids = byTitle.get(title);
    const n = seen.get(title) ?? 0;
    seen.set(title, n + 1);
    parts.push({ text: title, id: ids[Math.min(n, ids.length - 1)] });
    end = index + title.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

/** describeEnd returns a notice about the last event of a run, or undefined if there is nothing to say. */
export function describeEnd(event) {
  if (event?.type === "complete" && event.stop_reason) return describeStop(event.stop_reason);
  if (event?.type !== "error") return undefined;
  if (event.code === "stopped") return { kind: "info", title: "You stopped the reader" };
  if (event.code === "budget") return { kind: "info", title: "The reader has to wait", detail: event.message };
  return { kind: "error", title: "The reader stopped early", detail: event.message };
}

/** describeStatus returns how the newest run of a transcript ended, or "" if it is complete. */
export function describeStatus(status) {
  if (status === "stopped") return "You stopped the reader here.";
  if (status === "failed" || status === "limit") return "The reader stopped early here.";
  return "";
}

/** describeExpiry returns until when a request for an approval can be decided, or "" if it is too late. */
export function describeExpiry(expires, now) {
  const left = Date.parse(expires) - now;
  if (Number.isNaN(left)) return "The request does not say how long it waits.";
  if (left <= 0) return "";
  const at = new Date(expires);
  const today = new Date(now).toDateString() === at.toDateString();
  const time = today
    ? at.toLocaleTimeString(undefined, { timeStyle: "short" })
    : at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  const min = Math.ceil(left / 60_000);
  return min < 60 ? `It waits until ${time}, ${min} min from now.` : `It waits until ${time}.`;
}

/** longestReason is the length of the longest reason of a decision, in bytes. */
export const longestReason = 1000;

/** cutReason returns as much of a reason as can be sent. */
export function cutReason(text) {
  const bytes = new TextEncoder().encode(text.trim());
  if (bytes.length <= longestReason) return text.trim();
  return new TextDecoder().decode(bytes.slice(0, longestReason), { stream: true });
}
