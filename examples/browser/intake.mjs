// Scenes with intake.
import assert from "node:assert/strict";
import { startIntake } from "../conformance/server.mjs";
import { scene } from "./scene.mjs";

/** intake is a scene with a new intake. Its options are those of scene. */
export const intake = (name, options, play) => scene(`intake, ${name}`, { start: startIntake, ...options }, play);

/** chooseFile takes one of the made-up files. */
export const chooseFile = (page, name) => page.getByRole("button", { name, exact: true }).first().click();

/** stop returns the button that stops the run in flight. */
export const stop = (page) => page.getByRole("button", { name: "Stop", exact: true });

/** report returns the report that is shown, and messages the list of messages of the chat. */
export const report = (page) => page.getByRole("region", { name: "Report" });
export const messages = (page) => page.getByRole("list", { name: "Messages" });

/** isTaken waits until a file is taken in and waits for the person. */
export async function isTaken(page, name) {
  await entry(page, name).getByText("Waiting for you").waitFor();
  await stop(page).waitFor({ state: "hidden" });
}

/** entry returns the entry of a file in the list. */
export const entry = (page, name) => page.locator(".file").filter(
  { has: page.getByRole("button", { name, exact: true }) }
);

/** confirmFile confirms the report of a file that waits for the person, and goes back to the chat. */
export async function confirmFile(page, name) {
  await entry(page, name).getByRole("button", { name: /^Look and confirm/ }).click();
  await page.getByRole("heading", { level: 1, name }).waitFor();
  await page.getByRole("button", { name: "Confirm", exact: true }).click();
  await report(page).getByText("Confirmed", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Back to the chat" }).click();
  await page.getByRole("heading", { level: 1, name: "Take in your data" }).waitFor();
}

/** ask asks a question and waits for the answer, which it returns. */
export async function ask(page, question) {
  await page.getByRole("textbox", { name: "Your question" }).fill(question);
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  const turn = messages(page).locator("> li").last();
  await turn.getByText(question, { exact: true }).waitFor();
  await turn.and(page.locator(":not([aria-busy])")).waitFor();
  return turn.innerText();
}

/** isReadOnce checks that the chat has each part of the taking in of a file, and once. */
export async function isReadOnce(page, name) {
  await isTaken(page, name);
  const chat = await messages(page).innerText();
  const parts = [
    `Take in ${name}`, "I am intake's offline reader", "Looked at rows from all over", "Measured the whole file",
    "Recorded the report",
  ];
  for (const part of parts) assert.equal(chat.split(part).length - 1, 1, part);
  assert.doesNotMatch(chat, /\bf\d\b/, "a handle of the model");
}

/** upload uploads a file as the page does, and returns its id. */
export async function upload({ url }, name, bytes) {
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ name, size: bytes.length });
  const { id, grant } = await (await fetch(`${url}/api/uploads`, { method: "POST", headers, body })).json();
  const sent = await fetch(grant.url, { method: grant.method, headers: grant.headers, body: bytes });
  assert.ok(sent.ok, `${sent.status}`);
  return id;
}

/** made returns the bytes of a made-up file. */
export const made = async ({ url }, name) => Buffer.from(await (await fetch(`${url}/samples/${name}`)).arrayBuffer());

/** becomePerson switches to somebody else in the menu of the page. */
export async function becomePerson(page, person) {
  await page.getByRole("button", { name: /^You are/ }).click();
  await page.getByRole("button", { name: person }).click();
  await page.getByRole("button", { name: `You are ${person}` }).waitFor();
}
