import assert from "node:assert/strict";
import { test } from "node:test";
import { backOff, foldEvent, followRun, retract, tellEvents } from "./run.js";

const id = (n) => `${String(n).padStart(12, "0")}.0000`;
const log = [
  { type: "text_delta", delta: "a" },
  { type: "text_delta", delta: "b" },
  { type: "retract", after: "" },
  { type: "tool_call", id: "c1", name: "find" },
  { type: "text_delta", delta: "é" },
  { type: "complete", metadata: {} },
].map((e, i) => ({ ...e, at: id(i + 1) }));

const frame = ({ at, ...event }) => `data: ${JSON.stringify(event)}\nid: ${at}\n\n`;
const encode = (text) => new TextEncoder().encode(text);

/** body sends the bytes, then breaks, ends or stays silent. */
function body(bytes, end = "break") {
  return new ReadableStream({
    start(c) {
      if (bytes.length > 0) c.enqueue(bytes);
      if (end === "break") setTimeout(() => c.error(new Error("broken")));
      else if (end === "end") c.close();
    },
  });
}

async function collect(connect, options = {}) {
  const got = [];
  for await (const e of followRun(connect, { delay: () => 0, ...options })) got.push(e);
  return got;
}

const after = (lastID) => log.filter((e) => e.at > lastID).map(frame).join("");

test("each event arrives once, wherever the connection breaks", async () => {
  for (const end of ["break", "end"]) {
    for (let cut = 0; cut < encode(after("")).length; cut++) {
      let first = true;
      const got = await collect(async (lastID) => {
        const bytes = encode(after(lastID));
        const response = new Response(body(first ? bytes.slice(0, cut) : bytes, first ? end : "end"));
        first = false;
        return response;
      });
      assert.deepEqual(got, log, `${end} after ${cut} bytes`);
    }
  }
});

test("an event that the server repeats is dropped", async () => {
  const got = await collect(
    async () => new Response(body(encode(log.slice(0, 2).map(frame).join("") + after("")), "end")),
  );
  assert.deepEqual(got, log);
});

test("after a reset the events begin again", async () => {
  const bodies = [log.slice(0, 2).map(frame).join(""), 'event: reset\ndata: {"type":"reset"}\n\n' + after("")];
  const got = await collect(async () => new Response(body(encode(bodies.shift()), "end")));
  assert.deepEqual(got, [...log.slice(0, 2), { type: "reset", at: "" }, ...log]);
});

test("a silent connection is replaced", async () => {
  const waits = [];
  const ends = ["silent", "end"];
  const got = await collect(
    async (lastID) => {
      const end = ends.shift();
      return new Response(body(encode(end === "silent" ? frame(log[0]) : after(lastID)), end));
    },
    { limit: 20, waiting: (w) => waits.push(w) },
  );
  assert.deepEqual(got, log);
  assert.deepEqual(waits, [false, true, false]);
});

test("a server that stays away is given up", async () => {
  let asked = 0;
  assert.deepEqual(await collect(async () => void asked++), []);
  assert.equal(asked, 15);
});

test("a refusal is not repeated", async () => {
  await assert.rejects(collect(async () => { throw new Error("404"); }), /404/);
});

test("leaving ends the wait", async () => {
  const leaving = new AbortController();
  setTimeout(() => leaving.abort(), 5);
  await assert.rejects(collect(async () => undefined, { signal: leaving.signal, delay: () => 60_000 }));
});

test("back-off doubles up to a limit, with jitter and the server's delay", () => {
  assert.equal(backOff(0, 0, () => 1), 500);
  assert.equal(backOff(3, 0, () => 1), 4000);
  assert.equal(backOff(20, 0, () => 1), 10_000);
  assert.equal(backOff(5, 250, () => 0), 250);
});

test("retract drops the events after an id", () => {
  assert.deepEqual(retract(log, id(2)), log.slice(0, 2));
  assert.deepEqual(retract(log, ""), []);
});

test("a sign that the network is back joins the run at once, and ends a pause", async () => {
  let nudge;
  let connections = 0;
  const got = await collect(
    async (lastID) => {
      connections++;
      if (connections === 1) {
        setTimeout(() => nudge(), 20); // the first connection is silent
        return new Response(body(encode(log.slice(0, 2).map(frame).join("")), "silent"));
      }
      if (connections === 2) return new Response(body(encode(""), "end"));
      return new Response(body(encode(after(lastID)), "end"));
    },
    {
      delay: () => {
        setTimeout(() => nudge(), 20);
        return 1e9;
      },
      onNudge: (call) => {
        nudge = call;
        return () => (nudge = undefined);
      },
    },
  );
  assert.deepEqual([got, connections, nudge], [log, 3, undefined]);
});

test("events that are taken back are forgotten", () => {
  const events = log.reduce(foldEvent, []);
  assert.deepEqual(events.map((e) => e.type), ["tool_call", "text_delta", "complete"]);
  assert.deepEqual(foldEvent(events, { type: "reset" }), []);
});

test("what is taken back is shown no more, and the rest again", async () => {
  async function* stream() {
    yield { type: "text_delta", delta: "a", at: id(1) };
    yield { type: "text_delta", delta: "b", at: id(2) };
    yield { type: "retract", after: id(1), at: id(3) };
    yield { type: "complete", at: id(4) };
  }
  const shown = [];
  const view = { show: (e) => shown.push(e.delta ?? e.type), rewind: () => shown.push("rewind") };
  const left = await tellEvents(stream(), view);
  assert.deepEqual(shown, ["a", "b", "rewind", "a", "complete"]);
  assert.deepEqual(left.map((e) => e.type), ["text_delta", "complete"]);
});

test("a reset takes everything back, and a failure of the stream is thrown", async () => {
  const shown = [];
  async function* stream() {
    yield { type: "text_delta", delta: "a", at: id(1) };
    yield { type: "reset" };
    throw new Error("lost");
  }
  const view = { show: (e) => shown.push(e.delta), rewind: () => shown.push("rewind") };
  await assert.rejects(tellEvents(stream(), view), /lost/);
  assert.deepEqual(shown, ["a", "rewind"]);
});
