// The entries of a chat: messages, the reader's texts with links to books, its
// tool calls, and its requests for approval, in their order.

import { announce } from "./announce.js";
import { bookPath } from "./bookrow.js";
import { ToolCall } from "./calls.js";
import { canName, findBooks, linkBooks } from "./chatwords.js";
import { el } from "./dom.js";

const nearEnd = 64; // pixels

/** Talk fills a list inside a scrolling box. */
export class Talk {
  #list;
  #box;
  #books = []; // that the tools of the chat have returned
  #texts = []; // the reader's texts of the followed runs: {node, text}
  #text; // the one that is being written
  #calls = new Map(); // of this run, by id
  #run = ""; // the run that is followed
  #nodes = []; // the entries of this run
  #isQuiet = false; // nothing is announced
  #newRequest; // makes the ApprovalRequest of an event
  #requests = new Map(); // by the id of the approval

  /** newRequest(event, run) makes the request for an approval. */
  constructor(list, box, newRequest) {
    this.#list = list;
    this.#box = box;
    this.#newRequest = newRequest;
  }

  clear() {
    this.#list.replaceChildren();
    this.#books = [];
    this.#texts = [];
    this.#requests.clear();
    this.begin("");
  }

  /** prepend shows turns of the transcript before the present entries. run is any run of the chat. */
  prepend(turns, run) {
    this.#books = [...turns.flatMap((t) => t.entries.flatMap((e) => findBooks(e.output))), ...this.#books];
    const nodes = turns.flatMap((t) => {
      const books = t.entries.flatMap((e) => findBooks(e.output));
      const parts = t.entries.map((e) => this.#recall(e, run, books.length > 0 ? books : this.#books));
      for (const part of parts) part.dataset.turn = t.number;
      return parts;
    });
    const fromEnd = this.#box.scrollHeight - this.#box.scrollTop;
    this.#list.prepend(...nodes);
    this.#box.scrollTop = this.#box.scrollHeight - fromEnd;
  }

  /** dropTurns removes the turns of the transcript whose number is greater. */
  dropTurns(number) {
    for (const node of [...this.#list.children]) if (Number(node.dataset.turn ?? 0) > number) node.remove();
  }

  /** scrollToEnd shows the newest entry. */
  scrollToEnd() {
    this.#box.scrollTop = this.#box.scrollHeight;
  }

  #recall(e, run, books) {
    if (!e.name)
      return e.role === "user"
        ? newMessage(e.text)
        : el("li", { class: "entry text", dir: "auto" }, newLinks(e.text.trim(), books));
    const call = new ToolCall(e, run);
    call.end(e);
    return call.node;
  }

  /**
   * begin starts the entries of another run. isContinued states that it makes the
   * calls that the run before waits for, and isQuiet that nothing of it is announced.
   */
  begin(run, { isContinued = false, isQuiet = false } = {}) {
    this.#close();
    this.#isQuiet = isQuiet;
    this.#run = run;
    this.#nodes = [];
    if (!isContinued) this.#calls.clear();
  }

  /** rewind removes the entries of this run. */
  rewind() {
    this.#text = undefined;
    for (const [id, call] of this.#calls) if (this.#nodes.includes(call.node)) this.#calls.delete(id);
    for (const node of this.#nodes) node.remove();
    this.#nodes = [];
    this.#texts = this.#texts.filter(({ node }) => node.isConnected);
  }

  /** show adds what an event of the run says. */
  show(event) {
    switch (event.type) {
      case "user_message":
        this.addMessage(event.text);
        break;
      case "text_delta":
        this.#write(event.delta);
        break;
      case "tool_call":
        this.#call(event);
        break;
      case "tool_result":
        this.#end(event);
        break;
      case "approval_requested":
        this.#request(event);
        break;
      case "approval_decided":
        this.#requests.get(event.approval_id)?.settle(event);
        break;
    }
  }

  /** addMessage adds a message of the person, and returns the element. */
  addMessage(words) {
    this.#close();
    return this.#add(newMessage(words));
  }

  /** aside adds a quiet line. */
  aside(words) {
    this.#close();
    return this.#add(el("li", { class: "entry aside" }, words));
  }

  /** finish ends a run. */
  finish({ isPending = false } = {}) {
    this.#close();
    if (!isPending) for (const call of this.#calls.values()) call.abandon();
  }

  /** closeRequests ends the requests that are not decided, and their calls. */
  closeRequests(words) {
    for (const request of this.#requests.values()) request.close(words);
    for (const call of this.#calls.values()) call.abandon();
  }

  /** unnamed returns the ids of the calls of this run whose results can have books. */
  unnamed() {
    return [...this.#calls.values()].filter((c) => canName(c.name) && c.how === "done").map((c) => c.id);
  }

  /** name links the titles of books in the reader's texts. */
  name(output) {
    this.#books = [...this.#books, ...findBooks(output)];
    for (const { node, text } of this.#texts)
      if (node !== this.#text?.node) node.replaceChildren(...newLinks(text, this.#books));
  }

  #write(delta) {
    if (!this.#text) {
      if (delta.trim() === "") return;
      const data = document.createTextNode("");
      this.#text = { node: el("li", { class: "entry text", dir: "auto" }, data), data };
      this.#add(this.#text.node);
      delta = delta.trimStart();
    }
    this.#keepAtEnd(() => this.#text.data.appendData(delta));
  }

  #close() {
    if (!this.#text) return;
    const { node, data } = this.#text;
    const text = data.data.trimEnd();
    this.#text = undefined;
    this.#texts.push({ node, text });
    node.replaceChildren(...newLinks(text, this.#books));
    if (!this.#isQuiet) announce(text);
  }

  #call(event) {
    this.#close();
    const call = new ToolCall(event, this.#run);
    this.#calls.set(event.id, call);
    this.#add(call.node);
  }

  #end(event) {
    if (!this.#calls.has(event.id)) this.#call({ id: event.id, name: event.name });
    this.#keepAtEnd(() => {
      const words = this.#calls.get(event.id).end(event);
      if (!this.#isQuiet) announce(words);
    });
  }

  #request(event) {
    this.#close();
    const request = this.#newRequest(event, this.#run);
    this.#requests.set(event.approval_id, request);
    this.#calls.get(event.id)?.wait();
    this.#add(request.node);
    if (!this.#isQuiet) announce(`The reader asks for your approval. ${event.reason ?? ""}`);
  }

  #add(node) {
    this.#nodes.push(node);
    this.#keepAtEnd(() => this.#list.append(node));
    return node;
  }

  // Follows the end, unless the person has scrolled up to read.
  #keepAtEnd(change) {
    const box = this.#box;
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < nearEnd;
    change();
    if (atEnd) box.scrollTop = box.scrollHeight;
  }
}

const newMessage = (words) =>
  el("li", { class: "entry said", dir: "auto" }, el("span", { class: "visually-hidden" }, "You: "), words);

const newLinks = (text, books) =>
  linkBooks(text, books).map((part) => (part.id ? el("a", { href: bookPath(part.id) }, part.text) : part.text));
