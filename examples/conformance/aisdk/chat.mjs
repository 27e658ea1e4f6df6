// A chat of the unmodified AbstractChat and DefaultChatTransport. Every chunk that it receives is checked by the SDK's schema.
import {
  AbstractChat, DefaultChatTransport, lastAssistantMessageIsCompleteWithApprovalResponses, parseJsonEventStream, uiMessageChunkSchema,
} from "ai";

// State holds the messages in the way of the SDK's hooks, without a framework.
class State {
  status = "ready";
  error = undefined;
  messages = [];
  pushMessage = (message) => { this.messages = [...this.messages, message]; };
  popMessage = () => { this.messages = this.messages.slice(0, -1); };
  replaceMessage = (i, message) => { this.messages = this.messages.with(i, structuredClone(message)); };
  snapshot = structuredClone;
}

export const story = (words) => Array.from({ length: words }, (_, i) => `word${i + 1} `).join("") + "end.";

export class Chat extends AbstractChat {
  constructor(server, { id = `chat ${crypto.randomUUID()}`, user = "u1", api = "/aisdk", headers = { User: user }, onChunk } = {}) {
    const log = { invalid: [], types: [], ends: [] };
    super({
      id,
      state: new State(),
      onError: () => {},
      onFinish: (end) => log.ends.push(end),
      sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
      transport: new DefaultChatTransport({
        api: server.url + api,
        headers,
        fetch: async (url, init) => {
          const response = await fetch(url, init);
          if (!response.ok || response.body === null) return response;
          if (response.headers.get("x-vercel-ai-ui-message-stream") !== "v1") log.invalid.push("the header");
          const [ours, theirs] = response.body.tee();
          log.checked = checkChunks(ours, log, onChunk);
          return new Response(theirs, { status: response.status, headers: response.headers });
        },
      }),
    });
    this.log = log;
    this.server = server;
    this.user = user;
  }

  // ask sends a message and waits for the end of its answer.
  async ask(text) {
    await this.sendMessage({ text });
    return this.answer;
  }

  // answerAll answers the approvals in the last message, and waits for the end of the run that makes the calls.
  async answerAll(approve) {
    const open = this.parts("tool-").filter((p) => p.state === "approval-requested");
    const ends = this.log.ends.length;
    for (const [i, part] of open.entries()) await this.addToolApprovalResponse({ id: part.approval.id, approved: approve(i) });
    while (this.log.ends.length === ends) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  // mend resumes a broken stream until the message has ended. A message that has not arrived is sent again.
  async mend() {
    for (let tries = 0; tries < 50; tries++) {
      const ends = this.log.ends.length;
      await this.resumeStream();
      if (this.status === "ready" && this.log.ends.length > ends) return this.answer;
      if (this.status === "ready" && this.lastMessage.role === "user") await this.regenerate();
      if (this.status === "ready" && this.log.ends.length > ends) return this.answer;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`the stream was not mended: ${this.error}`);
  }

  get answer() { return this.messages.at(-1); }
  get waits() { return this.parts("tool-").some((p) => p.state === "approval-requested"); }
  get end() { return this.log.ends.at(-1); }
  get run() { return this.answer.id; }

  parts(type) { return this.answer.parts.filter((p) => p.type.startsWith(type)); }
  text(type = "text") { return this.parts(type).map((p) => p.text).join(""); }

  async loans() {
    const response = await fetch(`${this.server.url}/loans/${this.run.split(".")[0]}`, { headers: { User: this.user } });
    return await response.json();
  }
}

// checkChunks notes each chunk's type and those that the SDK's schema rejects. A broken stream ends it.
async function checkChunks(stream, log, onChunk) {
  try {
    for await (const chunk of parseJsonEventStream({ stream, schema: uiMessageChunkSchema })) {
      if (!chunk.success) log.invalid.push(chunk.error);
      log.types.push(chunk.rawValue?.type);
      onChunk?.(chunk.rawValue);
    }
  } catch { /* some tests break it */ }
}
