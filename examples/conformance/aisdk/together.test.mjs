// Clients of four kinds follow one run at the same time: the AI SDK, AG-UI, a plain stream, and EventSource in a browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Thread } from "../../agui/agui/thread.mjs";
import { startBrowser } from "../browser.mjs";
import { startServer } from "../server.mjs";
import { Chat, story } from "./chat.mjs";

let server, browser;
before(async () => {
  server = await startServer("-pace", "20ms");
  browser = await startBrowser(server);
});
after(async () => {
  await browser.close();
  await server.close();
});

// readText reads the plain stream of a run to its end, and returns the text of it that was not retracted.
async function readText(run) {
  const response = await fetch(`${server.url}/runs/${run}/events`);
  let kept = [];
  for (const frame of (await response.text()).split("\n\n").filter((f) => f.startsWith("data: "))) {
    const [data, id] = frame.split("\nid: ");
    const event = JSON.parse(data.slice(6));
    if (event.type === "retract") kept = kept.filter((e) => e.id <= event.after);
    else kept.push({ id, event });
  }
  return kept.filter((e) => e.event.type === "text_delta").map((e) => e.event.delta).join("");
}

// join returns a thread of AG-UI that follows the chat's run from the time at which the chat has received its first text.
function join(chat, run) {
  const thread = new Thread(server, "together");
  thread.agent.threadId = chat.id;
  thread.agent.addMessage({ id: "u", role: "user", content: "Hello 150" });
  thread.agent.addMessage({ id: `${run}.000000000001.0000`, role: "assistant", content: "" }); // it asks for that run
  return thread;
}

test("the AI SDK, AG-UI, a plain stream and a browser end with the same text", async () => {
  for (const interrupt of [false, true]) {
    let thread, agui, plain, seen, interrupted;
    const chat = new Chat(server, {
      onChunk: ({ type }) => {
        if (type !== "text-delta" || agui) return;
        const run = chat.run;
        plain = readText(run);
        seen = browser.readText(run);
        thread = join(chat, run);
        agui = thread.ask();
        if (interrupt) interrupted = seen.isOpen.then(() => sleep(200)).then(() => fetch(`${server.url}/interrupt`, { method: "POST" }));
      },
    });
    await chat.ask("Hello 150");
    await Promise.all([agui, interrupted]);
    const text = "I look it up." + story(150);
    assert.equal(chat.text(), text);
    assert.equal(thread.run, chat.run, "one run");
    assert.equal(thread.text("assistant"), text);
    assert.equal(await plain, text);
    assert.equal(await seen.text, text);
  }
});
