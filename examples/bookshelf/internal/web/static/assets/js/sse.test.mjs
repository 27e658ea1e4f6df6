import assert from "node:assert/strict";
import { test } from "node:test";
import { Parser, readEvents } from "./sse.js";

const bytes = (text) => new TextEncoder().encode(text);

function parse(...chunks) {
  const parser = new Parser();
  return chunks.flatMap((c) => parser.push(typeof c === "string" ? bytes(c) : c));
}

const data = (...chunks) => parse(...chunks).map((e) => e.data);

test("the specification's examples", () => {
  assert.deepEqual(data("data: YHOO\ndata: +2\ndata: 10\n\n"), ["YHOO\n+2\n10"]);
  assert.deepEqual(
    parse(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"),
    [
      { type: "message", data: "first event", id: "1" },
      { type: "message", data: "second event", id: "" },
      { type: "message", data: " third event", id: "" },
    ],
  );
  assert.deepEqual(data("data\n\ndata\ndata\n\ndata:"), ["", "\n"]);
  assert.deepEqual(data("data:test\n\ndata: test\n\n"), ["test", "test"]);
});

test("every line end, mixed and cut", () => {
  for (const end of ["\n", "\r", "\r\n"]) {
    assert.deepEqual(data(`data: a${end}data: b${end}${end}data: c${end}${end}`), ["a\nb", "c"]);
  }
  assert.deepEqual(data("data: a\r", "\ndata: b\r", "\n\r", "\n"), ["a\nb"]);
  assert.deepEqual(data("data: a\r", "", "\n", "\r", "\n"), ["a"]);
  assert.deepEqual(data("data: a\r", "\r", "data: b\n\n"), ["a", "b"]);
  assert.deepEqual(data("data: a\n\rdata: b\r\n\n"), ["a", "b"]);
});

test("a byte order mark at the start only", () => {
  assert.deepEqual(data("\ufeffdata: a\n\n"), ["a"]);
  assert.deepEqual(data(Uint8Array.of(0xef), Uint8Array.of(0xbb, 0xbf), "data: a\n\n"), ["a"]);
  assert.deepEqual(data("data: a\n\n\ufeffdata: b\n\n"), ["a"]);
});

test("one byte at a time is the same as all at once", () => {
  const stream = "\ufeff: hi\r\nid: 0.1\ndata: {\"delta\":\"Überraschung, 日本語 📚\"}\r\n\r\nevent: x\rdata: z\r\r";
  const whole = parse(stream);
  const single = parse(...[...bytes(stream)].map((b) => Uint8Array.of(b)));
  assert.equal(whole.length, 2);
  assert.deepEqual(single, whole);
  for (let cut = 0; cut <= bytes(stream).length; cut++) {
    assert.deepEqual(parse(bytes(stream).slice(0, cut), bytes(stream).slice(cut)), whole);
  }
});

test("fields", () => {
  assert.deepEqual(parse("event: a\n\ndata: b\n\n"), [{ type: "message", data: "b", id: "" }]);
  assert.deepEqual(parse("id: 7\n\ndata: b\n\n"), [{ type: "message", data: "b", id: "7" }]);
  assert.deepEqual(parse("id: 7\n\nid: 8\0\ndata: b\n\n"), [{ type: "message", data: "b", id: "7" }]);
  assert.deepEqual(data("Data: no\n data: no\ndata : no\nfoo: no\ndata: a:b: c\n\n"), ["a:b: c"]);
  assert.deepEqual(data("data: unfinished\n"), []);
});

test("retry takes digits alone", () => {
  const parser = new Parser();
  parser.push(bytes("retry: 12x\nretry: -1\n"));
  assert.equal(parser.retry, undefined);
  parser.push(bytes("retry: 1500\n"));
  assert.equal(parser.retry, 1500);
});

test("events reads a body to its end, and cancels it when the loop is left", async () => {
  let cancelled = false;
  const body = () =>
    new ReadableStream({
      start(c) {
        c.enqueue(bytes("data: a\n\nda"));
        c.enqueue(bytes("ta: b\n\ndata: lost"));
        c.close();
      },
      cancel() {
        cancelled = true;
      },
    });
  const seen = [];
  for await (const e of readEvents(body())) seen.push(e.data);
  assert.deepEqual(seen, ["a", "b"]);

  const endless = new ReadableStream({
    pull(c) {
      c.enqueue(bytes("data: again\n\n"));
    },
    cancel() {
      cancelled = true;
    },
  });
  for await (const e of readEvents(endless)) {
    assert.equal(e.data, "again");
    break;
  }
  assert.equal(cancelled, true);
});

test("a broken body rejects", async () => {
  const body = new ReadableStream({
    start(c) {
      c.error(new Error("cut"));
    },
  });
  await assert.rejects(async () => {
    for await (const _ of readEvents(body)) assert.fail("no event was sent");
  }, /cut/);
});
