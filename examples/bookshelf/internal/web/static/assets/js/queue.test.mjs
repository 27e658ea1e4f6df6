import assert from "node:assert/strict";
import { test } from "node:test";
import { Queue } from "./queue.js";

const failure = (status, more = {}) => Object.assign(new Error(`status ${status}`), { status, ...more });

/** newQueue returns a queue whose requests wait until the test lets them pass, and what was asked. */
function newQueue(change = {}) {
  const asked = [];
  const changes = [];
  let session = 0;
  const work = {
    prepare: async (file) => ({ blob: file, name: file.name, displayName: `“${file.name}”`, note: "" }),
    grant: async (photo) => {
      asked.push(`grant ${photo.name}`);
      return { session_id: `s${++session}`, expires_at: new Date(1e6).toISOString() };
    },
    put: async (grant, photo, progress) => {
      asked.push(`put ${grant.session_id}`);
      progress(0.5);
    },
    start: async (id) => void asked.push(`start ${id}`),
    discard: (id) => void asked.push(`discard ${id}`),
    ...change,
  };
  const queue = new Queue(work, (u) => changes.push(`${u.key} ${u.state}`), {
    now: () => 0,
    sleep: async (ms) => void asked.push(`sleep ${ms}`),
  });
  return { queue, asked, changes, add: (...names) => names.map((name) => queue.add({ name })) };
}

/** settle waits until every promise that can go on has. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

test("a photo is prepared, granted, sent and read", async () => {
  const q = newQueue();
  const [u] = q.add("emma.jpg");
  await settle();
  assert.deepEqual(q.asked, ["grant emma.jpg", "put s1", "start s1"]);
  assert.deepEqual(
    [...new Set(q.changes)],
    ["waiting", "preparing", "sending", "starting", "started"].map((s) => `upload-1 ${s}`),
  );
  assert.deepEqual(
    [u.session, u.name, u.progress, q.queue.find("s1"), q.queue.isUnsent],
    ["s1", "“emma.jpg”", 1, u, false],
  );
});

test("at most three are sent at a time, in the order in which they were chosen", async () => {
  const open = [];
  let most = 0;
  let busy = 0;
  const q = newQueue({
    put: async (grant) => {
      most = Math.max(most, ++busy);
      await new Promise((resolve) => open.push([grant.session_id, resolve]));
      busy--;
    },
  });
  q.add("a", "b", "c", "d", "e");
  await settle();
  assert.deepEqual(open.map(([s]) => s), ["s1", "s2", "s3"]);
  assert.ok(q.queue.isUnsent);
  for (let i = 0; i < 5; i++) {
    open[i][1]();
    await settle();
  }
  assert.deepEqual([open.length, most, q.queue.isUnsent], [5, 3, false]);
});

test("a reader that is busy does not hold the place of another upload", async () => {
  let tries = 0;
  const q = newQueue({ start: async () => { if (++tries <= 4) throw failure(429, { retryAfter: 600 }); } });
  q.add("a", "b", "c", "d");
  await settle();
  assert.deepEqual(q.queue.uploads.map((u) => u.state), Array(4).fill("started"));
  assert.deepEqual(q.asked.filter((a) => a.startsWith("sleep")), Array(4).fill("sleep 60000"));
  assert.ok(q.changes.includes("upload-4 starting"));
});

test("a failed upload is sent again with the same grant, and may have arrived already", async () => {
  const answers = [failure(0), failure(412)];
  const q = newQueue({ put: async () => { const err = answers.shift(); if (err) throw err; } });
  const [u] = q.add("a");
  await settle();
  assert.deepEqual([u.state, u.problem.status, q.queue.isUnsent], ["failed", 0, true]);
  q.queue.retryLost();
  await settle();
  assert.deepEqual([u.state, q.asked], ["started", ["grant a", "start s1"]]);
});

test("a photo that is there before it was sent is a failure, and so is a grant that has expired", async () => {
  const q = newQueue({ put: async (g) => { throw failure(g.session_id === "s1" ? 412 : 403); } });
  const [u] = q.add("a");
  await settle();
  assert.equal(u.problem.status, 412);
  u.grant.expires_at = new Date(0).toISOString();
  q.queue.retry(u);
  await settle();
  q.queue.retry(u);
  await settle();
  assert.deepEqual([u.state, q.asked], ["failed", ["grant a", "discard s1", "grant a", "discard s2", "grant a"]]);
  q.queue.retryLost();
  assert.equal(u.state, "failed", "its connection was not lost");
});

test("a file that cannot be prepared fails, and the next one is sent", async () => {
  const q = newQueue({
    prepare: async (file) => {
      if (file.name === "a") throw new Error("no picture");
      return { name: file.name };
    },
  });
  const [a, b] = q.add("a", "b");
  await settle();
  assert.deepEqual([a.state, a.problem.message, b.state], ["failed", "no picture", "started"]);
});

test("a cancelled upload is gone, whatever it was doing, and frees its place", async () => {
  const signals = [];
  const stuck = (signal) =>
    new Promise((_, reject) => (signals.push(signal), signal.addEventListener("abort", () => reject(signal.reason))));
  const q = newQueue({ put: (_grant, _photo, _progress, signal) => stuck(signal) });
  const all = q.add("a", "b", "c", "d");
  await settle();
  q.queue.cancel(all[3]);
  q.queue.cancel(all[0]);
  await settle();
  assert.deepEqual([signals.length, signals[0].aborted, all[3].session], [3, true, ""]);
  assert.deepEqual(q.queue.uploads, [all[1], all[2]]);
  assert.deepEqual(q.asked.filter((a) => a.startsWith("discard")), ["discard s1"], "its photo may have arrived");
  assert.deepEqual(q.changes.filter((c) => c.startsWith("upload-1")).at(-1), "upload-1 cancelled");
});

test("a reader that cannot be started is asked again without another upload", async () => {
  const answers = [failure(409), undefined];
  const q = newQueue({ start: async () => { const err = answers.shift(); if (err) throw err; } });
  const [u] = q.add("a");
  await settle();
  assert.deepEqual([u.state, u.isUnsent], ["failed", false]);
  q.queue.retry(u);
  await settle();
  assert.deepEqual([u.state, q.asked.filter((a) => a.startsWith("put"))], ["started", ["put s1"]]);
});
