// Which books are in the tray: the uploads of this page and those that the server
// knows. All functions are pure.

import { describeRow, describeUpload } from "./bookstatus.js";

/**
 * listBooks returns the books of the tray, newest first, each as {id, title,
 * status, words, upload?}. uploads are those of a Queue; rows are those of
 * /api/ops/files. Accepted books are left out, and so are closed ones, unless
 * they are uploads of this page.
 */
export function listBooks(uploads, rows) {
  const isHere = (row) => uploads.some((u) => u.session === row.upload_id && u.state !== "started");
  const known = rows
    .filter((row) => !isHere(row))
    .map((row) => ({
      id: row.upload_id,
      title: row.labels?.title || row.title || row.display_name || row.filename || "A book",
      ...describeRow(row),
    }))
    .map((book) => (book.status === "closed" ? { ...book, upload: uploads.find((u) => u.session === book.id) } : book))
    .filter(({ status, upload }) => status !== "accepted" && (status !== "closed" || upload));
  const ids = new Set(rows.filter((row) => !isHere(row)).map((row) => row.upload_id));
  const own = uploads
    .filter((u) => !ids.has(u.session))
    .map((upload) => ({ id: upload.session || upload.key, title: upload.name, upload, ...describeUpload(upload) }))
    .reverse();
  return [...own, ...known];
}

/** rowOf returns a row for a record of /api/ops/files/{id} that is not in the lists any more. */
export function rowOf(record) {
  const group = { SUCCESS: "success", FAILED: "failed" }[record.current_status] ?? "active";
  return { ...record, class: record.class ?? group };
}

const order = ["ready", "failed", "reading", "sending"];

/** nextBook returns the book that should be on the desk after the one with that id, or undefined. */
export function nextBook(books, id) {
  const others = books.filter((b) => b.id !== id && order.includes(b.status)).reverse(); // oldest first
  return others.sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status))[0];
}

/** findNews returns the books that have become ready, or have failed, since the last list. */
export function findNews(before, now) {
  const was = new Map(before.map((b) => [b.id, b.status]));
  return now.filter(
    (b) => ["reading", "sending"].includes(was.get(b.id)) && ["ready", "failed", "closed"].includes(b.status),
  );
}
