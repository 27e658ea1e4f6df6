// The list of the person's other chats.

import { listChats } from "./chats.js";
import { byId, el, setVisible } from "./dom.js";

/** ChatList fills the list, page by page. */
export class ChatList {
  #next; // the cursor of the older chats
  #current;
  #signal;

  /** current() returns the id of the chat that is shown. */
  constructor(current, signal) {
    this.#current = current;
    this.#signal = signal;
    byId("more-chats").addEventListener("click", () => this.load(this.#next));
  }

  /** load shows the newest chats, or adds those after a cursor. It returns the rights of the person, if it succeeds. */
  async load(cursor) {
    let page;
    try {
      page = await listChats(cursor, this.#signal);
    } catch {
      return undefined; // the chat itself says why, and the list stays as it is
    }
    const rows = page.chats.map((chat) => newRow(chat, this.#current()));
    if (cursor) byId("chats").append(...rows);
    else byId("chats").replaceChildren(...rows);
    this.#next = page.next;
    setVisible(byId("more-chats"), Boolean(page.next));
    setVisible(byId("chats-empty"), byId("chats").childElementCount === 0);
    return page.rights;
  }
}

function newRow({ chat_id: id, title, started_at: at }, current) {
  const day = new Date(at).toLocaleDateString(undefined, { dateStyle: "medium" });
  return el(
    "li",
    {},
    el(
      "a",
      { href: `/chat/${encodeURIComponent(id)}`, "aria-current": id === current && "page" },
      el("span", { class: "chat-name", dir: "auto" }, title),
      el("time", { class: "hint", datetime: at }, day),
    ),
  );
}
