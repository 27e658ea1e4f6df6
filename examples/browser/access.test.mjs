// A tour through the states of the pages, which looks at the accessibility of each, at desktop width and on a small
// phone.
import assert from "node:assert/strict";
import { Inspector } from "./inspect.mjs";
import { acceptCard, become, chooseSample, cover, desktop, field, hasRead, isWorking, phone, scene } from "./scene.mjs";

const small = { ...phone, viewport: { width: 320, height: 640 } };
const missing = [/status of 404/, /status of 40[09]/];

for (const [size, window] of Object.entries({ desktop, small })) {
  const settle = (page) => page.locator("[aria-busy=true]").first().waitFor({ state: "detached" });

  scene(
    `${size}, the desk is accessible in each state`,
    { window, flags: ["-pace", "60ms"], expected: missing },
    async (s) => {
      const { page, server } = s;
      const look = new Inspector();
      await page.goto(server.url);
      await page.getByRole("button", { name: "Moby-Dick" }).waitFor();
      await look.look(page, "intake");
      await page.getByRole("button", { name: "You are" }).click();
      await page.getByText("You are anonymous of the tenant").waitFor();
      await look.look(page, "identity menu");
      await page.keyboard.press("Escape");
      await chooseSample(s, "Moby-Dick");
      await isWorking(page);
      await look.look(page, "reading");
      await server.kill("SIGTERM");
      await server.restart("-pace", "0");
      await hasRead(page);
      await look.look(page, "review");
      for (const call of await page.getByRole("group").locator("summary").all()) await call.click();
      await look.look(page, "opened calls");
      await field(page, "Year").fill("next year");
      await page.getByRole("button", { name: "Accept the card" }).click();
      await page.locator("[aria-invalid]").first().waitFor();
      await look.look(page, "an invalid field");
      await field(page, "Year").fill("1851");
      await acceptCard(page);
      await look.look(page, "accepted");
      await page.goto(server.url);
      const photo = { mimeType: "image/png", buffer: await cover(server, "moby-dick") };
      await page
        .locator("input[type=file]")
        .first()
        .setInputFiles([
          { ...photo, name: "one.png" },
          { ...photo, name: "two.png" },
        ]);
      await page.getByRole("navigation", { name: "Your open books" }).waitFor();
      await hasRead(page);
      await look.look(page, "several books");
      await page.getByRole("button", { name: "Another book" }).click();
      await choose(page, "cover.jpg", "not a photo");
      await page.getByRole("alert").or(page.getByText("cannot be read")).first().waitFor();
      await look.look(page, "a file that is not a photo");
      await page.goto(`${server.url}/#00000000-0000-7000-8000-000000000000`);
      await page.reload();
      await page.getByText("This upload was not found").first().waitFor();
      await look.look(page, "an unknown upload");
      assert.deepEqual(look.findings, []);
    },
  );

  scene(`${size}, the other pages are accessible in each state`, { window, expected: missing }, async (s) => {
    const { page, server } = s;
    const look = new Inspector();
    await page.goto(`${server.url}/ops`);
    await settle(page);
    await look.look(page, "operations without uploads");
    await page.goto(`${server.url}/shelf`);
    await settle(page);
    await look.look(page, "an empty shelf");
    await page.goto(server.url);
    await become(page, "acme/lee");
    await choose(page, "cover.jpg", "not a photo");
    await chooseSample(s, "Moby-Dick");
    await hasRead(page);
    await acceptCard(page);
    await chooseSample(s, "Pride and Prejudice");
    await hasRead(page);
    await page.goto(`${server.url}/ops`);
    await page.getByRole("button", { name: "Pride and Prejudice" }).first().click();
    await page.getByRole("button", { name: "Cancel upload…" }).waitFor();
    await look.look(page, "operations with an open row");
    await page.getByRole("button", { name: "Cancel upload…" }).click();
    await page.getByRole("dialog").waitFor();
    await look.look(page, "operations with a question");
    await page.getByRole("button", { name: "Keep it" }).click();
    await page.goto(`${server.url}/shelf`);
    await page.getByRole("link", { name: "Moby-Dick" }).first().waitFor();
    await look.look(page, "the shelf");
    await page.goto(`${server.url}/shelf?query=nothing+like+it`);
    await settle(page);
    await look.look(page, "a search that finds nothing");
    await page.goto(`${server.url}/shelf`);
    await page.getByRole("link", { name: "Moby-Dick" }).first().click();
    await page.getByRole("button", { name: "Correct the card" }).click();
    await look.look(page, "a book that is corrected");
    await page.getByRole("button", { name: "Discard it" }).click();
    await look.look(page, "a book");
    await page.goto(`${server.url}/shelf/nobody`);
    await page.getByText("It was not found").waitFor();
    await look.look(page, "a book of somebody else");
    await page.goto(`${server.url}/chat`);
    const message = page.getByRole("textbox", { name: "Message to the reader" });
    await message.waitFor();
    await look.look(page, "a new chat");
    await message.fill("Share Moby-Dick");
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByRole("button", { name: "Approve" }).waitFor();
    await look.look(page, "a chat with a request");
    await page.getByRole("button", { name: "Approve" }).click();
    await page.getByRole("button", { name: "Approve" }).waitFor({ state: "hidden" });
    await page.getByRole("button", { name: "Stop", exact: true }).waitFor({ state: "hidden" });
    for (const call of await page.locator("main summary").all()) if (await call.isVisible()) await call.click();
    await look.look(page, "a chat with opened calls");
    await page.goto(`${server.url}/nothing`);
    await look.look(page, "an unknown page");
    assert.deepEqual(look.findings, []);
  });
}

for (const [size, window] of Object.entries({ desktop, small })) {
  scene(`${size}, the page of the sign-in is accessible`, { window, flags: ["-sign-in"] }, async ({ page, server }) => {
    const look = new Inspector();
    await page.goto(`${server.url}/sign-in`);
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    await look.look(page, "sign-in");
    assert.deepEqual(look.findings, []);
  });
}

/** choose gives the desk a file. */
function choose(page, name, text) {
  return page
    .locator("input[type=file]")
    .first()
    .setInputFiles({ name, mimeType: "image/jpeg", buffer: Buffer.from(text) });
}
