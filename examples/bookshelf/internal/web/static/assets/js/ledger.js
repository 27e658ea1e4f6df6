// The list of uploads: pages of rows, newest first. All functions are pure. The
// ids of uploads sort by the time of creation.

/**
 * refreshList returns a list with a new first page. The page replaces all rows that
 * are as new as its last row. Older rows stay. An empty page with a cursor does not
 * replace any row. The cursor of the list is that of its last page.
 * @param {{rows: object[], next?: string}} list
 * @param {{files?: object[], next?: string}} page
 */
export function refreshList(list, page) {
  const files = page.files ?? [];
  const last = files.at(-1)?.upload_id;
  if (page.next && last === undefined && list.rows.length > 0) return list;
  if (!page.next || last === undefined) return { rows: files, next: page.next };
  const older = list.rows.filter((r) => r.upload_id < last);
  return older.length > 0 ? { rows: [...files, ...older], next: list.next } : { rows: files, next: page.next };
}

/**
 * fetchFilledPage requests pages until one has rows or is the last, since the server
 * may end a page early with a cursor. It returns the fifth page even if it is empty.
 * @param {(cursor?: string) => Promise<{files?: object[], next?: string}>} ask
 * @param {string} [cursor]
 */
export async function fetchFilledPage(ask, cursor) {
  let page = await ask(cursor);
  for (let asked = 1; asked < 5 && page.next && !page.files?.length; asked++) page = await ask(page.next);
  return page;
}

/** extendList returns a list with its next page. It does not repeat rows. */
export function extendList(list, page) {
  const known = new Set(list.rows.map((r) => r.upload_id));
  const rows = (page.files ?? []).filter((r) => !known.has(r.upload_id));
  return { rows: [...list.rows, ...rows], next: page.next };
}
