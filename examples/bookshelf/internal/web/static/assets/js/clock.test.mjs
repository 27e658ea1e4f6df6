import assert from "node:assert/strict";
import { test } from "node:test";
import { Clock } from "./clock.js";

const noon = Date.parse("2026-01-01T12:00:00Z");
const header = "Thu, 01 Jan 2026 12:00:00 GMT";

test("a device whose clock is wrong by hours knows the time of the server", () => {
  for (const hours of [-30, 30]) {
    let device = noon + hours * 3_600_000;
    const clock = new Clock(() => device);
    assert.equal(clock.now(), device, "nothing is known yet");
    clock.note(header);
    assert.equal(clock.now(), noon);
    device += 60_000;
    assert.equal(clock.now(), noon + 60_000);
  }
});

test("seconds are not a wrong clock, and a device that was set right is right", () => {
  let device = noon + 3000;
  const clock = new Clock(() => device);
  clock.note(header);
  assert.equal(clock.now(), device);
  device = noon + 3_600_000;
  clock.note(header);
  assert.equal(clock.now(), noon);
  device = noon;
  clock.note(header);
  assert.equal(clock.now(), noon);
  clock.note(null);
  clock.note("yesterday");
  assert.equal(clock.now(), noon);
});
