// What a visit transfers.
import assert from "node:assert/strict";
import { scene } from "./scene.mjs";

scene("the second visit loads no asset again", {}, async (s) => {
  const { page, server, context } = s;
  const network = await context.newCDPSession(page);
  await network.send("Network.enable");
  const answers = new Map();
  const cached = new Set();
  network.on("Network.requestServedFromCache", ({ requestId }) => cached.add(requestId));
  network.on("Network.responseReceived", ({ requestId, response }) => answers.set(requestId, { response, bytes: 0 }));
  network.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (answers.has(requestId)) answers.get(requestId).bytes = Math.max(0, encodedDataLength);
  });
  const visit = async (path) => {
    answers.clear();
    await page.goto(server.url + path, { waitUntil: "networkidle" });
    const sent = [...answers].filter(([id, { response }]) => !cached.has(id) && !response.fromDiskCache && response.url.startsWith("http"))
      .map(([, answer]) => answer);
    return { sent, bytes: sent.reduce((sum, { bytes }) => sum + bytes, 0) };
  };
  for (const path of ["/", "/shelf", "/chat", "/ops"]) {
    const first = await visit(path);
    for (const { response } of first.sent.filter(({ response }) => new URL(response.url).pathname.startsWith("/assets/"))) {
      const { "cache-control": caching, "content-encoding": coding } = lower(response.headers);
      assert.match(caching, /immutable/, response.url);
      assert.equal(coding, "gzip", response.url);
    }
    const second = await visit(path);
    assert.deepEqual(second.sent.map(({ response }) => response.url).filter((url) => url.includes("/assets/")), []);
    s.t.diagnostic(`${path}: ${first.sent.length} requests, ${first.bytes} bytes; again ${second.sent.length}, ${second.bytes} bytes`);
    if (path === "/") assert.ok(second.bytes < first.bytes / 10, "and little else");
  }
});

const lower = (headers) => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
