// @ag-ui/client chats with the bookshelf, and has a book shared.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { User } from "../bookshelf.mjs";
import { startBookshelf } from "../server.mjs";
import { outcome, Thread, tolerateBrokenStreams, warnings } from "./thread.mjs";

let server, librarian;
before(async () => {
  tolerateBrokenStreams();
  server = await startBookshelf();
  librarian = await User.signIn(server, "ann", "librarian");
});
after(async () => {
  await server.close();
  assert.deepEqual(warnings, []);
});

const begin = (user) => new Thread(server, "bookshelf", { path: "/api/chat/agui", headers: user.headers });

test("a chat lists the caller's books", async () => {
  await librarian.acceptBook("Emma");
  const t = begin(librarian);
  assert.equal(outcome(await t.ask("What books do I have?")), "success");
  assert.match(t.text("assistant"), /Emma/);
  assert.deepEqual(t.calls().map((c) => c.function.name), ["list_books"]);
  const other = begin(await User.signIn(server, "bob"));
  other.agent.threadId = t.agent.threadId;
  await other.ask("What books do I have?");
  assert.match(other.text("assistant"), /I found no books/);
});

test("a book is shared once, after its approval, though the server is killed", { timeout: 120_000 }, async () => {
  for (let round = 1; round <= 5; round++) {
    const title = `Persuasion ${round}`;
    await librarian.acceptBook(title);
    const t = begin(librarian);
    assert.equal(outcome(await t.ask(`share ${title}`)), "interrupt");
    assert.match(t.agent.pendingInterrupts[0].message, new RegExp(title));
    assert.equal((await librarian.get("/api/bookshelf/overview")).shared, round - 1);
    const resume = t.answers(() => ({ status: "resolved", payload: { approved: true } }));
    const lost = t.ask(undefined, { resume }).catch(() => {});
    await sleep(Math.random() * 60);
    await server.kill();
    await lost;
    await server.restart();
    assert.equal(outcome(await t.again({ resume })), "success");
    assert.equal(t.of("tool").filter((m) => /shared/.test(JSON.stringify(m))).length, 1);
    assert.equal((await librarian.get("/api/bookshelf/overview")).shared, round);
  }
});
