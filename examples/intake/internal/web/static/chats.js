// The list of the person's earlier chats. Each is a link, so that the address decides which chat is shown.

import { writeAddress } from "./address.js";
import { listChats } from "./api.js";
import { addPage, describeRow } from "./chatrows.js";
import { byId, el } from "./dom.js";

let list = { rows: [], next: "" };
let shown = ""; // the id of the chat that the page shows
let reading = 0; // the newest request for the first page

function drawRow(row) {
  const { title, day } = describeRow(row, new Date());
  const href = writeAddress({ chat: row.chat_id });
  return el("li", {},
    el("a", { class: "chat", href, "aria-current": row.chat_id === shown && "true" },
      el("span", { class: "chat-title" }, title), el("span", { class: "hint" }, day)));
}

function draw() {
  const focused = document.activeElement?.closest?.("#chats a")?.getAttribute("href");
  byId("chats").replaceChildren(...list.rows.map(drawRow));
  byId("chats-box").hidden = list.rows.length === 0;
  byId("more-chats").hidden = list.next === "";
  if (focused) [...byId("chats").querySelectorAll("a")].find((a) => a.getAttribute("href") === focused)?.focus();
}

/** markChat marks the chat that is shown. */
export function markChat(id) {
  if (id === shown) return;
  shown = id;
  draw();
}

/** hasChat reports whether the list shows a chat. */
export const hasChat = (id) => list.rows.some((row) => row.chat_id === id);

/** refreshChats reads the first page of the list, or an older one. */
export async function refreshChats(isOlder = false) {
  const mine = ++reading;
  const error = byId("chats-error");
  try {
    const page = await listChats(isOlder ? list.next : "");
    if (mine !== reading) return; // a newer request answers
    const before = list.rows.length;
    list = addPage(list, page, isOlder);
    error.replaceChildren();
    draw();
    if (isOlder) byId("chats").children[before]?.querySelector("a").focus();
  } catch (err) {
    if (mine !== reading) return;
    byId("chats-box").hidden = false;
    const retry = () => refreshChats(isOlder);
    const again = el("button", { type: "button", class: "button small", onClick: retry }, "Try again");
    error.replaceChildren(el("p", { class: "flaw", role: "alert" }, `${err.message} `, again));
  }
}
