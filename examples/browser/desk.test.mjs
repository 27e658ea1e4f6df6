// The desk in Chromium, at desktop and phone width.
import assert from "node:assert/strict";
import { tabTo } from "./keyboard.mjs";
import {
  acceptButton,
  acceptCard,
  chooseSample,
  cover,
  desktop,
  field,
  hasRead,
  isWorking,
  phone,
  scene,
  upload,
} from "./scene.mjs";

for (const [size, window] of Object.entries({ desktop, phone })) {
  const press = (locator) => (window.hasTouch ? locator.tap() : locator.click());

  scene(`${size}, a sample is read, corrected by a message, and accepted`, { window }, async ({ page, server }) => {
    await page.goto(server.url);
    await press(page.getByRole("button", { name: "Pride and Prejudice" }));
    await hasRead(page);
    assert.equal(await field(page, "Author").inputValue(), "Jane Austen");
    await field(page, "Tell the reader what to correct").fill("The year is 1813");
    await press(page.getByRole("button", { name: "Send" }));
    await page.getByText("from your message").first().waitFor();
    await acceptButton(page).waitFor();
    assert.equal(await field(page, "Year").inputValue(), "1813");
    await acceptCard(page);
    await page.getByRole("link", { name: "Show it in operations" }).click();
    await page.getByText("pride-and-prejudice").first().waitFor();
  });

  scene(`${size}, a photo of one's own`, { window }, async ({ page, server }) => {
    await page.goto(server.url);
    await page
      .locator("input[type=file]")
      .first()
      .setInputFiles({ name: "my book.png", mimeType: "image/png", buffer: await cover(server, "moby-dick") });
    await hasRead(page);
    assert.equal(await field(page, "Title").inputValue(), "Moby-Dick");
    await acceptCard(page);
  });
}

// Without a barcode, the offline reader cannot find anything: a plain page, drawn in the browser.
scene("a card for which nothing was found can be filled in, also after a reload", {}, async ({ page, server }) => {
  await page.goto(server.url);
  const bytes = await page.evaluate(async () => {
    const plain = new OffscreenCanvas(300, 400);
    plain.getContext("2d").fillRect(0, 0, 300, 400);
    return [...new Uint8Array(await (await plain.convertToBlob()).arrayBuffer())];
  });
  await page
    .locator("input[type=file]")
    .first()
    .setInputFiles({ name: "plain.png", mimeType: "image/png", buffer: Buffer.from(bytes) });
  // The page says the second one if it opens the book after the end of so short a run.
  await page.getByText(/The reader has (finished\.|not found anything)/).first().waitFor({ state: "attached" });
  await page.reload();
  await page.getByText("The reader has not found anything").waitFor();
  await field(page, "Title").fill("A plain book");
  await page.getByText("Your changes are saved").waitFor();
  await page.reload();
  await field(page, "Title").waitFor();
  assert.equal(await field(page, "Title").inputValue(), "A plain book");
  await acceptCard(page);
});

scene("a photo is chosen before the page is ready", {}, async ({ page, server }) => {
  const photo = await cover(server, "moby-dick");
  let load;
  const isChosen = new Promise((resolve) => (load = resolve));
  await page.route(/\.js$/, async (route) => {
    await isChosen;
    await route.continue();
  });
  await page.goto(server.url, { waitUntil: "commit" });
  const early = { name: "early.png", mimeType: "image/png", buffer: photo };
  await page.locator("input[type=file]").first().setInputFiles(early);
  load();
  await hasRead(page);
  assert.equal(await field(page, "Title").inputValue(), "Moby-Dick");
});

scene("a photo is dropped", {}, async ({ page, server }) => {
  await page.goto(server.url);
  await page.getByRole("button", { name: "Moby-Dick" }).waitFor();
  const data = await page.evaluateHandle(async () => {
    const image = await (await fetch("/samples/moby-dick.png")).blob();
    const data = new DataTransfer();
    data.items.add(new File([image], "dropped.png", { type: "image/png" }));
    return data;
  });
  for (const type of ["dragenter", "dragover", "drop"]) await page.dispatchEvent("main", type, { dataTransfer: data });
  await hasRead(page);
  assert.equal(await field(page, "Title").inputValue(), "Moby-Dick");
});

scene("a photo is pasted", {}, async ({ page, server }) => {
  await page.goto(server.url);
  await page.getByRole("button", { name: "Moby-Dick" }).waitFor();
  await page.evaluate(async () => {
    const image = await (await fetch("/samples/moby-dick.png")).blob();
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([image], "image.png", { type: "image/png" }));
    document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  });
  await hasRead(page);
  assert.equal(await field(page, "Title").inputValue(), "Moby-Dick");
  await page.evaluate(() => { // text is not a photo
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", "no photo");
    document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  });
  assert.equal(await field(page, "Title").inputValue(), "Moby-Dick");
  await acceptCard(page);
});

scene("the keyboard is enough", {}, async ({ page, server }) => {
  await page.goto(server.url);
  const sample = page.getByRole("button", { name: "Pride and Prejudice" });
  await sample.waitFor();
  await tabTo(page, sample);
  await page.keyboard.press("Enter");
  await hasRead(page);
  assert.equal(await page.evaluate(() => document.activeElement === document.body), false, "the focus is lost");
  await tabTo(page, field(page, "Tell the reader what to correct"));
  await page.keyboard.type("The year is 1813");
  await page.keyboard.press("Enter");
  await page.getByText("from your message").first().waitFor();
  const accept = acceptButton(page);
  await accept.waitFor();
  await tabTo(page, accept);
  await page.keyboard.press("Space");
  await page.getByText("The card is saved at", { exact: true }).waitFor();
  await page.waitForFunction(() => document.activeElement?.matches("button, a"));
  await page.keyboard.press("Enter"); // the next book
  await sample.waitFor();
});

scene("one click accepts a card whose title has just been typed", {}, async (s) => {
  await chooseSample(s, "Moby-Dick");
  await hasRead(s.page);
  await field(s.page, "Title").fill("The Whale");
  await acceptCard(s.page); // the question about the other fields does not move the button away
});

const script = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;

scene("markup in names, titles, messages and results is text", { window: desktop }, async ({ page, server }) => {
  await page.goto(server.url);
  const name = `<img src=x onerror=alert(1)>.png`;
  await page
    .locator("input[type=file]")
    .first()
    .setInputFiles({ name, mimeType: "image/png", buffer: await cover(server, "moby-dick") });
  await hasRead(page);
  await field(page, "Tell the reader what to correct").fill(`The title is ${script}`);
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText(`The title is ${script}`).first().waitFor();
  await page.getByText("The title is now", { exact: false }).first().waitFor();
  await acceptButton(page).waitFor();
  await field(page, "Title").fill(script);
  await page.getByRole("heading", { level: 1, name: script }).waitFor();
  await acceptCard(page);
  await page.goto(`${server.url}/ops`);
  await page.getByText(script).first().waitFor();
  await page.getByText(name).first().waitFor();
  assert.equal(await page.locator("main img[src=x], #main script").count(), 0);
  assert.doesNotMatch(await page.title(), /^owned/);
});

for (const [size, window] of Object.entries({ desktop, phone })) {
  scene(
    `${size}, a text file that is called a photo is rejected, and a photo is read after it`,
    { window },
    async ({ page, server }) => {
      await page.goto(server.url);
      await page
        .locator("input[type=file]")
        .first()
        .setInputFiles({ name: "cover.jpg", mimeType: "image/jpeg", buffer: Buffer.from("not a photo") });
      await page.getByText("This file cannot be read").first().waitFor();
      await page.getByRole("button", { name: "Another book" }).first().click();
      await page.getByRole("button", { name: "Moby-Dick" }).click();
      await hasRead(page);
    },
  );
}

scene("an upload that the server rejects", { expected: [/status of 404/] }, async ({ page, server }) => {
  await page.goto(`${server.url}/#${await upload(server, "cover.jpg", "not a photo")}`);
  await page.getByText("not a supported image", { exact: false }).first().waitFor();
  assert.equal(await page.getByRole("button", { name: "Accept the card" }).isVisible(), false);
  await page.getByRole("button", { name: "Upload another book" }).first().click();
  await page.getByRole("button", { name: "Moby-Dick" }).click();
  await hasRead(page);
});

scene("a reader that was stopped is asked again", { flags: ["-pace", "300ms"] }, async (s) => {
  await chooseSample(s, "Pride and Prejudice");
  await isWorking(s.page);
  await s.page.getByRole("button", { name: "Stop", exact: true }).click();
  const again = s.page.getByRole("button", { name: "Ask the reader again" });
  await again.waitFor();
  await s.page.reload(); // the failure is there after a reload too
  await again.waitFor();
  await s.server.kill("SIGTERM");
  await s.server.restart("-pace", "0");
  await again.click();
  await hasRead(s.page);
  await acceptCard(s.page);
});

scene(
  "a person types the card of a book that they did not let the reader read",
  { flags: ["-pace", "300ms"] },
  async (s) => {
    const { page, server } = s;
    await chooseSample(s, "Pride and Prejudice");
    await isWorking(page);
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await page.getByRole("button", { name: "Ask the reader again" }).waitFor();
    await field(page, "Title").fill("A book that I know");
    await page.getByText("Your changes are saved.", { exact: true }).waitFor();
    await page.reload(); // the field is open after a reload too
    await field(page, "Author").fill("Somebody");
    await page.getByText("by you").nth(1).waitFor();
    await acceptCard(page);
    await page.goto(`${server.url}/shelf`);
    await page.getByRole("link", { name: "A book that I know" }).first().waitFor();
  },
);

scene("a wrong check digit is told when the field is left", {}, async (s) => {
  const { page } = s;
  await chooseSample(s, "Moby-Dick");
  await hasRead(page);
  const isbn = field(page, "ISBN");
  await isbn.fill("0-486-28473-7");
  assert.equal(await isbn.getAttribute("aria-invalid"), null, "not while it is typed");
  await page.keyboard.press("Tab");
  await page.locator("#field-isbn-note").getByText("It would be 5.").waitFor();
  assert.equal(await isbn.getAttribute("aria-invalid"), "true");
});
