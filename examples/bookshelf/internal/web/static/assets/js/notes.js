// The reader's notes: its text, its tool calls and the messages of the person,
// in the order of arrival.

import { announce } from "./announce.js";
import { FieldGroup, ToolCall } from "./calls.js";
import { el } from "./dom.js";

/** Notes fills a list inside a scrolling box. */
export class Notes {
  #list;
  #box;
  #paragraph; // the text that is being written
  #calls = new Map(); // tool calls of this run by id
  #groups = new Map(); // groups of calls of this run by the id of the call
  #group; // the group at the end of the list
  #waiting; // the line that says that the run waits
  #run = ""; // the id of this run
  #earlier = 0; // number of entries before this run
  #isQuiet = false; // nothing is announced

  constructor(list, box) {
    this.#list = list;
    this.#box = box;
  }

  clear() {
    this.#list.replaceChildren();
    this.#run = "";
    this.begin();
  }

  /**
   * begin starts the notes of another run below the present ones, or those of the
   * present run anew. isQuiet states that nothing of it is announced.
   */
  begin(run = "", { isQuiet = false } = {}) {
    if (run !== "" && run === this.#run) {
      this.rewind();
      return;
    }
    this.#close();
    this.#isQuiet = isQuiet;
    this.#run = run;
    this.#forget();
    this.#earlier = this.#list.childElementCount;
  }

  /** rewind removes the notes of this run. */
  rewind() {
    this.#paragraph = undefined;
    this.#forget();
    while (this.#list.childElementCount > this.#earlier) this.#list.lastElementChild.remove();
  }

  #forget() {
    this.#calls.clear();
    this.#groups.clear();
    this.#group = undefined;
    this.#waiting = undefined;
  }

  /** show adds what an event of the run says. Events that are not for the notes are ignored. */
  show(event) {
    switch (event.type) {
      case "run_queued":
        this.#waiting = this.aside("The reader is busy with other books. This one waits for its place.");
        break;
      case "run_started":
        this.#waiting?.remove();
        this.#waiting = undefined;
        break;
      case "user_message":
        this.addMessage(event.text);
        break;
      case "text_delta":
        this.write(event.delta);
        break;
      case "tool_call":
        this.call(event);
        break;
      case "tool_result":
        this.result(event);
        break;
    }
  }

  /** addMessage adds a message of the person. It returns the element. */
  addMessage(words) {
    this.#close();
    return this.#add(el("li", { class: "entry said" }, el("span", { class: "visually-hidden" }, "You: "), words));
  }

  /** write adds text to the paragraph that is being written. */
  write(delta) {
    if (!this.#paragraph) {
      if (delta.trim() === "") return;
      this.#paragraph = document.createTextNode("");
      this.#add(el("li", { class: "entry text" }, this.#paragraph));
      delta = delta.trimStart();
    }
    this.#keepAtEnd(() => this.#paragraph.appendData(delta));
  }

  /** call shows a running tool. */
  call(event) {
    this.#close();
    const call = new ToolCall(event, this.#run);
    this.#calls.set(event.id, call);
    if (!call.field) {
      this.#add(call.node);
      return;
    }
    const group = this.#group ?? new FieldGroup();
    this.#keepAtEnd(() => group.add(call));
    this.#groups.set(event.id, group);
    if (!this.#group) this.#add(group.node);
    this.#group = group;
  }

  /** result shows how a tool call ended. */
  result(event) {
    if (!this.#calls.has(event.id)) this.call({ id: event.id, name: event.name });
    this.#keepAtEnd(() => {
      const words = this.#calls.get(event.id).end(event);
      this.#groups.get(event.id)?.refresh();
      // Success shows in the values and in the reader's text.
      if (!this.#isQuiet) announce(words);
    });
  }

  /** finish ends a run. It marks calls without a result as failed. */
  finish() {
    this.#close();
    for (const call of this.#calls.values()) call.abandon();
    for (const group of this.#groups.values()) group.refresh();
    this.#waiting?.remove();
  }

  /** aside adds a quiet line, such as the usage of a run. It returns the element. */
  aside(words) {
    this.#close();
    return this.#add(el("li", { class: "entry aside" }, words));
  }

  #close() {
    if (!this.#paragraph) return;
    this.#paragraph.data = this.#paragraph.data.trimEnd();
    if (!this.#isQuiet) announce(this.#paragraph.data);
    this.#paragraph = undefined;
  }

  #add(node) {
    this.#group = undefined;
    this.#keepAtEnd(() => this.#list.append(node));
    return node;
  }

  // Follows the end, unless the person has scrolled up to read.
  #keepAtEnd(change) {
    const box = this.#box;
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 48;
    change();
    if (atEnd) box.scrollTop = box.scrollHeight;
  }
}
