// Scenes for Chromium: a bookshelf or another program, a browser window, and a watch for whatever the page should not
// do.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startBookshelf } from "../conformance/server.mjs";
import { launchChromium } from "./engines.mjs";
import { keepScreenshot } from "./shots.mjs";

export const desktop = { viewport: { width: 1280, height: 900 } };
export const phone = { viewport: { width: 375, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

/** lost are the messages in the console about requests to a server that is not there. */
export const lost = [
  /Failed to load resource: net::ERR_/,
  /Failed to load resource: the server responded with a status of 50/,
];

let browser;
after(() => browser?.close());

/**
 * scene is a test with a new bookshelf and a new profile of the browser. Options: flags of the server; window, one of
 * the sizes above or other options of Playwright's contexts; expected, patterns of messages in the console that
 * belong to the scene; start, which starts another program than the bookshelf. Any other error in the console,
 * exception or violation of the content policy fails it, but for lost requests if the scene ends the server.
 */
export function scene(name, { flags = ["-pace", "0"], window = desktop, expected = [], start = startBookshelf }, play) {
  test(name, async (t) => {
    browser ??= await launchChromium();
    const server = await start(...flags);
    t.after(() => server.close());
    const complaints = [];
    const s = { t, server, open: (options) => openWindow({ ...window, ...options }) };
    const windows = [];
    async function openWindow(options) {
      const context = await browser.newContext({ locale: "en-GB", ...options });
      windows.push(context);
      context.setDefaultTimeout(Number(process.env.BROWSER_PATIENCE ?? 60_000));
      await context.addInitScript(() => {
        addEventListener("securitypolicyviolation", (e) =>
          console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`),
        );
      });
      context.on("console", (m) => m.type() === "error" && complaints.push(`${m.text()} ${m.location().url}`));
      context.on("weberror", (e) => complaints.push(String(e.error().stack)));
      return context;
    }
    try {
      s.context = await s.open();
      s.page = await s.context.newPage();
      await play(s);
    } finally {
      for (const [i, context] of windows.entries()) {
        for (const [j, page] of context.pages().entries()) {
          await keepScreenshot([name, i || "", j || ""].join(" "), await page.screenshot({ fullPage: true })).catch(
            () => {},
          );
        }
        await context.close();
      }
    }
    const all = server.wasKilled ? [...expected, ...lost] : expected;
    assert.deepEqual(complaints.filter((c) => !all.some((e) => e.test(c))), []);
  });
}

/** chooseSample opens the desk and takes the sample cover with that title. */
export async function chooseSample({ page, server }, title) {
  await page.goto(server.url);
  await page.getByRole("button", { name: title }).click();
}

/** hasRead waits until the reader has read the book on the desk. */
export async function hasRead(page, times = 1) {
  await page.getByText("Please check all fields.").and(page.locator("li")).nth(times - 1).waitFor();
  await acceptButton(page).waitFor();
}

/** acceptButton returns the button that accepts the card, once it can be pressed. */
export const acceptButton = (page) => page.getByRole("button", { name: "Accept the card", disabled: false });

/** acceptCard accepts the card and waits until it is saved. */
export async function acceptCard(page) {
  await page.getByRole("button", { name: "Accept the card" }).click();
  await page.getByText("The card is saved at", { exact: true }).waitFor();
}

/** isWorking waits until the reader is at work. */
export const isWorking = (page) => page.getByRole("button", { name: "Stop", exact: true }).waitFor();

/** field returns the field of the card with that label. */
export const field = (page, label) => page.getByRole("textbox", { name: label, exact: true });

/** cover returns the bytes of a sample cover. */
export const cover = async ({ url }, name) =>
  Buffer.from(await (await fetch(`${url}/samples/${name}.png`)).arrayBuffer());

/** tokenOf returns the header that makes a request one of that person: {tenant, user, roles}. */
export async function tokenOf(server, who) {
  const { token } = await (await postJSON(server, "/api/dev/token", who)).json();
  return { Authorization: `Bearer ${token}` };
}

const postJSON = ({ url }, path, body, headers) =>
  fetch(url + path, {
    method: "POST",
    headers: { ...headers, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

/** upload uploads a file as the page does, and returns the id of the upload. */
export async function upload({ url }, filename, bytes, headers = {}) {
  const grant = await (await fetch(`${url}/api/upload/presigned?filename=${filename}`, { headers })).json();
  const sent = await fetch(grant.url, { method: grant.method, headers: grant.headers, body: bytes });
  assert.ok(sent.ok, `${sent.status}`);
  return grant.session_id;
}

/**
 * shelve uploads a photo, lets it be read and accepts the card with that metadata, without a page. It returns the id.
 */
export async function shelve(server, bytes, metadata, headers = {}) {
  const id = await upload(server, "cover.png", bytes, headers);
  const run = await postJSON(server, "/api/metadata/extract", { session_id: id }, headers);
  await run.text(); // up to its end
  const accepted = await postJSON(server, "/api/metadata/accept", { session_id: id, metadata }, headers);
  assert.equal(accepted.status, 200, await accepted.text());
  return id;
}

/** become switches to somebody else in the menu of the page. */
export async function become(page, person) {
  await page.getByRole("button", { name: "You are" }).click();
  const [tenant, user] = person.split("/");
  await page.getByRole("button", { name: person }).click();
  await page.getByRole("button", { name: `You are ${tenant}/${user}` }).waitFor();
}
