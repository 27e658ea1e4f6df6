// The rows of the server that the tray shows, apart from the page.

/** step is the number of rows of each class that the tray shows at first, and that are added at a time. */
export const step = 30;

const largestPage = 100; // of the server
const classes = ["active", "waiting", "failed"];

/**
 * fetchRows requests the newest rows of each class of open books.
 * @param list requests one page: ({status, limit, cursor}) returns {files, next}
 * @param count the number of rows of each class
 * @returns {Promise<{rows: object[], hasMore: boolean}>} hasMore states that there are older rows
 */
export async function fetchRows(list, count) {
  const lists = await Promise.all(classes.map((status) => fetchClass(list, status, count)));
  return { rows: lists.flatMap(({ rows }) => rows), hasMore: lists.some(({ next }) => next) };
}

async function fetchClass(list, status, count) {
  let rows = [];
  let next;
  do {
    const page = await list({ status, limit: Math.min(largestPage, count - rows.length), cursor: next });
    rows = [...rows, ...page.files];
    next = page.next;
  } while (next && rows.length < count);
  return { rows, next };
}

/**
 * findUnlisted returns the ids of books of this visit that the rows do not have: those that were uploaded here, and
 * those that were on the desk. They are older than the rows, or have ended.
 */
export function findUnlisted(rows, uploads, visited) {
  const listed = new Set(rows.map((row) => row.upload_id));
  const sent = uploads.filter((u) => u.state === "started").map((u) => u.session);
  return [...new Set([...sent, ...visited])].filter((id) => !listed.has(id));
}
