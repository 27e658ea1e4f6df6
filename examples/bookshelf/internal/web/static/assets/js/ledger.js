// The list of uploads as data: pages of rows, newest first. Pure functions; an
// upload's id sorts by the time of its creation.

/**
 * refreshed is a list after its first page has been asked for again. That page
 * speaks for all rows as new as its last one; older rows, from pages loaded
 * before, stay. The cursor is where the list goes on.
 * @param {{rows: object[], next?: string}} list
 * @param {{files?: object[], next?: string}} page
 */
export function refreshed(list, page) {
  const files = page.files ?? [];
  const last = files.at(-1)?.upload_id;
  if (!page.next || last === undefined) return { rows: files, next: page.next };
  const older = list.rows.filter((r) => r.upload_id < last);
  return older.length > 0 ? { rows: [...files, ...older], next: list.next } : { rows: files, next: page.next };
}

/** extended is a list with its next page; a row that is there already is not repeated. */
export function extended(list, page) {
  const known = new Set(list.rows.map((r) => r.upload_id));
  const rows = (page.files ?? []).filter((r) => !known.has(r.upload_id));
  return { rows: [...list.rows, ...rows], next: page.next };
}
