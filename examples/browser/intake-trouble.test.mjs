// What can go wrong between intake's page and its server while a file is taken in.
import assert from "node:assert/strict";
import { startIntakeIn } from "../conformance/server.mjs";
import { withModel } from "./bedrock.mjs";
import { chooseFile, confirmFile, entry, intake, isReadOnce, made, messages, report, stop, upload } from "./intake.mjs";
import { openProxy } from "./proxy.mjs";
import { lost } from "./scene.mjs";

const slow = ["-pace", "25ms"];

intake("reload in mid-stream", { flags: slow }, async ({ page, server }) => {
  await page.goto(server.url);
  await chooseFile(page, "shipments.csv");
  await messages(page).getByText("Looked at rows").waitFor();
  await page.reload();
  await stop(page).waitFor();
  await isReadOnce(page, "shipments.csv");
  await confirmFile(page, "shipments.csv");
});

intake("the server is killed in mid-stream and started again", {
  flags: ["-pace", "100ms"],
}, async ({ page, server }) => {
  await page.goto(server.url);
  await chooseFile(page, "shipments.csv");
  await messages(page).getByText("Looked at rows").waitFor();
  await server.kill();
  await page.getByText("The connection is lost. Reconnecting…").first().waitFor();
  await server.restart("-pace", "0");
  await isReadOnce(page, "shipments.csv");
  await chooseFile(page, "suppliers.csv"); // the page can still upload
  await entry(page, "suppliers.csv").getByText("Waiting for you").waitFor();
  await confirmFile(page, "shipments.csv");
});

intake("two tabs show the same chat and the same files", {
  flags: slow, expected: [/status of 409/],
}, async ({ page, server, context }) => {
  await page.goto(server.url);
  await chooseFile(page, "shipments.csv");
  await messages(page).getByText("Looked at rows").waitFor();
  const second = await context.newPage();
  await second.goto(page.url());
  await stop(second).waitFor();
  await Promise.all([isReadOnce(page, "shipments.csv"), isReadOnce(second, "shipments.csv")]);
  await second.getByRole("button", { name: "Look at the report" }).click();
  await second.getByRole("button", { name: "Confirm", exact: true }).waitFor();
  await page.bringToFront();
  await confirmFile(page, "shipments.csv");
  await second.bringToFront();
  await second.getByRole("button", { name: "Confirm", exact: true }).click();
  await second.getByText("The report was confirmed already.").waitFor();
  await second.getByRole("button", { name: "Look at it again" }).click();
  await report(second).getByText("Confirmed", { exact: true }).waitFor();
  await second.getByRole("button", { name: "Back to the chat" }).click();
  await entry(second, "shipments.csv").getByText("Confirmed", { exact: true }).waitFor();
});

intake("offline and back", { flags: slow, expected: lost }, async (s) => {
  const { page, server, context } = s;
  const proxy = await openProxy(s);
  await upload(server, "shipments.csv", await made(server, "shipments.csv"));
  await page.goto(proxy.url);
  await entry(page, "shipments.csv").getByRole("button", { name: /^Take it in/ }).click();
  await messages(page).getByText("Looked at rows").waitFor();
  await context.setOffline(true);
  proxy.cut();
  await page.getByText("You are offline.", { exact: false }).first().waitFor();
  await context.setOffline(false);
  await isReadOnce(page, "shipments.csv");
  await confirmFile(page, "shipments.csv");
});

const bedrock = {
  flags: ["-bedrock", "-model", "anthropic.claude-test-v1:0"],
  start: withModel(startIntakeIn, () => ({ text: "There are forty." })),
};

intake("a question that has failed is asked again after a reload", bedrock, async ({ page, server }) => {
  server.model.isDown = true;
  await page.goto(server.url);
  await page.getByRole("textbox", { name: "Your question" }).fill("how many suppliers");
  await page.keyboard.press("Enter");
  await messages(page).getByRole("button", { name: "Try again" }).waitFor();
  await page.reload();
  const again = messages(page).getByRole("button", { name: "Try again" });
  await again.waitFor();
  server.model.isDown = false;
  await again.click();
  await messages(page).getByText("There are forty.").waitFor();
  assert.equal(await messages(page).getByText("how many suppliers", { exact: true }).count(), 2);
  assert.equal(await page.evaluate(() => document.activeElement.id), "message", "the focus is kept");
});

intake("a take-in that has failed is tried again in the chat after a reload", bedrock, async ({ page, server }) => {
  server.model.isDown = true;
  await page.goto(server.url);
  await chooseFile(page, "suppliers.csv");
  await messages(page).getByRole("button", { name: "Try again" }).waitFor();
  await page.reload();
  await messages(page).getByRole("button", { name: "Try again" }).click();
  await messages(page).locator("> li").nth(1).getByText("Take in suppliers.csv").waitFor();
  await entry(page, "suppliers.csv").getByText("Failed", { exact: true }).waitFor();
});
