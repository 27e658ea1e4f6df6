// The keyboard focus on the desk: no change of what the page shows loses it.
import assert from "node:assert/strict";
import { tabTo } from "./keyboard.mjs";
import { acceptButton, chooseSample, field, hasRead, isWorking, scene } from "./scene.mjs";

const focused = (page) => page.evaluate(() => document.activeElement.id || document.activeElement.localName);
const message = (page) => field(page, "Tell the reader what to correct");
const button = (page, name) => page.getByRole("button", { name, exact: true });

// watchFocus records each moment at which nothing has the focus. It looks as often as the page is drawn, since the
// browser takes the focus from a hidden element then.
const watchFocus = (page) =>
  page.evaluate(() => {
    window.lostFocus = 0;
    const look = () => {
      if (document.activeElement === document.body) window.lostFocus++;
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
const keptFocus = async (page) =>
  assert.equal(await page.evaluate(() => window.lostFocus), 0, "the focus was lost for a moment");

scene("a message keeps the focus in its box, where the next one can be written meanwhile", {}, async (s) => {
  const { page } = s;
  await chooseSample(s, "Pride and Prejudice");
  await hasRead(page);
  await s.server.kill("SIGTERM");
  await s.server.restart("-pace", "200ms");
  await message(page).focus();
  await watchFocus(page);
  await page.keyboard.type("The year is 1813");
  await page.keyboard.press("Enter");
  await isWorking(page);
  assert.equal(await focused(page), "message");
  await page.keyboard.type("The publisher is A Press");
  await page.keyboard.press("Enter"); // not now
  await page.getByText("Send your message when it has finished").waitFor({ state: "attached" });
  assert.equal(await message(page).inputValue(), "The publisher is A Press");
  await acceptButton(page).waitFor();
  assert.equal(await focused(page), "message");
  await page.keyboard.press("Enter");
  await page.getByText("from your message").nth(1).waitFor();
  await acceptButton(page).waitFor();
  assert.equal(await field(page, "Publisher").inputValue(), "A Press");
  assert.equal(await focused(page), "message");
  await keptFocus(page);
});

scene("the buttons of the desk keep the focus, or pass it on", { flags: ["-pace", "100ms"] }, async (s) => {
  const { page } = s;
  await chooseSample(s, "Pride and Prejudice");
  await isWorking(page);
  await watchFocus(page);
  await button(page, "Stop").focus();
  await page.keyboard.press("Enter");
  const again = button(page, "Ask the reader again");
  await again.waitFor();
  await page.waitForFunction(() => document.activeElement.textContent === "Ask the reader again");
  await page.keyboard.press("Enter"); // its notice goes
  await isWorking(page);
  assert.equal(await focused(page), "transcript", "the reader answers there");
  await hasRead(page);
  assert.equal(await focused(page), "transcript");

  await tabTo(page, message(page));
  await page.keyboard.type("The year is 1813");
  await tabTo(page, button(page, "Send"));
  await page.keyboard.press("Enter");
  await isWorking(page);
  assert.equal(await focused(page), "send");
  await acceptButton(page).waitFor();
  assert.equal(await focused(page), "send");

  await field(page, "Title").fill("Emma");
  await field(page, "Title").blur();
  const ask = button(page, "Ask the reader");
  await ask.focus();
  await watchFocus(page);
  await page.keyboard.press("Enter"); // the question goes
  await isWorking(page);
  assert.equal(await focused(page), "accept", "the question was beside it");
  await acceptButton(page).waitFor();
  await page.keyboard.press("Enter");
  await page.getByText("The card is saved at", { exact: true }).waitFor();
  await page.waitForFunction(() => document.activeElement.id === "next-book");
  await keptFocus(page);
});

scene("a card that is not accepted keeps the focus", { expected: [/status of 503/] }, async (s) => {
  const { page } = s;
  await chooseSample(s, "Moby-Dick");
  await hasRead(page);
  let isDown = true;
  await page.route("**/api/metadata/accept", (route) =>
    isDown
      ? route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"detail":"Not now."}' })
      : route.continue(),
  );
  await acceptButton(page).focus();
  await watchFocus(page);
  await page.keyboard.press("Enter");
  const again = button(page, "Try again");
  await again.waitFor();
  assert.equal(await focused(page), "accept");
  isDown = false;
  await again.focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.id === "next-book");
  await keptFocus(page);
});
