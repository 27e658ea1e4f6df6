// The list of uploads as data: pages of rows, newest first. Pure functions; an
// upload's id sorts by the time of its creation.

/**
 * refreshed is a list after its first page has been asked for again. That page
 * speaks for all rows as new as its last one; older rows, from pages loaded
 * before, stay. An empty page with a cursor speaks for no rows. The cursor is
 * where the list goes on.
 * @param {{rows: object[], next?: string}} list
 * @param {{files?: object[], next?: string}} page
 */
export function refreshed(list, page) {
  const files = page.files ?? [];
  const last = files.at(-1)?.upload_id;
  if (page.next && last === undefined && list.rows.length > 0) return list;
  if (!page.next || last === undefined) return { rows: files, next: page.next };
  const older = list.rows.filter((r) => r.upload_id < last);
  return older.length > 0 ? { rows: [...files, ...older], next: list.next } : { rows: files, next: page.next };
}

/**
 * filled asks for pages until one has rows or is the last: the server may end a
 * page early, with a cursor. After a few empty ones it returns what it has.
 * @param {(cursor?: string) => Promise<{files?: object[], next?: string}>} ask
 * @param {string} [cursor]
 */
export async function filled(ask, cursor) {
  let page = await ask(cursor);
  for (let asked = 1; asked < 5 && page.next && !page.files?.length; asked++) page = await ask(page.next);
  return page;
}

/** extended is a list with its next page; a row that is there already is not repeated. */
export function extended(list, page) {
  const known = new Set(list.rows.map((r) => r.upload_id));
  const rows = (page.files ?? []).filter((r) => !known.has(r.upload_id));
  return { rows: [...list.rows, ...rows], next: page.next };
}
