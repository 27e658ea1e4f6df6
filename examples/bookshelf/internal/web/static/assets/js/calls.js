// The tool calls in the reader's notes. A call opens to its arguments and its
// whole result; calls that fill in fields are shown together.

import { explainError, fetchResult } from "./api.js";
import { el, icon, setText } from "./dom.js";
import { joinWords } from "./fits.js";
import { labelOf } from "./labels.js";
import { formatResult } from "./results.js";
import { formatDuration, formatInput, humanizeName, isKept } from "./words.js";

const icons = { done: "done", failed: "failed", kept: "info", missing: "info", stopped: "info", waiting: "info" };
const spoken = {
  done: "done", failed: "failed", kept: "kept", missing: "not available", stopped: "stopped", waiting: "waits for you",
};

/** line returns the parts of the line of a call, or of several, above what it opens to. */
function line(name) {
  return {
    state: el(
      "span",
      { class: "call-state" },
      el("span", { class: "spinner" }),
      el("span", { class: "visually-hidden" }, "running"),
    ),
    name: el("span", { class: "call-name" }, name),
    time: el("span", { class: "call-time" }),
    outcome: el("span", { class: "call-outcome" }),
  };
}

function mark(node, state, how) {
  node.classList.remove(...Object.keys(icons));
  node.classList.add("ended", how);
  state.replaceChildren(icon(icons[how]), el("span", { class: "visually-hidden" }, spoken[how]));
}

/** ToolCall is one call. */
export class ToolCall {
  /**
   * how is "running", "waiting" (for an approval), "done", "failed", "stopped", "kept" (the person's value stays) or
   * "missing" (the tool is not installed).
   */
  how = "running";
  #line;
  #body;
  #whole; // the element of the whole result
  #isLoaded = false;

  /** run is the id of the run that makes the call. */
  constructor({ id, name, input }, run) {
    this.id = id;
    this.run = run;
    this.name = name;
    this.field = name === "set_field" ? labelOf(input?.field ?? "a field") : "";
    this.#line = line(this.field || humanizeName(name));
    setText(this.#line.outcome, this.field ? String(input?.value ?? "") : formatInput(input));
    this.#body = el(
      "dl",
      { class: "call-body" },
      ...pair("Tool", name),
      ...pair("Arguments", JSON.stringify(input ?? {}, null, 2)),
    );
    const details = el(
      "details",
      { ontoggle: () => details.open && this.#load() },
      el("summary", {}, this.#line.state, this.#line.name, this.#line.time, this.#line.outcome, icon("open")),
      this.#body,
    );
    this.details = details;
    this.node = el("li", { class: "entry call" }, details);
  }

  /** end shows the result. It returns what to announce, if anything. */
  end({ summary, is_error: failed, unavailable, duration_ms: duration }) {
    const words = summary || (failed ? "It failed." : "Done.");
    setText(this.#line.time, formatDuration(duration));
    if (failed && isKept(this.name, summary)) this.#close("kept", "It stays as you typed it.");
    else if (unavailable) this.#close("missing", `Not available: ${words}.`);
    else if (failed && words.startsWith("Interrupted: the run was stopped.")) this.#close("stopped", "Stopped.");
    else this.#close(failed ? "failed" : "done", this.field && !failed ? words.replace(/^[a-z_]+: /, "") : words);
    return this.how === "failed" ? `${humanizeName(this.name)} failed: ${words}` : "";
  }

  /** wait marks a call that waits for an approval. */
  wait() {
    if (this.how !== "running") return;
    this.how = "waiting";
    mark(this.node, this.#line.state, "waiting");
  }

  /** abandon marks a call that does not have a result. */
  abandon() {
    if (["running", "waiting"].includes(this.how)) this.#close("failed", "There was no result.");
  }

  #close(how, words) {
    this.how = how;
    mark(this.node, this.#line.state, how);
    setText(this.#line.outcome, words);
    if (this.details.open) this.#load();
  }

  // The stream has only a summary, so the whole result is loaded when a person wants it.
  async #load() {
    if (this.#isLoaded || ["running", "waiting"].includes(this.how)) return;
    this.#isLoaded = true;
    if (!this.#whole) {
      this.#whole = el("dd", { tabindex: "0", "aria-label": "Result" });
      this.#body.append(el("dt", {}, "Result"), this.#whole);
    }
    setText(this.#whole, "Loading…");
    try {
      setText(this.#whole, formatResult(await fetchResult(this.run, this.id)));
    } catch (err) {
      this.#isLoaded = false; // opening it again asks again
      setText(this.#whole, err.status === 404 ? "The result is not stored yet, or not any more." : explainError(err));
    }
  }
}

/** FieldGroup shows calls of set_field that follow each other. */
export class FieldGroup {
  #calls = [];
  #line = line("Fill in the card");
  #list = el("ul", { class: "group-calls" });

  constructor() {
    const { state, name, time, outcome } = this.#line;
    this.node = el(
      "li",
      { class: "entry call group" },
      el("details", {}, el("summary", {}, state, name, time, outcome, icon("open")), this.#list),
    );
  }

  add(call) {
    this.#calls.push(call);
    this.#list.append(call.node);
    this.refresh();
  }

  /** refresh shows what the calls have done so far. */
  refresh() {
    const of = (how) => this.#calls.filter((c) => c.how === how).map((c) => c.field);
    const [done, kept, failed, running] = ["done", "kept", "failed", "running"].map(of);
    const parts = [
      joinWords([...done, ...running]),
      kept.length > 0 && `yours stay: ${joinWords(kept)}`,
      failed.length > 0 && `failed: ${joinWords(failed)}`,
    ];
    setText(this.#line.outcome, parts.filter(Boolean).join(" · "));
    if (running.length > 0) return;
    mark(this.node, this.#line.state, done.length > 0 ? "done" : failed.length > 0 ? "failed" : "kept");
  }
}

function pair(term, value) {
  return [el("dt", {}, term), el("dd", {}, value)];
}
