// A tray with more books than it shows at first.
import assert from "node:assert/strict";
import { cover, hasRead, scene, upload } from "./scene.mjs";

scene("the tray shows the newest books, the one on the desk, and the older ones when asked", {}, async (s) => {
  const { page, server } = s;
  const photo = await cover(server, "moby-dick");
  const ids = [];
  for (let i = 0; i < 33; i++) ids.push(await upload(server, `cover ${i}.png`.replaceAll(" ", "-"), photo));
  const books = page.locator("#tray-list li");
  const older = page.getByRole("button", { name: "Show older books" });
  await page.goto(`${server.url}/#${ids[0]}`); // the oldest one
  await books.nth(30).waitFor();
  assert.equal(await books.count(), 31, "thirty, and the one on the desk");
  await page.locator(`#tray-list [aria-current][href="#${ids[0]}"]`).waitFor();
  await hasRead(page);
  await page.goto(server.url);
  await page.reload();
  await older.waitFor();
  assert.equal(await books.count(), 31, "thirty that are not read yet, and the one that is");
  await older.focus();
  await page.keyboard.press("Enter");
  await older.waitFor({ state: "hidden" });
  assert.equal(await books.count(), 33);
  await page.waitForFunction((id) => document.activeElement.hash === `#${id}`, ids[2]); // the first that is new
});
