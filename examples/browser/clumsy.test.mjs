// What a clumsy person does.
import assert from "node:assert/strict";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { acceptCard, become, chooseSample, cover, field, hasRead, scene } from "./scene.mjs";

const choose = (page, files) => page.locator("input[type=file]").first().setInputFiles(files);

scene("a double click accepts once, and shares once", {}, async (s) => {
  const { page, server } = s;
  const asked = [];
  page.on("request", (r) => r.method() === "POST" && asked.push(new URL(r.url()).pathname.split("/").at(-1)));
  await page.goto(server.url);
  await become(page, "acme/lee");
  await chooseSample(s, "Moby-Dick");
  await hasRead(page);
  await page.getByRole("button", { name: "Accept the card" }).dblclick();
  await page.getByText("The card is saved at", { exact: true }).waitFor();
  await page.goto(`${server.url}/shelf`);
  await page.getByRole("link", { name: "Moby-Dick" }).first().click();
  await page.getByRole("button", { name: /Share/ }).dblclick();
  await page.getByText("Your colleagues see version 1 now.").first().waitFor();
  assert.deepEqual(asked.filter((path) => ["accept", "share"].includes(path)), ["accept", "share"]);
});

const late = { expected: [/status of 409/] };

scene("two tabs accept a book with different words: the second shows what was accepted", late, async (s) => {
  const { page, context } = s;
  await chooseSample(s, "Moby-Dick");
  await hasRead(page);
  const second = await context.newPage();
  await second.goto(page.url());
  await hasRead(second);
  await second.route("**/api/metadata/accept", async (route) => {
    const { session_id } = route.request().postDataJSON();
    const data = { session_id, metadata: { title: "The words of the first tab" } };
    await context.request.post(route.request().url(), { data }); // at the last moment
    await route.continue();
  });
  await second.getByRole("button", { name: "Accept the card" }).click();
  await second.getByText("Your card was not accepted").waitFor();
  await second.getByText("The card is saved at", { exact: true }).waitFor();
  assert.equal(await field(second, "Title").inputValue(), "The words of the first tab");
});

scene("text is pasted instead of a photo", {}, async ({ page, server }) => {
  await page.goto(server.url);
  await page.getByRole("button", { name: "Moby-Dick" }).waitFor();
  await page.evaluate(() => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", "https://example.com/cover.png");
    document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
  });
  await page.getByText("There is no photo in the clipboard").waitFor();
});

scene("a folder is dropped", {}, async ({ page, server, context }) => {
  const folder = await mkdtemp(join(tmpdir(), "holiday-"));
  await writeFile(join(folder, "cover.png"), await cover(server, "moby-dick"));
  await page.goto(server.url);
  await page.getByRole("button", { name: "Moby-Dick" }).waitFor();
  const devtools = await context.newCDPSession(page);
  const data = { items: [], files: [folder], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"]) {
    await devtools.send("Input.dispatchDragEvent", { type, x: 600, y: 300, data });
  }
  await page.getByText(`“${basename(folder)}” is a folder`).waitFor();
  await page.getByRole("button", { name: "Moby-Dick" }).waitFor();
});

// A note among sixty photos, and names that cannot end a key, do not keep the others from being read.
scene("sixty files at once, some of them odd", { expected: [/blob:/] }, async ({ page, server }) => {
  const buffer = await cover(server, "moby-dick");
  const photo = (name) => ({ name, mimeType: "image/png", buffer });
  const odd = ["📚 كتاب \u202egnp.png", "CON.png", "..png"].map(photo);
  const note = { name: "note.txt", mimeType: "text/plain", buffer: Buffer.from("not a photo") };
  await page.goto(server.url);
  await choose(page, [note, ...odd, ...Array.from({ length: 56 }, (_, i) => photo(`cover ${i}.png`))]);
  const books = page.locator("#tray-list li");
  await books.nth(59).waitFor();
  await books.filter({ hasText: "note.txt" }).getByText("Not sent").waitFor();
  await books.filter({ hasText: "Ready for you" }).nth(4).waitFor();
});

scene("Back while a photo is sent, and Forward", {}, async ({ page, server }) => {
  await page.goto(server.url);
  await page.getByRole("button", { name: "Moby-Dick" }).waitFor();
  let arrive;
  const mayArrive = new Promise((resolve) => (arrive = resolve));
  await page.route(/X-Amz-Signature/, async (route) => {
    if (route.request().method() === "PUT") await mayArrive;
    await route.continue();
  });
  await choose(page, { name: "a.png", mimeType: "image/png", buffer: await cover(server, "moby-dick") });
  await page.getByText("Sending the photo").waitFor();
  await page.waitForURL(/#./);
  await page.goBack();
  await page.getByRole("heading", { level: 1, name: "Bring a book to the desk" }).waitFor();
  await page.getByRole("link", { name: /a\.png/ }).waitFor(); // it is in the tray
  arrive();
  await page.goForward();
  await hasRead(page);
});

for (const hours of [-30, 30]) {
  scene(`the clock of the device is wrong by ${hours} h`, { expected: [/status of 401/] }, async (s) => {
    const { page, server } = s;
    await page.clock.setSystemTime(Date.now() + hours * 3_600_000);
    await page.goto(server.url);
    await become(page, "acme/lee");
    await chooseSample(s, "Moby-Dick");
    await hasRead(page);
    await acceptCard(page);
    await page.goto(`${server.url}/chat`);
    const message = page.getByRole("textbox", { name: "Message to the reader" });
    await message.fill("Please share Moby-Dick with my colleagues.");
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByRole("button", { name: "Approve" }).click();
    await page.getByText("Approved", { exact: false }).first().waitFor();
  });
}
