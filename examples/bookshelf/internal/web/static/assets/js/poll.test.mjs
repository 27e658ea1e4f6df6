import assert from "node:assert/strict";
import { test } from "node:test";
import { Poller } from "./poll.js";

/** start returns a poller whose timers the test fires. */
function start(answers) {
  const timers = [];
  const options = {
    schedule: (f, ms) => timers.push({ f, ms }) - 1,
    cancel: (n) => {
      if (timers[n]) timers[n].cancelled = true;
    },
  };
  let asked = 0;
  const poller = new Poller(async () => {
    asked++;
    const answer = answers.shift() ?? false;
    if (answer instanceof Error) throw answer;
    return answer;
  }, options);
  const due = () => timers.filter((t) => !t.cancelled && !t.done);
  const fire = async () => {
    const [timer] = due();
    timer.done = true;
    await timer.f();
  };
  return { poller, due, fire, asked: () => asked };
}

test("pauses grow while nothing changes, and are short after a change", async () => {
  const p = start([true, false, false, false, false, false, true]);
  const pauses = [];
  await p.poller.now();
  for (let i = 0; i < 7; i++) {
    assert.equal(p.due().length, 1);
    pauses.push(p.due()[0].ms);
    await p.fire();
  }
  assert.deepEqual(pauses, [4_000, 6_000, 9_000, 13_500, 20_000, 20_000, 4_000]);
});

test("pauses after errors heed the server", async () => {
  const p = start([
    new Error(),
    new Error(),
    Object.assign(new Error(), { retryAfter: 30 }),
    new Error(),
    new Error(),
    true,
  ]);
  const pauses = [];
  await p.poller.now();
  for (let i = 0; i < 6; i++) {
    pauses.push(p.due()[0].ms);
    await p.fire();
  }
  assert.deepEqual(pauses, [8_000, 16_000, 32_000, 60_000, 60_000, 4_000]);
});

test("a stopped poller asks no more, also if an answer was in flight", async () => {
  const p = start([]);
  const first = p.poller.now();
  p.poller.stop();
  await first;
  assert.equal(p.due().length, 0);
  p.poller.hurry();
  assert.equal(p.due().length, 0);
  await p.poller.now();
  assert.equal(p.asked(), 2);
  assert.equal(p.due().length, 1, "never two timers");
  await p.poller.now();
  assert.equal(p.due().length, 1);
});

test("a change that is expected is looked for soon", async () => {
  const p = start([]);
  await p.poller.now();
  p.poller.hurry();
  assert.deepEqual(p.due().map((t) => t.ms), [1_000]);
});
