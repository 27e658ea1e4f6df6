// The messages of the chat: one item for each run, drawn from its folded events.

import { announce, el } from "./dom.js";
import { splitText } from "./blocks.js";
import { collectFiles } from "./calls.js";
import { drawCall } from "./callview.js";
import { fold, requestOf, undo } from "./fold.js";
import { drawTable } from "./table.js";

/** Turn is one run in the thread. */
export class Turn {
  #events = [];
  #body = el("div", { class: "answer" });
  #end = el("div", { class: "end" }); // below the answer
  #drawn = [];
  #frame = 0;

  /** run is the id of the run, when it is known. */
  run = "";

  /**
   * thread has the list that the turn is added to, and files, the names of the handles in it. actions has open, which
   * shows the report of a file, and retry, which sends the question again with the body of its request.
   */
  constructor(thread, question, actions = {}) {
    this.files = thread.files;
    this.actions = actions;
    this.question = el("p", { class: "question" }, question);
    this.node = el("li", { "aria-busy": "true" }, this.question, this.#body, this.#end);
    thread.list.append(this.node);
    this.node.scrollIntoView({ block: "nearest" });
  }

  /** wait says that the turn waits for an earlier one. */
  wait() {
    this.#end.replaceChildren(el("p", { class: "hint" }, "Waits for the answer before it."));
  }

  /** begin removes what wait has said. */
  begin() {
    this.#end.replaceChildren(el("p", { class: "hint" }, "One moment…"));
  }

  /** add takes an event of the run. */
  add(event) {
    if (event.type === "retract") this.#events = undo(this.#events, event.after);
    else this.#events.push(event);
    if (!this.#frame) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  /** end draws the rest at once and reads the answer to screen readers. It returns the outcome. */
  end() {
    cancelAnimationFrame(this.#frame);
    const view = this.#draw();
    this.node.removeAttribute("aria-busy");
    const text = view.items.filter((i) => i.kind === "text").map((i) => i.text).join(" ");
    this.#say(view.outcome === "stopped" ? "Stopped." : view.error || text.slice(-400));
    return view.outcome;
  }

  /** fail shows an error that is not part of the run. retry, if given, is called after the turn is removed. */
  fail(message, retry) {
    cancelAnimationFrame(this.#frame);
    this.node.removeAttribute("aria-busy");
    const again = retry && this.#offer("Try again", () => {
      this.node.remove();
      retry();
    });
    this.#end.replaceChildren(el("p", { class: "notice error" }, message, again && " ", again));
    this.#say(message);
  }

  /** #say reads words to screen readers, unless the page shows another chat. */
  #say(words) {
    if (this.node.isConnected) announce(words);
  }

  #offer(label, run, isMain = false) {
    return el("button", { type: "button", class: `button small${isMain ? " primary" : ""}`, onClick: run }, label);
  }

  #draw() {
    this.#frame = 0;
    const view = fold(this.#events);
    collectFiles(view.items, this.files);
    const atEnd = innerHeight + scrollY >= document.body.scrollHeight - 80;
    view.items.forEach((item, i) => {
      const text = JSON.stringify(item);
      if (this.#drawn[i] === text) return;
      this.#drawn[i] = text;
      const node = item.kind === "text" ? drawText(item.text) : drawCall(item, this.files, this.run);
      if (this.#body.children[i]) this.#body.children[i].replaceWith(node);
      else this.#body.append(node);
    });
    while (this.#body.children.length > view.items.length) this.#body.lastElementChild.remove();
    this.#drawn.length = view.items.length;
    if (view.items.length > 0 || view.outcome) this.#drawEnd(view);
    if (atEnd) this.node.scrollIntoView({ block: "end" });
    return view;
  }

  /** #drawEnd draws how the run has ended, and what the person can do next. */
  #drawEnd(view) {
    const { open, retry } = this.actions;
    const body = this.actions.body ?? requestOf(view);
    const again = (label) => body && this.#offer(label, (e) => {
      e.currentTarget.remove();
      retry(body);
    });
    const end = [];
    const recorded = view.items.findLast((i) => i.name === "record_profile" && i.state === "done");
    const taken = recorded && this.files.get(recorded.output?.file ?? recorded.input?.file)?.id;
    if (view.outcome === "stopped") {
      const label = body?.file_id ? "Take it in again" : "Ask again";
      end.push(el("p", { class: "notice" }, "Stopped by you. ", again(label)));
    } else if (view.error) {
      end.push(el("p", { class: "notice error" }, `${view.error} `, view.canRetry && again("Try again")));
    } else if (view.outcome && taken && open) {
      end.push(el("p", {}, this.#offer("Look at the report", () => open(taken), true)));
    }
    this.#end.replaceChildren(...end);
  }
}

function drawText(text) {
  return el("div", { class: "text" }, splitText(text).map(({ text: paragraph, list, table }) => {
    if (table) return drawTable(table, table.columns.join(", "));
    return list ? el("ul", { class: "points" }, list.map((t) => el("li", {}, t))) : el("p", {}, paragraph);
  }));
}
