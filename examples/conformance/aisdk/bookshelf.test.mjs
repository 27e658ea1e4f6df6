// The AI SDK's chat over the bookshelf: a librarian asks for her books and shares them, and the server is killed.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { User } from "../bookshelf.mjs";
import { startBookshelf } from "../server.mjs";
import { Chat as SDKChat } from "./chat.mjs";

let shelf, ann;
const titles = ["Emma"];
before(async () => {
  shelf = await startBookshelf();
  ann = await User.signIn(shelf, "ann", "librarian");
  await ann.acceptBook("Emma");
});
after(() => shelf.close());

class Chat extends SDKChat {
  constructor(id) { super(shelf, { id, api: "/api/chat/aisdk", headers: ann.headers }); }
}

const shared = async () => (await ann.get("/api/bookshelf/overview")).shared;

const content = (message) => JSON.parse(JSON.stringify(message));

// checkReplay checks that a client which has just been opened receives the same last message.
async function checkReplay(chat) {
  const other = new Chat(chat.id);
  await other.resumeStream();
  assert.deepEqual(content(chat.answer), content(other.answer));
  assert.deepEqual(chat.log.invalid, [], "chunks that the schema rejects");
}

// checkList checks that the last message lists each book once.
async function checkList(chat) {
  assert.equal(chat.status, "ready", String(chat.error));
  for (const title of titles) assert.equal(chat.text().split(`“${title}”`).length, 2, chat.text());
  assert.equal(chat.text("reasoning"), "The tool list_books answers this.");
  const listed = chat.parts("tool-list_books").map((p) => p.output.books.map((b) => b.title).toSorted());
  assert.deepEqual(listed, [titles.toSorted()]);
  assert.equal(chat.parts("data-chat").length, 1);
  await checkReplay(chat);
}

test("a chat over the bookshelf has text, reasoning, calls and data", async () => {
  const chat = new Chat();
  await chat.ask("Which books do I have?");
  await checkList(chat);
  assert.ok(chat.answer.metadata.usage.totalTokens > 0);
});

test("an approval is asked and answered, and the book is shared once", async () => {
  const chat = new Chat();
  await chat.ask("Please share Emma with my colleagues.");
  const [part] = chat.parts("tool-share_book");
  assert.equal(part.state, "approval-requested");
  assert.match(part.approval.requestReason, /^Share version 1 of “Emma”/);
  assert.equal(await shared(), 0);
  await chat.answerAll(() => true);
  assert.equal(chat.parts("tool-share_book")[0].state, "output-available");
  assert.equal(await shared(), 1);
  await checkReplay(chat);
  await chat.ask("list my books");
  await checkList(chat);
});

test("a killed bookshelf ends in one telling, 20 times in a row", { timeout: 240_000 }, async () => {
  let broken = 0;
  for (let round = 0; round < 20; round++) {
    const chat = new Chat();
    const sharing = round % 4 === 3;
    if (sharing) {
      titles.push(`Persuasion ${titles.length}`);
      await ann.acceptBook(titles.at(-1));
      await chat.ask(`share ${titles.at(-1)}`);
    }
    const lost = sharing ? chat.answerAll(() => true) : chat.sendMessage({ text: "list my books" });
    await sleep(25 * (round + Math.random())); // so that some runs are hit, and some have ended
    await shelf.kill();
    await lost;
    if (chat.status === "error") broken++;
    await shelf.restart();
    await chat.mend();
    if (sharing) {
      if (chat.waits) await chat.answerAll(() => true); // the first answer has not arrived
      assert.deepEqual(chat.parts("tool-").map((p) => p.state), ["output-available", "output-available"], `round ${round}`);
      assert.equal(chat.text().split("All colleagues can see").length, 2);
      assert.equal(await shared(), titles.length);
      await checkReplay(chat);
    } else {
      await checkList(chat);
    }
    assert.equal(chat.messages.length, 2);
  }
  assert.ok(broken >= 3, `${broken} streams were broken`);
});
