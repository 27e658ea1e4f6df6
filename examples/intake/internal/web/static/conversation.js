// A chat: its messages, and the runs that answer them one after the other.

import { chat, createKey, fetchChat, follow, Problem, stopRun } from "./api.js";
import { describeLoss } from "./connection.js";
import { announce, el } from "./dom.js";
import { Attempts, readRejection } from "./rejection.js";
import { Turn } from "./thread.js";

/**
 * Conversation is one chat, which goes on while the page shows another one. host is the page: changed and refused get
 * the conversation, refused also the error or the message; filesChanged, retried and open get what has happened to the
 * files, the message that is sent again, and the id of the file to show.
 */
export class Conversation {
  /** id is the id of the chat, or "" until its first message is accepted. */
  id;
  /** run is the id of the run in flight, or "". */
  run = "";
  isAnswering = false;
  isStopping = false;
  /** status says how the connection or a stop stands. */
  status = "";
  list = el("ol", { id: "thread", class: "thread", "aria-label": "Messages" });
  files = new Map(); // the names and ids of the files that the model has called by handles in this chat
  #host;
  #attempts = new Attempts();
  #work = Promise.resolve(); // a chat has one run at a time, so messages wait for each other
  #waiting = 0; // messages that wait or are being answered
  #isLost = false;

  constructor(id, host) {
    this.id = id;
    this.#host = host;
    if (id) this.reopen();
  }

  /** isBusy reports whether messages wait or are being answered. */
  get isBusy() {
    return this.#waiting > 0;
  }

  /** reopen draws the runs of the chat, and follows the one in flight. */
  reopen() {
    return this.#enqueue(async () => {
      let found;
      try {
        found = await fetchChat(this.id);
      } catch (err) {
        if (err.status === 404) this.id = ""; // the next message begins a chat
        this.#host.refused(this, { err });
        return;
      }
      const turns = found.runs.map((run) => this.#newTurn("…", { run }));
      this.list.prepend(...turns.map((t) => t.node)); // before the messages that wait
      for (const turn of turns) {
        if (found.running && turn === turns.at(-1)) this.run = turn.run;
        await this.#draw(turn, () => this.#replay(turn));
      }
    });
  }

  /** say shows a message, and sends it when the earlier ones are answered. */
  say(body, question) {
    const turn = this.#newTurn(question, { body });
    if (this.isBusy) turn.wait();
    return this.#enqueue(() => this.#send(turn, body, question));
  }

  #sayAgain(body, question) {
    this.#host.retried(body.message);
    this.say(body, question);
  }

  /** #newTurn draws a run with that id, or a message before it is sent, whose body is known. */
  #newTurn(question, { run = "", body }) {
    const retry = (again) => this.#sayAgain(again, turn.question.textContent);
    const turn = new Turn(this, question, { open: this.#host.open, retry, body });
    turn.run = run;
    return turn;
  }

  /** stop asks the server to stop the run in flight. */
  async stop() {
    if (!this.run) return;
    this.isStopping = true;
    this.#show("Stopping…");
    try {
      await stopRun(this.run);
    } catch (err) {
      this.isStopping = false;
      this.#show(err.message);
    }
  }

  /** noteNetwork takes the browser's word that it is online or offline. */
  noteNetwork(isOnline) {
    if (!isOnline && this.isAnswering) this.#show(describeLoss());
    if (isOnline && !this.#isLost && !this.isStopping) this.#show("");
  }

  #enqueue(step) {
    this.#waiting++;
    this.#work = this.#work.then(step).finally(() => {
      this.#waiting--;
      this.#host.changed(this);
    });
    return this.#work;
  }

  /** #send starts a run. A message that the server does not accept goes back to the person. */
  async #send(turn, body, question) {
    const chatThen = this.id;
    const key = this.#attempts.key(chatThen, body, createKey);
    const sent = chatThen ? { ...body, chat_id: chatThen } : body;
    let other = "";
    await this.#draw(turn, () => chat(sent, key, (run) => {
      turn.run = this.run = run;
      this.id = run.split(".")[0];
      this.#host.changed(this);
    }, this.#noteLoss), (err) => {
      if (turn.run) return turn.fail(err.message);
      const rejection = readRejection(err);
      other = rejection.run;
      if (rejection.canRetry) this.#attempts.keep(chatThen, body, key);
      turn.fail(rejection.message, rejection.canRetry ? () => this.#sayAgain(body, question) : undefined);
      this.#host.refused(this, { err, message: body.message, question });
    });
    if (other) { // another page has started it
      const found = this.#newTurn("…", { run: other });
      this.run = other;
      await this.#draw(found, () => this.#replay(found));
    }
  }

  /** #draw draws the events of a run. A Problem that ends them is passed to failed. */
  async #draw(turn, events, failed = (err) => turn.fail(err.message)) {
    turn.begin();
    this.isAnswering = true;
    this.#host.changed(this);
    try {
      for await (const event of events()) {
        turn.add(event);
        const isStart = event.type === "step_started" && event.step === 1; // the upload is recorded by then
        const isProfile = event.type === "tool_result" && event.name.endsWith("_profile");
        if (isStart || isProfile) this.#host.filesChanged(this);
      }
      turn.end();
    } catch (err) {
      if (err instanceof Problem) failed(err);
      else {
        turn.fail("This page has a defect. Please reload it.");
        console.error(err);
      }
    } finally {
      this.run = "";
      this.isAnswering = this.isStopping = false;
      this.#show("");
      this.#host.filesChanged(this);
    }
  }

  /** #replay yields the events of a run, and shows its question. */
  async* #replay(turn) {
    for await (const event of follow(turn.run, this.#noteLoss)) {
      if (event.type === "user_message") turn.question.textContent = event.text;
      yield event;
    }
  }

  #noteLoss = (isLost) => {
    if (this.#isLost && !isLost && this.list.isConnected) announce("The connection is back.");
    this.#isLost = isLost;
    this.#show(isLost ? describeLoss() : "");
  };

  #show(status) {
    this.status = status;
    this.#host.changed(this);
  }
}
