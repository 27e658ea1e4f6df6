// The messages of the chat: one item for each run, drawn from its folded events.

import { announce, byId, el } from "./dom.js";
import { describeCall, fold, formatBytes, undo } from "./fold.js";

/** Turn is one run in the thread. */
export class Turn {
  #events = [];
  #body = el("div", { class: "answer" });
  #drawn = [];
  #frame = 0;

  constructor(question) {
    this.question = el("p", { class: "question" }, question);
    this.node = el("li", {}, this.question, this.#body);
    byId("thread").append(this.node);
    this.node.scrollIntoView({ block: "center" });
  }

  /** add takes an event of the run. */
  add(event) {
    if (event.type === "retract") this.#events = undo(this.#events, event.after);
    else this.#events.push(event);
    if (!this.#frame) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  /** end draws the rest at once and reads the answer to screen readers. */
  end() {
    cancelAnimationFrame(this.#frame);
    const view = this.#draw();
    const text = view.items.filter((i) => i.kind === "text").map((i) => i.text).join(" ");
    announce(view.error || text.slice(-400));
  }

  /** fail shows an error that is not part of the run. retry, if given, is called after the turn is removed. */
  fail(message, retry) {
    const again = retry && el("button", { type: "button", class: "button small", onClick: () => {
      this.node.remove();
      retry();
    } }, "Try again");
    this.#body.append(el("p", { class: "notice error" }, message, again && " ", again));
    announce(message);
  }

  #draw() {
    this.#frame = 0;
    const view = fold(this.#events);
    const atEnd = innerHeight + scrollY >= document.body.scrollHeight - 80;
    view.items.forEach((item, i) => {
      const text = JSON.stringify(item);
      if (this.#drawn[i] === text) return;
      this.#drawn[i] = text;
      const node = item.kind === "text" ? el("p", { class: "text" }, item.text.trim()) : drawCall(item);
      if (this.#body.children[i]) this.#body.children[i].replaceWith(node);
      else this.#body.append(node);
    });
    while (this.#body.children.length > view.items.length) this.#body.lastElementChild.remove();
    this.#drawn.length = view.items.length;
    if (view.error) this.#body.append(el("p", { class: "notice" }, view.error));
    if (atEnd) this.node.scrollIntoView({ block: "end" });
    return view;
  }
}

function drawCall(item) {
  const words = describeCall(item);
  const marks = { running: "…", done: "✓", failed: "✗" };
  const head = el("span", { class: `call ${item.state}` }, el("span", { "aria-hidden": "true" }, marks[item.state]), ` ${words}`);
  if (item.progress) {
    const { read, size } = item.progress;
    return el("div", { class: "step" }, head, el("progress", { max: size, value: read, "aria-label": words }),
      el("span", { class: "hint" }, `${formatBytes(read)} of ${formatBytes(size)}`));
  }
  return el("div", { class: "step" }, head, item.summary ? el("span", { class: "hint" }, item.summary) : "",
    el("details", {}, el("summary", {}, "Arguments"), el("pre", {}, JSON.stringify(item.input ?? {}, null, 1))));
}
