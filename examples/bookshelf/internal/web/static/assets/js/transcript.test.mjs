import assert from "node:assert/strict";
import { test } from "node:test";
import { recall, toEvents } from "./transcript.js";

const draft = (o) => ({ runs: ["s.1", "s.2", "s.3"], transcript: [], ...o });
const gone = (status) => async () => {
  throw Object.assign(new Error("gone"), { status });
};

test("the runs that have ended are told in order, a few requests at a time", async () => {
  let busy = 0;
  let most = 0;
  const runs = Array.from({ length: 9 }, (_, i) => `s.${i + 1}`);
  const past = await recall(draft({ runs, run_id: "s.9" }), async (run) => {
    most = Math.max(most, ++busy);
    await new Promise((resolve) => setTimeout(resolve, (10 - Number(run.slice(2))) * 2));
    busy--;
    return [{ type: "complete", run }];
  });
  assert.deepEqual(past.map((p) => [p.run, p.events[0].run]), runs.slice(0, 8).map((r) => [r, r]));
  assert.ok(most <= 4, `${most} requests at a time`);
});

test("runs that are shown already are not asked for", async () => {
  const asked = [];
  const past = await recall(draft(), async (run) => [void asked.push(run)], ["s.1", "s.2"]);
  assert.deepEqual([asked, past.length], [["s.3"], 1]);
});

test("without the events of a run, the conversation is told as the model has seen it", async () => {
  const transcript = [{ role: "assistant", text: "Hm." }];
  for (const [d, ask] of [
    [draft({ transcript }), gone(410)],
    [draft({ transcript }), gone(404)],
    [draft({ transcript, runs: ["s.2", "s.3"] }), async () => assert.fail("the first run is not there")],
  ]) {
    assert.deepEqual(await recall(d, ask), [{ run: "s.3", events: [{ type: "text_delta", delta: "Hm." }] }]);
  }
  assert.deepEqual(await recall({ runs: ["s.1"], run_id: "s.1", transcript: [] }, gone(410)), [], "it is in flight");
  assert.deepEqual(await recall({ transcript: [] }, gone(410)), [], "it has not been read");
  assert.equal((await recall({ transcript }, gone(410))).length, 1, "no run is kept any more");
  await assert.rejects(recall(draft(), gone(503)), /gone/, "it may be there later");
});

test("the entries of a transcript are told like events", () => {
  const call = { id: "c1", name: "check_isbn", input: {}, summary: "valid" };
  assert.deepEqual(
    toEvents([{ role: "user", text: "Why?" }, { role: "assistant", ...call }, { role: "assistant", text: "So." }]),
    [
      { type: "user_message", text: "Why?" },
      { ...call, type: "tool_call" },
      { ...call, type: "tool_result" },
      { type: "text_delta", delta: "So." },
    ],
  );
});
