// Intake in Chromium: files are taken in, confirmed, shared and asked about.
import assert from "node:assert/strict";
import {
  ask, becomePerson, chooseFile, confirmFile, entry, intake, isReadOnce, isTaken, messages, report, stop,
} from "./intake.mjs";
import { tabTo } from "./keyboard.mjs";
import { desktop, phone } from "./scene.mjs";

const missing = [/status of 404/];

for (const [size, window] of Object.entries({ desktop, phone })) {
  intake(`${size}, a file is taken in, corrected and confirmed, and answers questions`, { window }, async (s) => {
    const { page, server } = s;
    await page.goto(server.url);
    await chooseFile(page, "shipments.csv");
    await isReadOnce(page, "shipments.csv");
    await page.getByRole("button", { name: "Look at the report" }).click();
    await page.getByRole("heading", { level: 1, name: "shipments.csv" }).waitFor();
    assert.equal(
      await page.getByRole("heading", { level: 1 }).evaluate((h) => h === document.activeElement), true, "the focus"
    );
    const row = page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: "ship_date" }) });
    assert.match(await row.innerText(), /YYYY-MM-DD.*DD\.MM\.YYYY/s);
    await page.getByRole("textbox", { name: "Meaning of carrier" }).fill("who drives");
    await page.getByRole("button", { name: "Back to the chat" }).click();
    await entry(page, "shipments.csv").getByRole("button", { name: /^Look and confirm/ }).click();
    const meaning = page.getByRole("textbox", { name: "Meaning of carrier" });
    await meaning.waitFor();
    assert.equal(await meaning.inputValue(), "who drives", "corrections are kept");
    await page.getByRole("button", { name: "Confirm", exact: true }).click();
    await report(page).getByText("Confirmed", { exact: true }).waitFor();
    assert.equal(await page.getByRole("textbox", { name: "Meaning of carrier" }).count(), 0);
    await page.getByText("who drives").waitFor();
    await page.reload(); // the report is in the URL
    await page.getByText("who drives").waitFor();
    await page.getByRole("button", { name: "Ask about it" }).click();
    assert.match(await ask(page, "how many negative quantity in shipments"), /\b17\b/);
    await chooseFile(page, "suppliers.csv");
    await isTaken(page, "suppliers.csv");
    await confirmFile(page, "suppliers.csv");
    const answer = await ask(page, "total quantity by supplier in shipments"); // with the names from the other file
    assert.match(answer, /shipments\.csv.*supplier_name.*S-\d+\s+Larch Castings 6\s+\d/s);
    assert.doesNotMatch(answer, /\bf\d\b/);
    await page.goBack(); // Back leads through the reports and the chat
    await page.getByRole("heading", { level: 1, name: "suppliers.csv" }).waitFor();
  });
}

intake("a file is chosen before the page is ready", {}, async ({ page, server }) => {
  let load;
  const isChosen = new Promise((resolve) => (load = resolve));
  await page.route(/\.js$/, async (route) => {
    await isChosen;
    await route.continue();
  });
  await page.goto(server.url, { waitUntil: "commit" });
  const buffer = Buffer.from("sku,qty\nA,1\n");
  await page.locator("#file").setInputFiles({ name: "early.csv", mimeType: "text/csv", buffer });
  load();
  await isTaken(page, "early.csv");
});

intake("a sample of JSON is a table of rows", {}, async ({ page, server }) => {
  await page.goto(server.url);
  await chooseFile(page, "purchase_orders.jsonl");
  await isTaken(page, "purchase_orders.jsonl");
  await page.locator("summary").filter({ hasText: "Looked at rows" }).click();
  const table = page.getByRole(
    "group", { name: "Looked at rows from all over the file", exact: true }
  ).getByRole("table");
  await table.getByRole("columnheader", { name: "supplier_id" }).waitFor();
  assert.equal(await table.getByRole("row").count(), 21);
  assert.doesNotMatch(await table.innerText(), /[{}"]/);
});

intake("shared suppliers reach colleagues, and no other tenant", { expected: missing }, async ({ page, server }) => {
  await page.goto(server.url);
  await becomePerson(page, "Ann, steward of acme");
  await chooseFile(page, "suppliers.csv");
  await isTaken(page, "suppliers.csv");
  await confirmFile(page, "suppliers.csv");
  const chat = page.url();
  await entry(page, "suppliers.csv").getByRole("button", { name: "suppliers.csv", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "suppliers.csv" }).waitFor();
  const link = page.url();
  await page.getByRole("button", { name: "Share with colleagues" }).click();
  await report(page).getByText("Confirmed and shared").waitFor();

  await becomePerson(page, "Ben of acme");
  const shared = page.getByRole("list", { name: "Shared by your colleagues" });
  await shared.getByRole("button", { name: "suppliers.csv" }).waitFor();
  await chooseFile(page, "shipments.csv");
  await isTaken(page, "shipments.csv");
  const question = "total quantity by supplier in shipments";
  assert.match(await ask(page, question), /supplier_name.*S-\d+\s+Larch Castings 6\s+\d/s);

  await becomePerson(page, "Eve of globex");
  await page.getByText("You have not taken in a file yet.").waitFor();
  await chooseFile(page, "shipments.csv");
  await isTaken(page, "shipments.csv");
  assert.doesNotMatch(await ask(page, question), /Castings/);
  for (const url of [link, link.replace(/.*file=/, `${server.url}/#file=`)]) {
    await page.goto("about:blank");
    await page.goto(url);
    await page.getByRole("heading", { level: 1, name: "This file was not found" }).waitFor();
    await page.getByText(
      "Nobody of another tenant sees it, and nobody learns whether it exists.", { exact: false }
    ).waitFor();
    assert.doesNotMatch(await page.locator("body").innerText(), /suppliers\.csv|\bAnn\b|acme/);
  }
  await page.goto("about:blank");
  await page.goto(chat);
  await page.getByText("This chat was not found").waitFor();
  assert.doesNotMatch(String(await page.locator("#files, #thread").allInnerTexts()), /suppliers/);
});

intake("the address decides which chat and file are shown", {
  flags: ["-pace", "60ms"], expected: missing,
}, async ({ page, server }) => {
  const chatInAddress = () => new URL(page.url()).hash.match(/chat=([^&]+)/)?.[1] ?? "";
  const follow = (hash) => page.evaluate((h) => (location.hash = h), hash);
  const isUnknown = () => page.getByText("This chat was not found", { exact: false }).waitFor();
  await page.goto(server.url);
  await page.getByText("You have not taken in a file yet.").waitFor();
  const newChat = page.getByRole("button", { name: "New chat" });
  assert.equal(await newChat.isVisible(), false, "a new chat of a new chat");
  await ask(page, "list my files");
  const first = chatInAddress();
  await page.getByRole("textbox", { name: "Your question" }).fill("what files do I have");
  await page.keyboard.press("Enter"); // the first chat is still being answered
  await stop(page).and(page.locator(":enabled")).waitFor();
  await newChat.click();
  assert.equal(await messages(page).locator("> li").count(), 0);
  assert.equal(await stop(page).isVisible(), false, "the run of another chat");
  assert.equal(chatInAddress(), "");
  assert.equal(await page.evaluate(() => document.activeElement.id), "message");
  await ask(page, "which files are there");
  const second = chatInAddress();
  assert.notEqual(second, first);
  await page.goBack();
  await messages(page).getByText("list my files", { exact: true }).waitFor();
  await messages(page).getByText("what files do I have", { exact: true }).waitFor();
  assert.equal(chatInAddress(), first);
  await follow(`#chat=${second}`);
  await messages(page).getByText("which files are there", { exact: true }).waitFor();
  await messages(page).locator("[aria-busy]").waitFor({ state: "detached" });
  assert.equal(await messages(page).locator("> li").count(), 1);
  await ask(page, "list my files");
  assert.equal(chatInAddress(), second, "the chat of the message");

  const unknown = "00000000-0000-7000-8000-000000000000";
  await follow(`#chat=${unknown}`);
  await isUnknown();
  await page.waitForFunction(() => location.hash === "");
  await ask(page, "list my files");
  assert.ok(![first, second, unknown, ""].includes(chatInAddress()), "a new chat");
  assert.equal(await page.getByText("This chat was not found", { exact: false }).count(), 0);
  await follow(`#chat=${first}&file=${unknown}`);
  await page.getByRole("heading", { level: 1, name: "This file was not found" }).waitFor();
  await page.getByRole("button", { name: "Back to the chat" }).click();
  await messages(page).getByText("what files do I have", { exact: true }).waitFor();
  await page.getByRole("link", { name: "Skip to the chat" }).press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  assert.equal(chatInAddress(), first);
  assert.equal(await messages(page).locator("> li").count(), 2);
});

intake("the chats of a person are listed, over pages and restarts", { expected: missing }, async ({ page, server }) => {
  const chats = page.getByRole("list", { name: "Earlier chats" });
  const titles = async () => (await chats.locator(".chat-title").allInnerTexts());
  const start = (message) => fetch(`${server.url}/api/chat`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ message }),
  }).then((response) => response.text());
  await page.goto(server.url);
  await page.getByText("You have not taken in a file yet.").waitFor();
  assert.equal(await page.getByRole("heading", { name: "Earlier chats" }).isVisible(), false);
  await chooseFile(page, "suppliers.csv");
  await isTaken(page, "suppliers.csv");
  await chats.getByRole("link", { name: /^suppliers\.csv/ }).and(page.locator("[aria-current]")).waitFor();
  for (let n = 1; n <= 20; n++) await start(`question ${n}`);
  await page.getByRole("button", { name: "New chat" }).click();
  await ask(page, "<b>what</b> files do I have");
  await chats.getByRole("link", { name: "<b>what</b>" }).and(page.locator("[aria-current]")).waitFor();
  assert.equal(await chats.locator("[aria-current]").count(), 1);
  assert.equal(await chats.locator("b").count(), 0, "markup is text");
  await page.getByRole("button", { name: "Show older chats" }).click();
  await chats.getByRole("link", { name: /^suppliers\.csv/ }).waitFor();
  const numbers = Array.from({ length: 20 }, (_, i) => `question ${20 - i}`);
  assert.deepEqual(await titles(), ["<b>what</b> files do I have", ...numbers, "suppliers.csv"]);
  assert.equal(await page.evaluate(() => document.activeElement.closest("li")?.innerText.split("\n")[0]), "question 1");

  await server.kill();
  await server.restart();
  await page.reload();
  await chats.getByRole("link", { name: "question 20 " }).click();
  await messages(page).getByText("question 20", { exact: true }).waitFor();
  await page.goBack();
  await messages(page).getByText("<b>what</b> files do I have", { exact: true }).waitFor();
  await becomePerson(page, "Eve of globex");
  await page.getByText("You have not taken in a file yet.").waitFor();
  assert.equal(await chats.locator("a").count(), 0);
  assert.doesNotMatch(await page.locator("body").innerText(), /question \d/);
});

intake("a file that is not a table says why and is removed", {}, async ({ page, server }) => {
  await page.goto(server.url);
  const buffer = Buffer.concat([Buffer.from("PK\x03\x04\x14\0\0\0\x08\0"), Buffer.alloc(400, 0x9c)]);
  await page.locator("input[type=file]").setInputFiles({ name: "march.zip", mimeType: "application/zip", buffer });
  const zip = entry(page, "march.zip");
  await zip.locator(".flaw").waitFor();
  await messages(page).getByText("cannot read this file as a table", { exact: false }).waitFor();
  await zip.getByText("Cannot be read", { exact: true }).waitFor();
  assert.match(await zip.locator(".flaw").innerText(), /is not text \(application\/zip/);
  assert.equal(await zip.getByRole("button", { name: /^(Take it in|Try again)/ }).count(), 0);
  await zip.getByRole("button", { name: /^Remove/ }).click();
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Keep it/);
  await zip.getByRole("button", { name: "Remove it for good" }).click();
  await zip.waitFor({ state: "detached" });
  await chooseFile(page, "inventory.tsv"); // and the chat goes on
  await isTaken(page, "inventory.tsv");
});

intake("a person's own stop is not a failure, and the file can be taken in again", {
  flags: ["-pace", "80ms"],
}, async (s) => {
  const { page, server } = s;
  await page.goto(server.url);
  await chooseFile(page, "shipments.csv");
  await messages(page).getByText("Looked at rows").waitFor();
  await stop(page).click();
  await messages(page).getByText("Stopped by you.").waitFor();
  await entry(page, "shipments.csv").getByText("Stopped by you").waitFor();
  assert.equal(await page.locator("main").locator(".flaw, .error, .bad").count(), 0);
  await page.reload();
  await messages(page).getByText("Stopped by you.").waitFor();
  await server.kill("SIGTERM");
  await server.restart("-pace", "0");
  await messages(page).getByRole("button", { name: "Take it in again" }).click(); // also after a reload
  await isTaken(page, "shipments.csv");
});

intake("a message waits for the answer before it", { flags: ["-pace", "30ms"] }, async ({ page, server }) => {
  await page.goto(server.url);
  await chooseFile(page, "suppliers.csv");
  await stop(page).waitFor();
  await page.getByRole("textbox", { name: "Your question" }).fill("list my files");
  await page.keyboard.press("Enter");
  await page.getByText("Waits for the answer before it.").waitFor();
  await messages(page).getByText("These are the files that I can read for you").waitFor();
});

intake("the keyboard is enough", {}, async ({ page, server }) => {
  await page.goto(server.url);
  const sample = page.getByRole("button", { name: "suppliers.csv", exact: true });
  await sample.waitFor();
  await tabTo(page, sample);
  await page.keyboard.press("Enter");
  await isTaken(page, "suppliers.csv");
  assert.equal(await page.evaluate(() => document.activeElement === document.body), false, "the focus is lost");
  await tabTo(page, page.getByRole("button", { name: "Look at the report" }));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "suppliers.csv" }).waitFor();
  await tabTo(page, page.getByRole("textbox", { name: "Meaning of supplier_name" }));
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type("name of the company");
  await page.keyboard.press("Enter");
  const again = page.getByRole("button", { name: "Ask about it" });
  await again.waitFor();
  await page.getByText("name of the company").waitFor();
  await tabTo(page, again);
  await page.keyboard.press("Space");
  await page.keyboard.type("how many rows in suppliers");
  await page.keyboard.press("Enter");
  await page.getByText("how many rows in suppliers", { exact: true }).waitFor();
  await messages(page).getByText('From "suppliers.csv", 40 of 40 rows').waitFor();
  await tabTo(page, page.getByRole("button", { name: /^You are/ }));
  await page.keyboard.press("Enter");
  await page.getByRole("group", { name: "Who you are" }).waitFor();
  await page.keyboard.press("Escape");
  assert.match(await page.evaluate(() => document.activeElement.textContent), /You are/);
});

intake("markup in names, cells and messages is text", {}, async ({ page, server }) => {
  const script = `<img src=x onerror="document.title='owned'">`;
  await page.goto(server.url);
  const buffer = Buffer.from(
    `supplier_id,supplier_name,${script.replaceAll('"', "'")}\n1,"${script.replaceAll('"', '""')}",x\n2,b,y\n`
  );
  await page.locator("input[type=file]").setInputFiles({ name: "<b>suppliers.csv", mimeType: "text/csv", buffer });
  await isTaken(page, "<b>suppliers.csv");
  await page.locator("summary").filter({ hasText: "Looked at rows" }).click();
  await page.getByRole("cell", { name: script }).first().waitFor();
  await ask(page, script);
  await page.getByRole("button", { name: "Look at the report" }).click();
  await page.getByRole("heading", { level: 1, name: "<b>suppliers.csv" }).waitFor();
  await page.getByRole("rowheader", { name: script.replaceAll('"', "'") }).waitFor();
  assert.equal(await page.locator("main img[src=x], main b").count(), 0);
  assert.doesNotMatch(await page.title(), /owned/);
});
