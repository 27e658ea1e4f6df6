import assert from "node:assert/strict";
import { test } from "node:test";
import { findNews, listBooks, nextBook, rowOf } from "./traylist.js";

const row = (id, group, more = {}) => ({ upload_id: id, class: group, filename: `${id}.jpg`, ...more });

test("the tray has the uploads of the page and what the server knows, each once", () => {
  const uploads = [
    { key: "upload-1", session: "s1", state: "started", name: "one.jpg" },
    { key: "upload-2", session: "s2", state: "sending", progress: 0.5, name: "two.jpg" },
    { key: "upload-3", session: "", state: "waiting", name: "three.jpg" },
    { key: "upload-4", session: "s4", state: "started", name: "four.jpg" }, // not in the server's list yet
  ];
  const rows = [
    row("s2", "active", { stage: "user_upload" }),
    row("s1", "waiting", { labels: { title: "Emma" } }),
    row("s0", "success"),
  ];
  assert.deepEqual(
    listBooks(uploads, rows).map(({ id, title, words }) => [id, title, words]),
    [
      ["s4", "four.jpg", "Being read"],
      ["upload-3", "three.jpg", "Waits for the others"],
      ["s2", "two.jpg", "Sending, 50 %"],
      ["s1", "Emma", "Ready for you"],
    ],
  );
});

test("an accepted book leaves the tray, and one that cannot be read stays if it was uploaded here", () => {
  const rows = [
    { upload_id: "s1", current_status: "SUCCESS" },
    { upload_id: "s2", current_status: "FAILED", retryable: false },
  ].map(rowOf);
  assert.deepEqual(listBooks([], rows), []);
  const uploads = ["s1", "s2"].map((session) => ({ key: session, session, state: "started", name: session }));
  assert.deepEqual(listBooks(uploads, rows).map((b) => [b.id, b.status]), [["s2", "closed"]]);
});

test("the next book is the oldest one that needs the person, then the one that needs them soonest", () => {
  const books = listBooks(
    [],
    [
      row("s4", "waiting"),
      row("s3", "active", { stage: "enrichment" }),
      row("s2", "failed", { retryable: true }),
      row("s1", "waiting"),
    ],
  );
  const path = [];
  for (let rest = books, next = nextBook(rest); next; next = nextBook(rest, next.id)) {
    path.push(next.id);
    rest = rest.filter((b) => b.id !== next.id);
  }
  assert.deepEqual(path, ["s1", "s4", "s2", "s3"]);
  assert.equal(nextBook(books.slice(0, 1), "s4"), undefined);
});

test("a book is news once, when the reader has finished it", () => {
  const reading = listBooks([], [row("s1", "active", { stage: "enrichment" })]);
  const ready = listBooks([], [row("s1", "waiting")]);
  assert.deepEqual(findNews(reading, ready).map((b) => b.id), ["s1"]);
  assert.deepEqual([findNews(ready, ready), findNews([], ready), findNews(reading, reading)], [[], [], []]);
});
