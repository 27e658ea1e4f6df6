// The model's service fails, and a person tries again: on the pages of the bookshelf and of intake.
import assert from "node:assert/strict";
import { startBookshelfIn, startIntakeIn } from "../conformance/server.mjs";
import { withModel } from "./bedrock.mjs";
import { chooseFile, entry, intake, isTaken, messages } from "./intake.mjs";
import { acceptCard, chooseSample, field, hasRead, scene } from "./scene.mjs";

// results returns the results of the tools that follow the person's last message.
function results(messages) {
  const last = messages.findLastIndex((m) => m.role === "user" && m.content.some((c) => c.text));
  return messages
    .slice(last + 1)
    .flatMap((m) => m.content)
    .filter((c) => c.toolResult)
    .map((c) => c.toolResult.content[0]);
}

const fills = (messages) => (results(messages).length > 0
  ? { text: "Please check all fields." }
  : { calls: [{ name: "set_field", input: { field: "title", value: "Moby-Dick" } }] });

scene(
  "the model's service is not available, and a retry succeeds",
  { start: withModel(startBookshelfIn, fills) },
  async (s) => {
    const { page, server } = s;
    server.model.isDown = true;
    await chooseSample(s, "Moby-Dick");
    await page.getByText("The reader stopped early").first().waitFor();
    await page.getByRole("button", { name: "Try again" }).waitFor();
    await page.reload(); // the failure is there after a reload too
    const again = page.getByRole("button", { name: "Ask the reader again" });
    await again.waitFor();
    server.model.isDown = false;
    await again.click();
    await hasRead(page);
    assert.equal(await field(page, "Title").inputValue(), "Moby-Dick");
    await acceptCard(page);
  },
);

// takesIn takes in a file as a language model does: with the handle that list_files has returned.
function takesIn(messages) {
  const found = results(messages);
  const file = found[0]?.json.files[0].file;
  const steps = [
    { name: "list_files", input: {} },
    { name: "profile_file", input: { file } },
    { name: "record_profile", input: { file, kind: "suppliers", summary: "Forty suppliers." } },
  ];
  return found.length < steps.length ? { calls: [steps[found.length]] } : { text: "It is done." };
}

const flags = ["-bedrock", "-model", "anthropic.claude-test-v1:0"];

intake(
  "a take-in fails, and a retry succeeds",
  { flags, start: withModel(startIntakeIn, takesIn) },
  async ({ page, server }) => {
    server.model.isDown = true;
    await page.goto(server.url);
    await chooseFile(page, "suppliers.csv");
    await entry(page, "suppliers.csv").getByText("Failed", { exact: true }).waitFor();
    await messages(page).getByRole("button", { name: "Try again" }).waitFor();
    await page.reload(); // the failure is there after a reload too
    await messages(page).getByText("not available", { exact: false }).waitFor();
    server.model.isDown = false;
    await entry(page, "suppliers.csv")
      .getByRole("button", { name: /^Try again/ })
      .click();
    await isTaken(page, "suppliers.csv");
    await messages(page).getByText("It is done.").waitFor();
    assert.equal(await page.locator("main .flaw").count(), 0);
  },
);
