import assert from "node:assert/strict";
import { test } from "node:test";

import { begin, describe, end } from "./entrance.js";

// Answers requests of one test in order, and keeps them.
function serve(t, ...answers) {
  const asked = [];
  const before = globalThis.fetch;
  globalThis.fetch = async (path, init) => {
    asked.push([path, init.method, init.body && JSON.parse(init.body)]);
    const [status, body] = answers.shift();
    return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
  };
  t.after(() => (globalThis.fetch = before));
  return asked;
}

test("a sign-in comes back to where it began, or to the desk if that cannot be", async (t) => {
  const url = "https://id.example/authorize";
  const asked = serve(t, [200, { url }], [400, {}], [200, { url }], [501, { detail: "no page" }]);
  assert.equal(await begin("/ops#x"), url);
  assert.equal(await begin("//elsewhere"), url);
  await assert.rejects(begin("/"), /No page/);
  assert.deepEqual(asked.map(([, , body]) => body.return), ["/ops#x", "//elsewhere", "/", "/"]);
  assert.ok(asked.every(([path, method]) => path === "/sign-in/start" && method === "POST"));
});

test("a sign-out returns the way out of the issuer", async (t) => {
  const asked = serve(t, [200, { url: "/sign-in" }]);
  assert.equal(await end(), "/sign-in");
  assert.deepEqual(asked, [["/api/sign-in/end", "POST", {}]]);
});

test("only the page that another one has opened begins at once", () => {
  assert.equal(describe("begin").action, "");
  assert.equal(describe("begin").again, "/sign-in#done");
  for (const fragment of ["", "again", "denied", "refused", "failed", "<script>"]) {
    assert.notEqual(describe(fragment).action, "", fragment);
    assert.equal(describe(fragment).again, "/", fragment);
  }
});
