// The storage refuses a photo while it is sent. The page says why, and not that the network failed.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { cover, hasRead, scene } from "./scene.mjs";

const size = 12 << 20; // bytes, so that the answer comes before the end of the photo
const refused = [/Failed to load resource: the server responded with a status of 4(00|03|12|13)/];

// newPhoto returns a large photo. Decoders ignore what follows the picture.
async function newPhoto(server) {
  const picture = await cover(server, "moby-dick");
  return Buffer.concat([picture, randomBytes(size - picture.length)]);
}

async function choose({ page, server }, buffer) {
  await page.goto(server.url);
  await page.locator("input[type=file]").first().setInputFiles({ name: "large.png", mimeType: "image/png", buffer });
}

// changeGrants answers each request for a grant with what change(grant, number) returns.
async function changeGrants({ page }, change) {
  let count = 0;
  await page.route("**/api/upload/presigned?*", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: await change(await response.json(), count++) });
  });
}

scene("a grant that was used before is explained", { expected: refused }, async (s) => {
  const photo = await newPhoto(s.server);
  await changeGrants(s, async (grant) => {
    const first = await fetch(grant.url, { method: grant.method, headers: grant.headers, body: photo });
    assert.equal(first.status, 200);
    return grant;
  });
  await choose(s, photo);
  await s.page.getByText("This upload already has a photo, which cannot be replaced.").waitFor();
});

scene("a grant that is not valid is explained, and another one is tried", { expected: refused }, async (s) => {
  await changeGrants(s, (grant, number) => {
    const url = number === 0 ? grant.url.replace(/X-Amz-Signature=.{4}/, "X-Amz-Signature=0000") : grant.url;
    return { ...grant, url };
  });
  await choose(s, await newPhoto(s.server));
  await s.page.getByText("the permission to upload it has expired").waitFor();
  await s.page.getByRole("button", { name: "Send it again" }).click();
  await hasRead(s.page);
});

scene("a photo that is larger than its grant is explained", { expected: refused }, async (s) => {
  await s.page.route("**/api/upload/presigned?*", async (route) => {
    const url = new URL(route.request().url());
    url.searchParams.set("size", "1000");
    await route.fulfill({ response: await route.fetch({ url: url.href }) });
  });
  await choose(s, await newPhoto(s.server));
  await s.page.getByText("The storage rejected the photo: ").waitFor();
});
