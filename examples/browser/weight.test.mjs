// What a visit transfers.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { become, cover, scene, shelve, tokenOf } from "./scene.mjs";

scene("the second visit loads no asset again", {}, async (s) => {
  const visit = await watchVisits(s);
  for (const path of ["/", "/shelf", "/chat", "/ops"]) {
    const first = await visit(path);
    for (const { response } of first.sent.filter(({ response }) =>
      new URL(response.url).pathname.startsWith("/assets/"),
    )) {
      const { "cache-control": caching, "content-encoding": coding } = lower(response.headers);
      assert.match(caching, /immutable/, response.url);
      assert.equal(coding, "gzip", response.url);
    }
    const second = await visit(path);
    assert.deepEqual(
      second.sent.map(({ response }) => response.url).filter((url) => url.includes("/assets/")),
      [],
    );
    s.t.diagnostic(
      `${path}: ${first.sent.length} requests, ${first.bytes} bytes; ` +
        `again ${second.sent.length}, ${second.bytes} bytes`,
    );
    if (path === "/") assert.ok(second.bytes < first.bytes / 10, "and little else");
  }
});

const high = { viewport: { width: 1280, height: 2400 } }; // shows all of them

scene(
  "a shelf of twelve large photos loads thumbnails, and once",
  { window: high, expected: [/status of 404/] },
  async (s) => {
    const { page, server } = s;
    // Decoders ignore what follows the picture.
    const photo = Buffer.concat([await cover(server, "pride-and-prejudice"), randomBytes(1 << 20)]);
    const ann = await tokenOf(server, { tenant: "acme", user: "ann" });
    for (let i = 0; i < 12; i++) await shelve(server, photo, { title: `Book ${i}` }, ann);
    await page.goto(server.url);
    await become(page, "acme/ann");
    const visit = await watchVisits(s);
    const look = async () => {
      const all = page.locator("main .photo.shown").nth(16); // of twelve rows and the five newest
      const { sent } = await visit("/shelf", () => all.waitFor());
      const pictures = sent.filter(({ response }) => /thumbnail|X-Amz-Signature/.test(response.url));
      return {
        urls: pictures.map(({ response }) => response.url),
        bytes: pictures.reduce((sum, { bytes }) => sum + bytes, 0),
      };
    };
    const first = await look();
    s.t.diagnostic(`twelve photos of ${photo.length} bytes: ${first.urls.length} answers, ${first.bytes} bytes`);
    assert.ok(
      first.bytes > 12 * 1000 && first.bytes < photo.length,
      `${first.bytes} bytes, a photo has ${photo.length}`,
    );
    const again = await look(); // with another token, so the browser asks whether they are still the same
    s.t.diagnostic(`again: ${again.urls.length} answers, ${again.bytes} bytes`);
    assert.ok(again.bytes < first.bytes / 10, `${again.bytes} bytes`);

  const [url] = first.urls;
  const statusAs = async (who) => {
    const headers = await tokenOf(server, who);
    return page.evaluate(async ([url, headers]) => (await fetch(url, { headers })).status, [url, headers]);
  };
  assert.equal(await statusAs({ tenant: "acme", user: "ann" }), 200);
  assert.equal(await statusAs({ tenant: "globex", user: "ann" }), 404, "the cache of the browser belongs to ann");
});

// watchVisits returns a function that loads a page until it is ready, and returns what was sent: {sent, bytes}.
async function watchVisits({ page, server, context }) {
  const network = await context.newCDPSession(page);
  await network.send("Network.enable");
  const answers = new Map();
  const cached = new Set();
  network.on("Network.requestServedFromCache", ({ requestId }) => cached.add(requestId));
  network.on("Network.responseReceived", ({ requestId, response }) => answers.set(requestId, { response, bytes: 0 }));
  network.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (answers.has(requestId)) answers.get(requestId).bytes = Math.max(0, encodedDataLength);
  });
  return async (path, isReady = () => {}) => {
    answers.clear();
    await page.goto(server.url + path, { waitUntil: "networkidle" });
    await isReady();
    const sent = [...answers]
      .filter(([id, { response }]) => !cached.has(id) && !response.fromDiskCache && response.url.startsWith("http"))
      .map(([, answer]) => answer);
    return { sent, bytes: sent.reduce((sum, { bytes }) => sum + bytes, 0) };
  };
}

const lower = (headers) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
