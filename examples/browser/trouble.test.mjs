// What can go wrong between the page and the server while a book is read.
import assert from "node:assert/strict";
import { openProxy } from "./proxy.mjs";
import { acceptCard, become, chooseSample, cover, field, hasRead, isWorking, lost, scene, upload } from "./scene.mjs";

const slow = ["-pace", "40ms"];

// readOnce checks that the notes have each part of the reading, and once.
async function readOnce(page) {
  await hasRead(page);
  const notes = await page.locator("#entries").innerText();
  for (const part of [
    "I am the bookshelf's offline reader",
    "Scan barcode",
    "Look up book",
    "Please check all fields.",
  ]) {
    assert.equal(notes.split(part).length - 1, 1, part);
  }
  assert.equal(await field(page, "Title").inputValue(), "Pride and Prejudice");
}

scene("reload in mid-stream", { flags: slow }, async (s) => {
  await chooseSample(s, "Pride and Prejudice");
  await s.page.getByText("Scan barcode").first().waitFor();
  await s.page.reload();
  await isWorking(s.page);
  await readOnce(s.page);
  await acceptCard(s.page);
});

scene(
  "the server is killed in mid-stream and started again",
  { flags: ["-pace", "300ms"] },
  async (s) => {
    await chooseSample(s, "Pride and Prejudice");
    await s.page.getByText("Scan barcode").first().waitFor();
    await s.server.kill();
    await s.page.getByText("reconnecting").first().waitFor();
    await s.server.restart("-pace", "0");
    await readOnce(s.page);
    await acceptCard(s.page);
  },
);

scene("two tabs show the same card", { flags: ["-pace", "300ms"] }, async (s) => {
  await chooseSample(s, "Pride and Prejudice");
  await s.page.getByText("Scan barcode").first().waitFor();
  const second = await s.context.newPage();
  await second.goto(s.page.url());
  await isWorking(second);
  await s.server.kill("SIGTERM");
  await s.server.restart("-pace", "0"); // however slow this machine is, both tabs follow the run
  await Promise.all([readOnce(s.page), readOnce(second)]);
  await field(second, "Publisher").fill("A second press");
  await second.getByText("by you").first().waitFor();
  await acceptCard(second);
  await s.page.reload();
  await s.page.getByText("The card is saved at", { exact: true }).waitFor();
  assert.equal(await field(s.page, "Publisher").inputValue(), "A second press");
});

scene("offline and back", { flags: slow, expected: lost }, async (s) => {
  const proxy = await openProxy(s);
  await s.page.goto(
    `${proxy.url}/#${await upload(s.server, "cover.png", await cover(s.server, "pride-and-prejudice"))}`,
  );
  await s.page.getByText("Scan barcode").first().waitFor();
  await s.context.setOffline(true);
  proxy.cut();
  await s.page.getByText("offline", { exact: true }).waitFor();
  await s.context.setOffline(false);
  await readOnce(s.page);
  await acceptCard(s.page);
});

scene("an edit that is made offline is saved once the network is back", { expected: lost }, async (s) => {
  const { page, context, server } = s;
  await page.clock.install();
  await page.goto(`${server.url}/#${await upload(server, "cover.png", await cover(server, "moby-dick"))}`);
  await hasRead(page);
  await context.setOffline(true);
  await field(page, "Publisher").fill("A press");
  await page.getByText("Your changes are not saved yet. Trying again…").waitFor();
  await page.clock.pauseAt(Date.now() + 60_000); // no timer ends from here on
  await page.getByRole("button", { name: "Accept the card" }).click();
  await page.getByText("This device does not have a network.").waitFor();
  await field(page, "Publisher").fill("Another press");
  await context.setOffline(false);
  await page.getByText("Your changes are saved.", { exact: true }).waitFor();
});

scene("a network that is silent", { flags: slow, expected: lost }, async (s) => {
  const proxy = await openProxy(s);
  await s.page.clock.install();
  await s.page.goto(
    `${proxy.url}/#${await upload(s.server, "cover.png", await cover(s.server, "pride-and-prejudice"))}`,
  );
  await s.page.getByText("Scan barcode").first().waitFor();
  proxy.freeze();
  await s.page.clock.fastForward(31_000);
  await s.page.getByText("reconnecting").first().waitFor();
  proxy.thaw();
  // Requests that the page has sent into the silence are given up after the same time.
  const end = s.page.getByText("Please check all fields.").and(s.page.locator("li"));
  for (let i = 0; i < 60 && !(await end.isVisible()); i++) {
    await s.page.clock.fastForward(5000);
    await end.waitFor({ timeout: 500 }).catch(() => {});
  }
  await readOnce(s.page);
  await acceptCard(s.page);
});

scene(
  "text that is not valid yet survives a reload, a discarded tab and a restart, for its person only",
  { expected: [/status of 40[04]/] },
  async (s) => {
    await chooseSample(s, "Pride and Prejudice");
    await hasRead(s.page);
    const saved = s.page.getByText("Some are not valid yet");
    await field(s.page, "Year").fill("18l3"); // which the page knows to be wrong
    await saved.waitFor();
    await field(s.page, "Publisher").fill("A publisher ".repeat(60)); // which only the server knows
    await s.page.getByText("must have at most 500 characters").waitFor();
    await saved.waitFor();
    const url = s.page.url();
    const second = await s.context.newPage();
    const has = async (page) => {
      await page.getByText("Enter a year in digits").waitFor();
      assert.equal(await field(page, "Year").inputValue(), "18l3");
      assert.equal(await field(page, "Publisher").inputValue(), "A publisher ".repeat(60));
    };
    await second.goto(url);
    await has(second);
    await s.page.close(); // without its sessionStorage
    await s.server.kill();
    await s.server.restart();
    const third = await (await s.open()).newPage();
    await third.goto(url);
    await has(third);
    await become(third, "globex/bob");
    await third.getByText("This upload was not found").first().waitFor();
    assert.doesNotMatch(await third.locator("body").innerText(), /A publisher/);

  await second.reload();
  await has(second);
  await second.getByRole("button", { name: "Accept the card" }).click();
  await second.locator("[aria-invalid]").first().waitFor();
  await field(second, "Year").fill("1813");
  await field(second, "Publisher").fill("T. Egerton");
  await acceptCard(second);
});
