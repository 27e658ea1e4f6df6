// A tour through the states of intake's page, which looks at the accessibility of each, at desktop width and on a small
// phone.
import assert from "node:assert/strict";
import { ask, becomePerson, chooseFile, entry, intake, isTaken, messages, report, stop } from "./intake.mjs";
import { Inspector } from "./inspect.mjs";
import { desktop, phone } from "./scene.mjs";
import { keepScreenshot } from "./shots.mjs";

const small = { ...phone, viewport: { width: 320, height: 640 } };

for (const [size, window] of Object.entries({ desktop, small })) {
  intake(`${size}, the page is accessible in each state`, {
    window, flags: ["-pace", "60ms"], expected: [/status of 404/],
  }, async (s) => {
    const { page, server } = s;
    const inspector = new Inspector();
    const look = async (state) => {
      await inspector.look(page, state);
      await keepScreenshot(`intake ${size} ${state}`, await page.screenshot({ fullPage: true })); // in the dark
    };
    await page.goto(server.url);
    await page.getByText("You have not taken in a file yet.").waitFor();
    await look("nothing is taken in");
    await page.getByRole("button", { name: /^You are/ }).click();
    await look("identity menu");
    await page.keyboard.press("Escape");
    await becomePerson(page, "Ann, steward of acme");
    await chooseFile(page, "purchase_orders.jsonl");
    await messages(page).getByText("Looked at rows").waitFor();
    await page.getByRole("textbox", { name: "Your question" }).fill("list my files");
    await page.keyboard.press("Enter");
    await messages(page).getByText("Waits for the answer").waitFor();
    await look("a file is being read, and a message waits");
    await stop(page).click();
    await messages(page).getByText("Stopped by you.").waitFor();
    await stop(page).waitFor({ state: "hidden" });
    await look("stopped");
    await server.kill("SIGTERM");
    await server.restart("-pace", "0");
    await page.reload();
    await entry(page, "purchase_orders.jsonl").getByRole("button", { name: /^Take it in/ }).click();
    await isTaken(page, "purchase_orders.jsonl");
    const calls = page.locator("summary").filter({ hasText: /Looked at your files|Looked at rows/ });
    for (const call of await calls.all()) await call.click();
    await look("opened calls");
    for (const call of await calls.all()) await call.click();
    await ask(page, "total quantity by supplier in purchase orders");
    await page.locator("input[type=file]").setInputFiles(
      { name: "empty.csv", mimeType: "text/csv", buffer: Buffer.alloc(0) }
    );
    await page.getByText("“empty.csv” is empty.").waitFor();
    await page.locator("input[type=file]").setInputFiles(
      { name: "march.zip", mimeType: "application/zip", buffer: Buffer.from("PK\x03\x04\x14\0\0\0\x08\0\x9c\x9c\0") }
    );
    await entry(page, "march.zip").getByRole("button", { name: /^Remove/ }).click();
    await entry(page, "march.zip").getByRole("button", { name: "Keep it" }).waitFor();
    await messages(page).locator("> li:not([aria-busy])").last().getByText("cannot read", { exact: false }).waitFor();
    await look("a file that cannot be read, and an empty one");
    await entry(page, "march.zip").getByRole("button", { name: "march.zip", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "march.zip" }).waitFor();
    await look("the page of a file that cannot be read");
    await page.goBack();
    await entry(page, "purchase_orders.jsonl").getByRole("button", { name: /^Look and confirm/ }).click();
    await page.getByRole("button", { name: "Confirm", exact: true }).waitFor();
    await look("a report that waits");
    await page.getByRole("button", { name: "Confirm", exact: true }).click();
    await page.getByRole("button", { name: "Share with colleagues" }).waitFor();
    await look("a confirmed report");
    await page.getByRole("button", { name: "Share with colleagues" }).click();
    await report(page).getByText("Confirmed and shared").waitFor();
    await becomePerson(page, "Ben of acme");
    await page.getByRole("list", { name: "Shared by your colleagues" }).getByRole("button").first().click();
    await page.getByRole("button", { name: "Ask about it" }).waitFor();
    await look("a shared report");
    await page.goto(`${server.url}/#file=00000000-0000-7000-8000-000000000000`);
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "This file was not found" }).waitFor();
    await look("an unknown file");
    assert.deepEqual(inspector.findings, []);
  });
}
