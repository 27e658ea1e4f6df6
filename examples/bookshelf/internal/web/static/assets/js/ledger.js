// The list of uploads: rows in the order in which they are shown, newest first.
// All functions are pure. The ids of uploads sort by the time of creation.
//
// What a person reads does not move: a refresh changes rows in their place, keeps
// new ones back as fresh, and marks those that the filter no longer selects as
// left. settleList shows the fresh ones and removes the left ones.

/**
 * @typedef {object} List
 * @property {object[]} rows
 * @property {object[]} fresh rows that are kept back
 * @property {Set<string>} left the ids of rows that the filter no longer selects
 * @property {{cursor: string, before: string}[]} pages the older pages; their rows are older than before
 * @property {string} [next] the cursor of the next page
 * @property {boolean} [capped] whether the search stopped before it had read all uploads
 * @property {string} [gap] the cursor behind the fresh rows, if there may be others between them and the rows
 */

/** newList returns a list with its first page. */
export function newList({ files = [], next, capped }) {
  return { rows: files, fresh: [], left: new Set(), pages: [], next, capped };
}

/**
 * updateRows returns a list with newer rows of uploads that it has. It ignores rows that are older than those, since
 * an index may lag.
 * @param {List} list
 */
export function updateRows(list, files) {
  const found = new Map(files.map((f) => [f.upload_id, f]));
  const pick = (old) => {
    const row = found.get(old.upload_id);
    return row && !(row.changed_at < old.changed_at) ? row : old;
  };
  return { ...list, rows: list.rows.map(pick), fresh: list.fresh.map(pick) };
}

/**
 * refreshList returns a list that was refreshed by a page: that of the newest
 * uploads, or of those older than before. An empty list shows the page.
 * @param {List} list
 * @param {{files?: object[], next?: string, capped?: boolean}} page
 * @returns {List}
 */
export function refreshList(list, page, before = "") {
  if (list.rows.length === 0) return newList(page);
  const files = page.files ?? [];
  const last = files.at(-1)?.upload_id;
  const newest = list.rows[0].upload_id;
  const oldest = list.rows.at(-1).upload_id;
  const isCovered = (id) => (!before || id < before) && (!page.next || (last !== undefined && id >= last));
  const shown = new Set(list.rows.map((r) => r.upload_id));
  const listed = new Set(files.map((f) => f.upload_id));
  const isMissing = (id) => (isCovered(id) ? !listed.has(id) : list.left.has(id));
  return {
    ...updateRows(list, files),
    fresh: [
      ...list.fresh.filter((f) => !isCovered(f.upload_id)),
      // Files that are older than the list are on a later page.
      ...files.filter((f) => !shown.has(f.upload_id) && !(list.next && f.upload_id < oldest)),
    ].sort(byAge),
    left: new Set([...shown].filter(isMissing)),
    gap: before ? list.gap : last !== undefined && last > newest ? page.next : undefined,
  };
}

/** settleList returns a list with its fresh rows in their places and without those that have left. */
export function settleList(list) {
  if (list.gap) return newList({ files: list.fresh, next: list.gap, capped: list.capped });
  const rows = list.rows.filter((r) => !list.left.has(r.upload_id));
  return { ...list, rows: [...list.fresh, ...rows].sort(byAge), fresh: [], left: new Set() };
}

/** extendList returns a list with its next page. It does not repeat rows. */
export function extendList(list, page) {
  const known = new Set(list.rows.map((r) => r.upload_id));
  const files = (page.files ?? []).filter((r) => !known.has(r.upload_id));
  return {
    ...list,
    rows: [...list.rows, ...files],
    pages: [...list.pages, { cursor: list.next, before: list.rows.at(-1)?.upload_id ?? "" }],
    next: page.next,
    capped: page.capped,
  };
}

function byAge(a, b) {
  return a.upload_id < b.upload_id ? 1 : a.upload_id > b.upload_id ? -1 : 0;
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
