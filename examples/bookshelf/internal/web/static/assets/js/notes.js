// The reader's notes: its text, its tool calls and the messages of the person,
// in the order of arrival.

import { announce } from "./announce.js";
import { el, icon, setText } from "./dom.js";
import { humanizeName, formatInput, formatDuration, isKept } from "./words.js";

/** Notes fills a list inside a scrolling box. */
export class Notes {
  #list;
  #box;
  #paragraph; // the text that is being written
  #calls = new Map(); // tool calls of this run by id
  #earlier = 0; // number of entries before this run

  constructor(list, box) {
    this.#list = list;
    this.#box = box;
  }

  clear() {
    this.#list.replaceChildren();
    this.begin();
  }

  /** begin starts the notes of another run below the present ones. */
  begin() {
    this.#close();
    this.#calls.clear();
    this.#earlier = this.#list.childElementCount;
  }

  /** rewind removes the notes of this run. */
  rewind() {
    this.#paragraph = undefined;
    this.#calls.clear();
    while (this.#list.childElementCount > this.#earlier) this.#list.lastElementChild.remove();
  }

  /** transcribe shows the transcript of earlier runs. */
  transcribe(entries) {
    for (const e of entries) {
      if (e.name) {
        this.call(e);
        this.result(e);
      } else if (e.role === "user") {
        this.said(e.text);
      } else {
        this.write(e.text);
        this.#paragraph = undefined; // not announced
      }
    }
    this.begin();
  }

  /** said adds a message of the person. */
  said(words) {
    this.#close();
    this.#add(el("li", { class: "entry said" }, el("span", { class: "visually-hidden" }, "You: "), words));
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
  call({ id, name, input }) {
    this.#close();
    const state = el("span", { class: "call-state" }, el("span", { class: "spinner" }));
    const outcome = el("span", { class: "call-outcome" }, formatInput(input));
    const time = el("span", { class: "call-time" });
    const body = el("dl", { class: "call-body" }, ...pair("Tool", name), ...pair("Input", JSON.stringify(input ?? {}, null, 2)));
    const item = el(
      "li",
      { class: "entry call" },
      el(
        "details",
        {},
        el("summary", {}, state, el("span", { class: "call-name" }, humanizeName(name)), time, outcome, icon("open")),
        body,
      ),
    );
    this.#calls.set(id, { item, state, outcome, time, body, name });
    this.#add(item);
  }

  /** result shows how a tool call ended. */
  result({ id, name, summary, is_error: failed, duration_ms: duration }) {
    if (!this.#calls.has(id)) this.call({ id, name });
    const c = this.#calls.get(id);
    if (failed && isKept(c.name, summary)) {
      const field = humanizeName(summary.split(":")[0]);
      this.#keepAtEnd(() => this.#end(c, "kept", `${field}: it stays as you typed it.`));
      return;
    }
    const words = summary || (failed ? "It failed." : "Done.");
    this.#keepAtEnd(() => {
      this.#end(c, failed ? "failed" : "done", words);
      setText(c.time, formatDuration(duration));
      c.body.append(...pair(failed ? "Error" : "Result", words));
    });
    // Success shows in the values and in the reader's text.
    if (failed) announce(`${humanizeName(c.name)} failed: ${words}`);
  }

  /** finish ends a run. It marks calls without a result as failed. */
  finish() {
    this.#close();
    for (const c of this.#calls.values()) {
      if (!c.item.classList.contains("ended")) this.#end(c, "failed", "There was no result.");
    }
  }

  /** aside adds a quiet line, such as the usage of a run. */
  aside(words) {
    this.#close();
    this.#add(el("li", { class: "entry aside" }, words));
  }

  #end(c, how, words) {
    c.item.classList.add("ended", how);
    c.state.replaceChildren(icon(how === "kept" ? "info" : how), el("span", { class: "visually-hidden" }, how));
    setText(c.outcome, words);
  }

  #close() {
    if (this.#paragraph) announce(this.#paragraph.data);
    this.#paragraph = undefined;
  }

  #add(node) {
    this.#keepAtEnd(() => this.#list.append(node));
  }

  // Follows the end, unless the person has scrolled up to read.
  #keepAtEnd(change) {
    const box = this.#box;
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 48;
    change();
    if (atEnd) box.scrollTop = box.scrollHeight;
  }
}

function pair(term, value) {
  return [el("dt", {}, term), el("dd", {}, value)];
}
