import assert from "node:assert/strict";
import { test } from "node:test";

import { accept, events, fetchFile, session } from "./api.js";

const reply = (status, body) =>
  new Response(typeof body === "string" ? body : JSON.stringify(body), {
    status,
    headers: { "Content-Type": "application/json" },
  });

// A server at which a person signs in. It accepts its newest token only.
function serve(routes) {
  const world = { asked: [], tokens: 0, tokenAnswers: 0 };
  globalThis.fetch = async (path, init = {}) => {
    const token = init.headers?.Authorization;
    world.asked.push([init.method ?? "GET", path, token, init.headers?.["Last-Event-ID"]]);
    if (path === "/api/sign-in") return reply(200, { kind: "issuer", issuer: "https://id.example", session: true });
    if (path === "/api/sign-in/token") {
      if (world.signedOut) return reply(401, { detail: "Your sign-in has ended." });
      const expires = new Date(Date.now() + 3_600_000).toISOString();
      return reply(200, {
        token: `t${++world.tokens}`,
        expires_at: expires,
        tenant: "acme",
        user: "u1",
        name: "ann",
        roles: [],
      });
    }
    if (token !== `Bearer t${world.tokens}` || world.revoked === token)
      return reply(401, { detail: "The token has expired." });
    return routes(path, init, world);
  };
  return world;
}

test("a stream that breaks is joined with the new token, after the last event", async () => {
  const event = (id, data) => `data: ${JSON.stringify(data)}\nid: ${id}\n\n`;
  const world = serve((path, { headers }) => {
    if (headers["Last-Event-ID"]) return new Response(event("2", { type: "complete" }));
    world.revoked = headers.Authorization; // the token expires while the stream runs
    return new Response(event("1", { type: "text_delta", delta: "a" }));
  });
  const seen = [];
  for await (const { type } of events("r1", { delay: () => 0 })) seen.push(type);
  assert.deepEqual(seen, ["text_delta", "complete"]);
  const streams = world.asked.filter(([, path]) => path === "/api/runs/r1/events");
  assert.deepEqual(
    streams.map(([, , token, last]) => [token, last]),
    [["Bearer t1", undefined], ["Bearer t1", "1"], ["Bearer t2", "1"]],
  );
});

test("a request whose token is rejected is sent again once, and then the person is asked", async () => {
  const world = serve((path, { method }) => reply(200, { status: method === "POST" && "accepted" }));
  const lost = [];
  session.onLost = (why) => lost.push(why);
  world.tokens = 4; // the page has an older one
  assert.equal((await accept("s1", { title: "x" })).status, "accepted");
  assert.deepEqual(lost, []);
  world.signedOut = true;
  world.revoked = `Bearer t${world.tokens}`;
  await assert.rejects(accept("s1", { title: "x" }), (err) => err.status === 401 && /has ended/.test(err.message));
  assert.deepEqual(lost, ["expired"]);
});

test("a 404 says for whom there is nothing, whatever the server says", async () => {
  serve(() => reply(404, { detail: "globex owns it" }));
  await assert.rejects(
    fetchFile("s1"),
    (err) =>
      err.status === 404 &&
      err.message === "Nothing here for acme/ann. The same link works for the person who owns it.",
  );
});
