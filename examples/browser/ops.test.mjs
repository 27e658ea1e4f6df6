// The operations page in Chromium: following, retrying and cancelling uploads, on a desktop and on a phone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import axe from "axe-core";
import { startBookshelf } from "../conformance/server.mjs";
import { launchChromium } from "./engines.mjs";
import { keepScreenshot } from "./shots.mjs";

const desktop = { viewport: { width: 1280, height: 900 } };
const phone = { viewport: { width: 320, height: 640 }, isMobile: true, hasTouch: true };

let browser;
before(async () => (browser = await launchChromium()));
after(() => browser?.close());

// Person is somebody with a token, who uploads without a page.
class Person {
  #url;
  #headers;

  static async signIn(url, who) {
    const person = new Person();
    person.#url = url;
    person.#headers = {};
    if (who) person.#headers.Authorization = `Bearer ${(await person.ask("/api/dev/token", who)).token}`;
    return person;
  }

  async ask(path, body) {
    const response = await fetch(this.#url + path, {
      method: body ? "POST" : "GET",
      headers: { ...this.#headers, ...(body && { "Content-Type": "application/json" }) },
      body: body && JSON.stringify(body),
    });
    assert.ok(response.ok, `${path}: ${response.status}`);
    return (response.headers.get("content-type") ?? "").includes("json") ? response.json() : response;
  }

  grant(filename) {
    return this.ask(`/api/upload/presigned?${new URLSearchParams({ filename })}`);
  }

  // read uploads a sample and starts the reader. It returns the id of the upload.
  async read(filename) {
    const { samples } = await this.ask("/samples");
    const photo = await (await fetch(new URL(samples[0].url, this.#url))).blob();
    const grant = await this.grant(filename);
    const put = await fetch(grant.url, { method: grant.method, headers: grant.headers, body: photo });
    assert.ok(put.ok, `upload: ${put.status}`);
    const stream = await this.ask("/api/metadata/extract", { session_id: grant.session_id });
    stream.body.cancel().catch(() => {});
    return grant.session_id;
  }
}

// visit opens the operations page of a new bookshelf. prepare is called before.
async function visit(t, { flags = ["-pace", "0"], context = desktop, who, path = "/ops", prepare = () => {} } = {}) {
  const server = await startBookshelf(...flags);
  const visitor = await browser.newContext(context);
  const page = await visitor.newPage();
  page.setDefaultTimeout(60_000);
  const errors = [];
  page.on("pageerror", (err) => errors.push(err.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  t.after(async () => {
    await keepScreenshot(`operations ${t.name}`, await page.screenshot());
    await visitor.close();
    await server.close();
    assert.deepEqual(errors, []);
  });
  const prepared = await prepare(server);
  if (who) await page.addInitScript((w) => sessionStorage.setItem("identity", w), JSON.stringify(who));
  await page.goto(server.url + path);
  await page.locator("#rows:not([aria-busy])").waitFor({ state: "attached" });
  return { server, page, prepared, rows: page.locator("#rows > .row") };
}

// badge waits until the badge of a row has a text.
const badge = (row, text) => row.locator(".badge", { hasText: text }).waitFor();

async function checkAccessibility(page) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes[0].html}`), []);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "the page scrolls sideways");
}

for (const [size, context] of Object.entries({ desktop, phone })) {
  test(`a stopped reader is tried again in its place, ${size}`, async (t) => {
    const { server, page, rows } = await visit(t, { flags: ["-pace", "60ms"], context });
    const person = await Person.signIn(server.url);
    const id = await person.read("<b>cover.png");
    await badge(rows.first(), "Reading");
    await person.ask(`/api/runs/${id}.1/stop`, {});
    await badge(rows.first(), "Stopped");
    await page.getByRole("link", { name: /Failed$/ }).click();
    await badge(rows.first(), "Stopped");
    await checkAccessibility(page);
    await rows.first().getByRole("button", { name: "Try again" }).first().click();
    await badge(rows.first(), "Reading");
    assert.equal(await page.evaluate(() => document.activeElement.className), "row-line", "the focus is kept");
    await badge(rows.first(), "Waiting for you"); // also without the filter's class
    assert.equal(await rows.first().locator(".row-file").innerText(), "<b>cover.png");
    await rows.first().locator(".row-line").click();
    await page.getByText("Attempt 2").waitFor();
    await checkAccessibility(page);
    await rows.first().getByRole("link", { name: "Open the card" }).first().click();
    await page.waitForURL(`**/#${id}`);
  });

  test(`a cancel asks first, ${size}`, async (t) => {
    const { server, page, rows } = await visit(t, { flags: ["-pace", "200ms"], context });
    await (await Person.signIn(server.url)).read("cover.png");
    await badge(rows.first(), "Reading");
    await rows.first().locator(".row-line").press("Enter");
    const cancel = rows.first().getByRole("button", { name: "Cancel upload…" });
    await cancel.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Cancel this upload?" });
    await dialog.getByText("The reader stops.").waitFor();
    await checkAccessibility(page);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    assert.ok(await cancel.evaluate((button) => button === document.activeElement));
    await cancel.press("Enter");
    await dialog.getByRole("button", { name: "Cancel the upload" }).click();
    await badge(rows.first(), "Cancelled");
    await page.locator('[data-count="failed"]', { hasText: /^1$/ }).waitFor();
  });
}

test("new uploads do not move what a person reads", async (t) => {
  let person;
  const { page, rows } = await visit(t, {
    prepare: async (server) => {
      person = await Person.signIn(server.url);
      for (const name of ["one.png", "two.png", "three.png"]) await person.grant(name);
    },
  });
  await rows.nth(1).locator(".row-line").focus();
  const place = () => page.evaluate(() => document.activeElement.getBoundingClientRect().top);
  const top = await place();
  await person.grant("four.png");
  await person.grant("five.png");
  const fresh = page.getByRole("button", { name: "2 new uploads" });
  await fresh.waitFor();
  assert.equal(await rows.count(), 3);
  assert.equal(await place(), top);
  await checkAccessibility(page);
  await fresh.click();
  assert.deepEqual(await page.locator(".row-name").allInnerTexts(), [
    "five.png",
    "four.png",
    "three.png",
    "two.png",
    "one.png",
  ]);
  assert.equal(await page.evaluate(() => document.activeElement.querySelector(".row-name").textContent), "five.png");
});

test("the filter, the search and the opened uploads are in the URL", async (t) => {
  const { server, page, rows, prepared } = await visit(t, {
    prepare: async (server) => {
      const person = await Person.signIn(server.url);
      const first = await person.grant("needle.png");
      for (let i = 0; i < 60; i++) await person.grant(`hay ${i}.png`);
      return first.session_id;
    },
  });
  const view = () => page.url().slice(server.url.length);
  assert.equal(await rows.count(), 50);
  await page.getByRole("link", { name: /Running$/ }).click();
  assert.equal(view(), "/ops?status=active");
  await page.getByRole("searchbox", { name: "Search" }).fill("NEEDLE");
  await page.locator("#found", { hasText: /^1 upload found\.$/ }).waitFor();
  assert.equal(view(), "/ops?status=active&q=NEEDLE");
  await rows.first().locator(".row-line").click();
  assert.equal(view(), `/ops?status=active&q=NEEDLE&open=${prepared}`);
  await page.reload();
  await rows.first().getByText("Waiting for the file").waitFor();
  for (const back of ["/ops?status=active&q=NEEDLE", "/ops?status=active", "/ops"]) {
    await page.goBack();
    await page.waitForURL(server.url + back);
  }
  await page.waitForFunction(() => document.querySelectorAll("#rows > .row").length === 50);
  assert.equal(await page.getByRole("searchbox").inputValue(), "");
  await page.goForward();
  await page.goForward();
  await page.locator("#found", { hasText: /^1 upload found\.$/ }).waitFor();

  await page.goto(`${server.url}/ops#${prepared}`); // from the desk; it is not on the first page
  await page.locator("#linked-rows").getByText("Waiting for the file").waitFor();
  await page.getByRole("button", { name: "Show more" }).click();
  await page.waitForFunction(() => document.querySelectorAll("#rows > .row").length === 61);
});

test("operators see and act within their tenant", async (t) => {
  const { page, rows } = await visit(t, {
    who: { tenant: "acme", user: "oda", roles: ["ops"] },
    prepare: async (server) => {
      for (const who of [{ tenant: "acme", user: "ann" }, { tenant: "globex", user: "bob" }]) {
        await (await Person.signIn(server.url, who)).grant(`${who.user}.png`);
      }
      await (await Person.signIn(server.url, { tenant: "acme", user: "oda" })).grant("oda.png");
    },
  });
  await page.getByText("All uploads of your tenant and their status.").waitFor();
  assert.deepEqual(await page.locator(".row-name").allInnerTexts(), ["oda.png", "ann.png"]);
  assert.equal(await rows.nth(1).locator(".row-file").innerText(), "by ann");
  await rows.nth(1).locator(".row-line").click();
  await rows.nth(1).getByRole("button", { name: "Cancel upload…" }).click();
  await page.getByRole("button", { name: "Cancel the upload" }).click();
  await badge(rows.nth(1), "Cancelled");
  await page.getByLabel("Only mine").check();
  await page.locator('[data-count="all"]', { hasText: /^1$/ }).waitFor();
  assert.deepEqual(await page.locator(".row-name").allInnerTexts(), ["oda.png"]);
});
