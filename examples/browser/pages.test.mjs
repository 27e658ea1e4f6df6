// Tenants, the shelf and operations in Chromium.
import assert from "node:assert/strict";
import { acceptCard, become, chooseSample, cover, field, hasRead, scene, upload } from "./scene.mjs";

const missing = [/status of 404/];

scene("another tenant sees nothing of this one", { expected: missing }, async (s) => {
  const { page, server } = s;
  await page.goto(server.url);
  await become(page, "acme/ann");
  await chooseSample(s, "Moby-Dick");
  await hasRead(page);
  const open = page.url();
  await acceptCard(page);
  await page.goto(`${server.url}/shelf`);
  await page.getByRole("link", { name: "Moby-Dick" }).first().click();
  await page.getByRole("heading", { level: 1, name: "Moby-Dick" }).waitFor();
  const book = page.url();

  await become(page, "globex/bob"); // on the page of the book
  await page.getByText("It was not found").waitFor();
  for (const [url, text] of [[open, "This upload was not found"], [book, "It was not found"]]) {
    await page.goto("about:blank");
    await page.goto(url);
    await page.getByText(text).first().waitFor();
    assert.doesNotMatch(await page.locator("body").innerText(), /Moby-Dick|ann/);
    assert.doesNotMatch(await page.locator("main").innerText(), /Closed|The card|notes begin|Progress/);
  }
  for (const path of ["/", "/shelf", "/ops"]) {
    await page.goto(server.url + path);
    await page.getByRole("button", { name: "You are globex/bob" }).waitFor();
    await page.locator("main [aria-busy=true]").first().waitFor({ state: "detached" });
    const own = path === "/" ? page.locator("#review, #tray") : page.locator("main"); // not the samples
    for (const part of await own.all()) assert.doesNotMatch(await part.innerText(), /Moby-Dick|moby-dick|\bann\b/);
  }
  assert.deepEqual(
    await page.evaluate(() => Object.values({ ...localStorage, ...sessionStorage }).filter((v) => /moby/i.test(v))),
    [],
  );
  await page.goBack();
  await page.goto(open);
  await page.getByText("This upload was not found").first().waitFor();
  await page.getByRole("button", { name: "Upload another book" }).click();
  await chooseSample(s, "Moby-Dick"); // their own one
  await hasRead(page);
});

scene("a book on the shelf is found, opened and corrected", {}, async (s) => {
  const { page, server } = s;
  for (const title of ["Moby-Dick", "Pride and Prejudice"]) {
    await chooseSample(s, title);
    await hasRead(page);
    await acceptCard(page);
  }
  await page.goto(`${server.url}/shelf`);
  const books = page.getByRole("list").getByRole("link");
  await books.filter({ hasText: "Pride and Prejudice" }).first().waitFor();
  await page.getByRole("searchbox").fill("melville");
  await page.getByRole("button", { name: "Search" }).click();
  await page.waitForURL(/query=melville/);
  await books.filter({ hasText: "Moby-Dick" }).first().waitFor();
  await books.filter({ hasText: "Pride and Prejudice" }).first().waitFor({ state: "detached" });
  await page.reload(); // the search is in the URL
  await books.filter({ hasText: "Moby-Dick" }).first().click();
  await page.getByRole("button", { name: "Correct the card" }).click();
  const script = `<img src=x onerror=alert(1)>`;
  await field(page, "Title").fill(script);
  await page.getByRole("button", { name: "Save the correction" }).click();
  await page.getByRole("heading", { level: 1, name: script }).waitFor();
  await page.getByRole("link", { name: /Version 1/ }).click();
  await page.getByRole("heading", { level: 1, name: "Moby-Dick" }).waitFor();
  await page.goBack();
  await page.getByRole("heading", { level: 1, name: script }).waitFor();
  await page.goto(`${server.url}/shelf`);
  await books.filter({ hasText: script }).first().waitFor();
  assert.equal(await page.locator("main img[src=x]").count(), 0);
  await page.goto(`${server.url}/ops`); // the upload has the title of the book
  await page.getByRole("button", { name: script }).click();
  await page.getByRole("link", { name: "Open the book" }).click();
  await page.getByRole("heading", { level: 1, name: script }).waitFor();
});

scene("the tray shows a title as it is typed", {}, async (s) => {
  for (const title of ["Moby-Dick", "Pride and Prejudice"]) {
    await chooseSample(s, title);
    await hasRead(s.page);
  }
  await field(s.page, "Title").fill("Pride, mostly");
  await s.page
    .getByRole("navigation", { name: "Your open books" })
    .getByRole("link", { name: "Pride, mostly" })
    .waitFor();
});

scene("operations show, find and cancel uploads", { expected: missing }, async (s) => {
  const { page, server } = s;
  await chooseSample(s, "Moby-Dick");
  await hasRead(page);
  await acceptCard(page);
  await chooseSample(s, "Pride and Prejudice");
  await hasRead(page);
  await page.goto(`${server.url}/ops`);
  const row = (title) => page.getByRole("button", { name: title });
  await row("Moby-Dick").waitFor();
  await page.getByRole("link", { name: /Accepted/ }).click();
  await page.waitForURL(/status=success/);
  await row("Pride and Prejudice").waitFor({ state: "detached" });
  await page.goBack();
  await row("Pride and Prejudice").waitFor();
  await page.getByRole("searchbox").fill("prejudice");
  await page.waitForURL(/q=prejudice/);
  await row("Moby-Dick").waitFor({ state: "detached" });
  await row("Pride and Prejudice").click();
  await page.reload(); // filter, search and the opened row are in the URL
  await page.getByRole("button", { name: "Cancel upload…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel the upload" }).click();
  await page.getByRole("link", { name: /Failed/ }).filter({ hasText: "1" }).waitFor();
});

scene("operations change while they are open", {}, async ({ page, server, context }) => {
  await page.goto(`${server.url}/ops`);
  await page.locator("main [aria-busy=true]").first().waitFor({ state: "detached" });
  const desk = await context.newPage();
  await desk.goto(`${server.url}/#${await upload(server, "moby-dick.png", await cover(server, "moby-dick"))}`);
  await hasRead(desk);
  await page.bringToFront();
  await page.getByRole("link", { name: /Waiting/ }).filter({ hasText: "1" }).waitFor();
});

scene(
  "a chat answers, resumes after a reload, and shares a book after an approval",
  { flags: ["-pace", "0"] },
  async (s) => {
    const { page, server } = s;
    await page.goto(server.url);
    await become(page, "acme/lee"); // a librarian
    await chooseSample(s, "Moby-Dick");
    await hasRead(page);
    await acceptCard(page);
    await page.goto("about:blank"); // the desk would miss the server
    await server.kill("SIGTERM");
    await server.restart("-pace", "60ms");
    await page.goto(`${server.url}/chat`);
    const message = page.getByRole("textbox", { name: "Message to the reader" });
    const say = async (text) => {
      await message.fill(text);
      await page.getByRole("button", { name: "Send" }).click();
    };
    const answer = (text) => page.getByRole("listitem").filter({ hasText: text }).last();
    await say("List my books");
    await page.getByRole("button", { name: "Stop", exact: true }).waitFor();
    await page.reload();
    await answer("Moby-Dick").waitFor();
    await page.getByRole("button", { name: "Stop", exact: true }).waitFor({ state: "hidden" });
    assert.equal(
      await page
        .getByRole("listitem")
        .filter({ hasText: /^(You: )?List my books$/ })
        .count(),
      1,
    );
    await say("Please share the first one with my colleagues.");
    await page.getByText("The reader asks for your approval", { exact: true }).waitFor();
    await page.reload(); // the request is there after a reload too
    await page.getByRole("button", { name: "Approve" }).click();
    await page.getByText("Approved", { exact: false }).first().waitFor();
    await page.getByRole("button", { name: "Stop", exact: true }).waitFor({ state: "hidden" });
    await say(`<img src=x onerror=alert(1)>`);
    await answer(`<img src=x onerror=alert(1)>`).waitFor();
    assert.equal(await page.locator("main img[src=x]").count(), 0);
    await page.goto(`${server.url}/shelf`);
    await become(page, "acme/ann");
    await page.getByRole("link", { name: "Moby-Dick" }).first().waitFor();
  },
);

scene(
  "people sign in on the pages of an issuer, and out again",
  { flags: ["-pace", "0", "-sign-in"], expected: [/status of 401/] },
  async (s) => {
    const { page, server } = s;
    await page.goto(`${server.url}/shelf`);
    await page.getByRole("button", { name: "acme/ann" }).click(); // on the page of the issuer
    await page.getByRole("heading", { level: 1, name: "The shelf" }).waitFor();
    assert.doesNotMatch(page.url(), /code=|state=/);
    await page.getByRole("button", { name: "You are" }).waitFor();
    assert.deepEqual(
      await page.evaluate(() =>
        Object.values({ ...localStorage, ...sessionStorage }).filter((v) => v.startsWith("ey")),
      ),
      [],
    );
    await page.reload();
    await page.getByRole("button", { name: "You are" }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { level: 1, name: /signed out/i }).waitFor();
    await page.goto(`${server.url}/shelf`);
    await page.getByRole("button", { name: "globex/bob" }).waitFor();
  },
);

for (const width of [320, 375]) {
  const window = { viewport: { width, height: 700 }, hasTouch: true, isMobile: true };
  scene(`the links to the pages end where the content does, ${width} px wide`, { window }, async ({ page, server }) => {
    for (const path of ["/", "/shelf", "/chat", "/ops"]) {
      await page.goto(server.url + path);
      await page.getByRole("button", { name: "You are" }).waitFor();
      const [links, brand, room] = await page.evaluate(() => {
        const all = [...document.querySelectorAll(".top nav a")].map((a) => a.getBoundingClientRect());
        const [{ left }] = document.querySelector(".brand").getClientRects();
        return [all.map((r) => [r.left, r.right]), left, innerWidth];
      });
      for (const [left, right] of links) assert.ok(left >= brand && right <= room - brand, `${path}: ${left}–${right}`);
    }
  });
}
