// Intake's main flow and a reload in mid-stream, in all three engines.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startIntake } from "../conformance/server.mjs";
import { engines } from "./engines.mjs";
import { keepScreenshot } from "./shots.mjs";

for (const [name, start] of Object.entries(engines)) {
  describe(`intake in ${name}`, () => {
    let engine;
    before(async () => (engine = await start()));
    after(() => engine?.close());

    test("take in, reload in mid-stream, correct, confirm and ask", async (t) => {
      const server = await startIntake("-pace", "20ms");
      t.after(() => server.close());
      const visitor = await engine.open();
      t.after(async () => {
        await keepScreenshot(`intake ${name}`, await visitor.screenshot());
        await visitor.close();
      });
      await visitor.open(server.url);
      await visitor.click("button", "suppliers.csv");
      await visitor.see("Looked at rows from all over the file");
      await visitor.reload();
      await visitor.see("Stop"); // the stream goes on
      await visitor.see("Look at the report");
      const chat = await visitor.evaluate("() => document.getElementById('thread').innerText");
      for (const once of [
        "Take in suppliers.csv", "I am intake's offline reader", "Measured the whole file", "Recorded the report",
      ]) {
        assert.equal(chat.split(once).length - 1, 1, once);
      }
      await visitor.click("button", "Look at the report");
      await visitor.fill("Meaning of supplier_name", "name of the company");
      await visitor.click("button", "Confirm");
      await visitor.see("Ask about it");
      await visitor.reload();
      await visitor.see("name of the company");
      await visitor.click("button", "Ask about it");
      await visitor.fill("Your question", "how many rows in suppliers");
      await visitor.click("button", "Ask");
      await visitor.see('From "suppliers.csv", 40 of 40 rows');
    });
  });
}
