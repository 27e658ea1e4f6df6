import assert from "node:assert/strict";
import { test } from "node:test";

import { Problem } from "./problem.js";
import { explainAbsence, formatIdentity, Session } from "./session.js";

class Storage extends Map {
  getItem(key) {
    return this.get(key) ?? null;
  }
  setItem(key, value) {
    this.set(key, value);
  }
}

const start = Date.parse("2024-05-01T12:00:00Z");

// A server of one kind, a clock, and the session of one tab.
function open(kind, { storage = new Storage(), answers = {} } = {}) {
  const world = { storage, asked: [], time: start, life: 3600, number: 0, down: false };
  const token = (who) => ({
    ...who,
    token: `t${++world.number}`,
    expires_at: new Date(world.time + world.life * 1000).toISOString(),
  });
  const routes = {
    "/api/sign-in": () => ({
      kind,
      issuer: "https://id.example",
      session: world.hasSession ?? true,
      tenant: "demo",
      user: "anonymous",
    }),
    "/api/dev/token": (body) => {
      if (body.tenant === "") throw new Problem("The tenant is empty.", 400);
      return token({});
    },
    "/api/sign-in/token": () => token(world.signedIn ?? (() => { throw new Problem("Please sign in.", 401); })()),
    ...answers,
  };
  world.session = new Session(
    async (path, body) => {
      world.asked.push(body ? `${path} ${JSON.stringify(body)}` : path);
      if (world.down) throw new Problem("The server could not be reached.");
      return routes[path](body);
    },
    { storage, now: () => world.time },
  );
  world.lost = [];
  world.session.onLost = (...args) => world.lost.push(args);
  return world;
}

test("without a choice, requests have no token", async () => {
  const { session, asked } = open("choice");
  assert.deepEqual(await session.headers(), {});
  assert.deepEqual(session.who, { tenant: "demo", user: "anonymous", roles: [] });
  assert.equal(session.canRenew, false);
  assert.deepEqual(asked, ["/api/sign-in"]);
});

test("a choice is kept for the tab, and its token is not", async () => {
  const { session, storage } = open("choice");
  await session.ready();
  storage.setItem("queue", "of demo/anonymous");
  session.choose({ tenant: "acme", user: "ann", roles: ["ops"] });
  assert.equal(session.hasChanged(), true);
  const next = open("choice", { storage });
  assert.deepEqual(await next.session.headers(), { Authorization: "Bearer t1" });
  assert.deepEqual(next.session.who, { tenant: "acme", user: "ann", roles: ["ops"] });
  assert.equal(next.session.hasChanged(), false);
  assert.ok(![...storage.values()].some((v) => v.includes("t1") || v.includes("anonymous")), [...storage.values()]);
});

test("what a page keeps for the person before is removed before a page reads it", () => {
  const storage = new Storage();
  open("choice", { storage }).session.choose({ tenant: "acme", user: "ann", roles: [] });
  open("choice", { storage });
  storage.setItem("queue", "of acme/ann");
  open("choice", { storage });
  assert.equal(storage.getItem("queue"), "of acme/ann");
  storage.setItem("identity", JSON.stringify({ tenant: "globex", user: "bob", roles: [] }));
  open("choice", { storage });
  assert.equal(storage.getItem("queue"), null);
});

test("a choice that the server rejects or nobody can read is forgotten", async () => {
  for (const kept of [
    '{"tenant":"","user":"ann","roles":[]}',
    "{",
    "1",
    '{"tenant":"acme"}',
    '{"tenant":1,"user":"x","roles":[]}',
  ]) {
    const storage = new Storage();
    storage.setItem("identity", kept);
    const { session } = open("choice", { storage });
    assert.deepEqual(await session.headers(), {}, kept);
    assert.equal(session.who.tenant, "demo", kept);
  }
});

test("a server that is down is asked again", async () => {
  const world = open("choice");
  world.down = true;
  await assert.rejects(world.session.headers(), Problem);
  world.down = false;
  assert.deepEqual(await world.session.headers(), {});
});

test("a token is replaced once shortly before it expires, however many requests wait", async () => {
  const world = open("issuer");
  world.signedIn = { tenant: "acme", user: "ann", roles: ["ops"] };
  const { session } = world;
  assert.deepEqual(await session.headers(), { Authorization: "Bearer t1" });
  world.time += 3_539_000;
  assert.deepEqual(await session.headers(), { Authorization: "Bearer t1" });
  world.time += 2_000;
  const all = await Promise.all([session.headers(), session.headers(), session.headers()]);
  assert.deepEqual(all, Array(3).fill({ Authorization: "Bearer t2" }));
  assert.deepEqual(world.asked, ["/api/sign-in", "/api/sign-in/token {}", "/api/sign-in/token {}"]);
  assert.equal(world.storage.getItem("identity"), null);
});

for (const hasSession of [true, false])
  test(`with an issuer, a person who is not signed in leaves the page, and requests wait (${hasSession})`, async () => {
    const world = open("issuer");
    world.hasSession = hasSession; // true: one that has ended
    const settled = await Promise.race([
      world.session.headers().then(
        () => "done",
        () => "failed",
      ),
      new Promise((r) => setTimeout(r, 5, "waits")),
    ]);
    assert.equal(settled, "waits");
    assert.deepEqual(world.lost, [["none"]]);
    assert.equal(world.asked.length, hasSession ? 2 : 1);
  });

test("a sign-in that has ended keeps the page, and the next one continues it", async () => {
  const world = open("issuer");
  world.signedIn = { tenant: "acme", user: "ann", roles: [] };
  await world.session.headers();
  world.signedIn = undefined;
  world.time += 3_600_000;
  await assert.rejects(world.session.headers(), (err) => err.status === 401);
  assert.deepEqual(world.lost, [["expired"]]);
  assert.equal(world.session.who.user, "ann");
  world.signedIn = { tenant: "acme", user: "ann", roles: [] };
  assert.deepEqual(await world.session.headers(), { Authorization: "Bearer t2" });
});

test("the token of somebody else is not used on a page", async () => {
  const world = open("issuer");
  world.signedIn = { tenant: "acme", user: "ann", roles: [] };
  await world.session.headers();
  const eve = { tenant: "globex", user: "eve", name: "Eve", roles: [] };
  world.signedIn = eve;
  world.time += 3_600_000;
  await assert.rejects(world.session.headers(), /globex\/Eve/);
  assert.deepEqual(world.lost, [["stranger", eve]]);
  assert.equal(formatIdentity(world.session.who), "acme/ann");
});

test("another role is another person, since the page shows other things", async () => {
  const world = open("issuer");
  world.signedIn = { tenant: "acme", user: "ann", roles: [] };
  await world.session.headers();
  world.signedIn = { tenant: "acme", user: "ann", roles: ["ops"] };
  await assert.rejects(world.session.renew(), (err) => err.status === 401);
});

test("the absence of something does not say whether it exists", () => {
  assert.equal(
    explainAbsence({ tenant: "globex", user: "bob" }),
    "Nothing here for globex/bob. The same link works for the person who owns it.",
  );
});

test("a page that comes back asks whether anybody is signed in, before it asks for a token", async () => {
  const world = open("issuer");
  world.signedIn = { tenant: "acme", user: "ann", roles: [] };
  await world.session.ready();
  assert.equal(await world.session.isOver(), false);
  world.hasSession = false; // signed out: a request for a token would be an error in the console
  world.asked.length = 0;
  assert.equal(await world.session.isOver(), true);
  assert.deepEqual(world.asked, ["/api/sign-in"]);
  world.down = true;
  assert.equal(await world.session.isOver(), false, "nobody knows");
  world.down = false;
  world.hasSession = true;
  world.signedIn = undefined; // the issuer has ended it
  assert.equal(await world.session.isOver(), true);
});
