// A thread of the unmodified HttpAgent, with what the tests need to know of its runs.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildResumeArray, HttpAgent } from "@ag-ui/client";

const recordings = process.env.CONFORMANCE_RECORDINGS;

// record returns a fetch that writes each stream which ends as it should into a file, for ag-ui-validate.
function record(name) {
  return async (url, init) => {
    const response = await fetch(url, init);
    if (!response.ok || response.body === null) return response;
    const [ours, theirs] = response.body.tee();
    void (async () => {
      try {
        const text = await new Response(ours).text();
        if (recordings) await writeFile(join(recordings, `${name}-${crypto.randomUUID()}.sse`), text);
      } catch { /* the stream was broken, as some tests want it */ }
    })();
    return new Response(theirs, { status: response.status, headers: response.headers });
  };
}

export class Thread {
  constructor(server, name, { messages = [], path = "/agui", headers = {} } = {}) {
    this.server = server;
    this.name = name;
    this.agent = new HttpAgent({
      url: `${server.url}${path}`, headers, threadId: `${name} ${crypto.randomUUID()}`, initialMessages: messages,
      fetch: record(name),
    });
    this.agent.subscribe({
      onEvent: ({ event }) => {
        this.events.push(event);
        if (event.type === "RUN_STARTED" && event.metadata) this.run = event.metadata.carrel.run;
        this.onEvent?.(event);
      },
    });
  }

  // ask sends a message of the user, if there is one, and returns the last event.
  async ask(text, parameters = {}) {
    if (text !== undefined) this.agent.addMessage({ id: crypto.randomUUID(), role: "user", content: text });
    this.events = [];
    this.runId = parameters.runId ?? crypto.randomUUID();
    await this.agent.runAgent({ ...parameters, runId: this.runId });
    return this.events.at(-1);
  }

  // again sends the last request once more.
  again(parameters = {}) { return this.ask(undefined, { ...parameters, runId: this.runId }); }

  // answers returns the resume that answers the open interrupts.
  answers(answer) {
    const open = this.agent.pendingInterrupts;
    return buildResumeArray(open, Object.fromEntries(open.map((interrupt, i) => [interrupt.id, answer(i)])));
  }

  of(role) { return this.agent.messages.filter((m) => m.role === role); }
  text(role) { return this.of(role).map((m) => m.content ?? "").join(""); }
  calls() { return this.of("assistant").flatMap((m) => m.toolCalls ?? []); }
  types() { return this.events.map((e) => e.type); }

  async loans() {
    const response = await fetch(`${this.server.url}/loans/${this.run.split(".")[0]}`);
    return await response.json();
  }
}

export const story = (words) => Array.from({ length: words }, (_, i) => `word${i + 1} `).join("") + "end.";

// outcome returns how a run has ended.
export const outcome = (event) => event.outcome?.type ?? event.type;

// warnings are those of the client.
export const warnings = [];

// tolerateBrokenStreams keeps the process alive when a stream breaks: the client then leaves a rejection behind.
export function tolerateBrokenStreams() {
  console.warn = (...args) => warnings.push(args.join(" "));
  console.error = () => {}; // the client reports the errors that it throws
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", (reason) => {
    if (!/terminated|fetch failed|aborted/.test(String(reason))) throw reason;
  });
}
