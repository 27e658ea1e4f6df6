// The npm MCP client, unmodified, as people of two tenants of the bookshelf, with tokens of its issuer.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

let shelf, url;

before(async () => {
  shelf = spawn(process.env.BOOKSHELF, ["-addr", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface(shelf.stdout), "line");
  url = line.match(/https?:\S+/)[0].replace(/\/$/, "");
});

after(async () => {
  const ended = once(shelf, "exit");
  shelf.kill("SIGTERM");
  await ended;
});

async function issueToken(tenant, user, ...roles) {
  const r = await fetch(`${url}/api/dev/token`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ tenant, user, roles }),
  });
  assert.equal(r.status, 200);
  return (await r.json()).token;
}

async function request(token, method, path, body) {
  const r = await fetch(url + path, {
    method, headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  assert.equal(r.status, 200, path);
  return r;
}

// acceptBook uploads a sample cover and accepts it under a title. It returns the id of the book.
async function acceptBook(token, title) {
  const cover = await (await fetch(`${url}/samples/${(await samples())[0]}`)).arrayBuffer();
  const grant = await (await request(token, "GET", `/api/upload/presigned?filename=cover.png&content_type=image/png&size=${cover.byteLength}`)).json();
  const put = await fetch(grant.url, { method: grant.method, headers: grant.headers, body: cover });
  assert.equal(put.status, 200);
  const run = await request(token, "POST", "/api/metadata/extract", { session_id: grant.session_id });
  assert.match(await run.text(), /"type":"complete"/);
  await request(token, "POST", "/api/metadata/accept", { session_id: grant.session_id, metadata: { title } });
  return grant.session_id;
}

async function samples() {
  const listed = JSON.stringify(await (await fetch(`${url}/samples`)).json());
  return listed.match(/[\w-]+\.png/g);
}

async function connect(token) {
  const client = new Client({ name: "conformance", version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), {
    requestInit: { headers: { Authorization: `Bearer ${token}` } },
  }));
  return client;
}

test("each tenant sees its own books, and a library's readers do not share", async () => {
  const people = {};
  for (const [tenant, user, role] of [["acme", "ann", "librarian"], ["globex", "ann"], ["acme", "bob"]]) {
    const token = await issueToken(tenant, user, ...(role ? [role] : []));
    const title = `Emma of ${user} at ${tenant}`;
    people[`${tenant} ${user}`] = { token, title, id: await acceptBook(token, title), client: await connect(token) };
  }
  for (const [name, { client, id, title }] of Object.entries(people)) {
    const tools = (await client.listTools()).tools.map((t) => t.name);
    assert.equal(tools.includes("share_book"), name === "acme ann", name);
    assert.ok(!JSON.stringify(await client.listTools()).match(/tenant|"user/), "schemas do not name a tenant or a user");

    const list = await client.callTool({ name: "list_books", arguments: {} });
    assert.deepEqual(list.structuredContent.books.map((b) => b.book_id), [id], name);
    assert.equal(list.structuredContent.books[0].title, title);

    const { resources } = await client.listResources();
    assert.deepEqual(resources.map((r) => r.uri), [`object://session/${id}/metadata.json`], name);
    const read = await client.readResource({ uri: resources[0].uri });
    assert.equal(JSON.parse(read.contents[0].text).title, title);

    for (const other of Object.values(people)) {
      if (other.id === id) continue;
      const book = await client.callTool({ name: "read_book", arguments: { book_id: other.id } });
      assert.ok(book.isError);
      assert.ok(!JSON.stringify(book).includes(other.title));
      await assert.rejects(client.readResource({ uri: `object://session/${other.id}/metadata.json` }), /Resource not found/);
    }
    const forged = await client.callTool({ name: "list_books", arguments: { tenant: "globex" } });
    assert.ok(forged.isError);
    assert.match(forged.content[0].text, /tenant: is not known here/);
  }
  // This client speaks a version in which a call cannot wait for an approval: the call is not made.
  const librarian = people["acme ann"];
  const shared = await librarian.client.callTool({ name: "share_book", arguments: { book_id: librarian.id, version: 1 } });
  assert.ok(shared.isError);
  assert.match(shared.content[0].text, /^Not run: a person must approve this call/);
  const seen = await people["acme bob"].client.callTool({ name: "list_books", arguments: {} });
  assert.equal(seen.structuredContent.books.length, 1);
  for (const { client } of Object.values(people)) await client.close();
});

test("a token that is not valid is rejected", async () => {
  await assert.rejects(connect("forged"), (err) => err.code === 401);
});
