// The main flow, a reload in mid-stream and an accept, in all three engines.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startBookshelf } from "../conformance/server.mjs";
import { engines } from "./engines.mjs";
import { keepScreenshot } from "./shots.mjs";

for (const [name, start] of Object.entries(engines)) {
  describe(name, () => {
    let engine;
    before(async () => (engine = await start()));
    after(() => engine?.close());

    // visit opens the desk of a new bookshelf.
    async function visit(t, ...flags) {
      const server = await startBookshelf(...flags);
      t.after(() => server.close());
      const visitor = await engine.open();
      t.after(async () => {
        await keepScreenshot(`${name} ${t.name}`, await visitor.screenshot());
        await visitor.close();
      });
      await visitor.open(server.url);
      return { server, visitor };
    }

    test("choose, read, correct and accept", async (t) => {
      const { visitor } = await visit(t, "-pace", "0");
      await visitor.click("button", "Moby-Dick Herman Melville");
      await visitor.see("Please check all fields.");
      assert.equal(await visitor.value("Title"), "Moby-Dick");
      await visitor.fill("Tell the reader what to correct", "The publisher is Harper & Brothers");
      await visitor.click("button", "Send");
      await visitor.see("from your message");
      await visitor.fill("Title", "The Whale");
      await visitor.see("by you");
      await visitor.click("button", "Accept the card");
      await visitor.see("The card is saved at");
      await visitor.reload();
      await visitor.see("The card is saved at");
      assert.equal(await visitor.value("Title"), "The Whale");
      assert.equal(await visitor.value("Publisher"), "Harper & Brothers");
    });

    test("a reload in mid-stream", async (t) => {
      const { visitor } = await visit(t, "-pace", "30ms");
      await visitor.click("button", "Pride and Prejudice Jane Austen");
      await visitor.see("Scan barcode");
      await visitor.reload();
      await visitor.see("working"); // the stream goes on
      await visitor.see("Please check all fields.");
      const text = await visitor.evaluate("() => document.getElementById('entries').innerText");
      for (const once of [
        "I am the bookshelf's offline reader",
        "Scan barcode",
        "Look up book",
        "Please check all fields.",
      ]) {
        assert.equal(text.split(once).length - 1, 1, once);
      }
      assert.equal(await visitor.value("Title"), "Pride and Prejudice");
      await visitor.click("button", "Accept the card");
      await visitor.see("The card is saved at");
    });
  });
}
