// A request for an approval, in a chat: what the reader wants to do, until when it
// waits, and the buttons to decide.

import { clock, explainError } from "./api.js";
import { cutReason, describeExpiry } from "./chatwords.js";
import { el, icon, setText, setVisible } from "./dom.js";
import { humanizeName } from "./words.js";

const interval = 20_000; // milliseconds between two updates of the time that is left

let count = 0; // of requests, for their ids

/** ApprovalRequest is one request. */
export class ApprovalRequest {
  #expires;
  #decide;
  #canApprove;
  #timer = 0;
  #isBusy = false;
  #isDecided = false;
  #state = el("p", { class: "request-state" });
  #error = el("p", { class: "field-note", role: "alert" });
  #reason;
  #controls;
  #approve;
  #reject;

  /**
   * event is approval_requested. canApprove states whether the person may approve;
   * all may reject. decide(isApproved, reason) sends the decision.
   */
  constructor({ tool, input, reason, expires_at: expires }, { canApprove, decide }) {
    this.#expires = expires;
    this.#decide = decide;
    this.#canApprove = canApprove;
    const id = `request-${++count}`;
    this.#reason = el("input", {
      type: "text",
      id: `${id}-reason`,
      maxlength: 500,
      placeholder: "Reason, if you like",
      autocomplete: "off",
      dir: "auto",
    });
    this.#approve = el(
      "button",
      { type: "button", class: "button primary small", onclick: () => this.#send(true) },
      "Approve",
    );
    this.#reject = el("button", { type: "button", class: "button small", onclick: () => this.#send(false) }, "Reject");
    this.#controls = el(
      "div",
      { class: "request-controls" },
      el("label", { class: "visually-hidden", for: `${id}-reason` }, "Reason of the decision"),
      this.#reason,
      canApprove && this.#approve,
      this.#reject,
      !canApprove && el("p", { class: "hint" }, "Only librarians can approve this. You can reject it."),
    );
    this.node = el(
      "li",
      { class: "entry request" },
      el("p", { class: "request-title", id }, "The reader asks for your approval"),
      el("p", { class: "request-reason", dir: "auto" }, reason || humanizeName(tool)),
      el(
        "details",
        {},
        el("summary", {}, "What exactly", icon("open")),
        el(
          "dl",
          { class: "call-body" },
          el("dt", {}, "Tool"),
          el("dd", {}, tool),
          el("dt", {}, "Arguments"),
          el("dd", {}, JSON.stringify(input ?? {}, null, 2)),
        ),
      ),
      this.#state,
      this.#controls,
      this.#error,
    );
    this.node.setAttribute("aria-labelledby", id);
    this.#refresh();
  }

  /** settle shows the decision. */
  settle({ approved, reason }) {
    this.#isDecided = true;
    clearTimeout(this.#timer);
    setVisible(this.#controls, false);
    this.#error.textContent = "";
    this.node.classList.add(approved ? "approved" : "rejected");
    setText(this.#state, `${approved ? "Approved" : "Rejected"}${reason ? `: ${reason}` : "."}`);
  }

  /** close ends a request that cannot be decided any more. */
  close(words) {
    if (this.#isDecided) return;
    clearTimeout(this.#timer);
    setVisible(this.#controls, false);
    setText(this.#state, words);
  }

  /** focus moves the focus to the first button. */
  focus() {
    (this.#canApprove ? this.#approve : this.#reject).focus({ preventScroll: true });
  }

  #refresh() {
    if (this.#isDecided) return;
    const words = describeExpiry(this.#expires, clock.now());
    if (words === "") {
      this.close("The request has expired. Ask again in a new message.");
      return;
    }
    setText(this.#state, words);
    this.#timer = setTimeout(() => (this.node.isConnected ? this.#refresh() : undefined), interval);
  }

  async #send(isApproved) {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#approve.disabled = this.#reject.disabled = true;
    this.#error.textContent = "";
    try {
      await this.#decide(isApproved, cutReason(this.#reason.value));
    } catch (err) {
      this.#error.textContent = `The decision was not recorded. ${explainError(err)}`;
    }
    this.#isBusy = false;
    this.#approve.disabled = this.#reject.disabled = false;
  }
}
