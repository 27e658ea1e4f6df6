// Which values may be those of another book after the title has changed. All functions are pure.

// The fields that belong to one edition of one book. The reader's confidence is about that book too.
const belonging = ["isbn", "publisher", "published_year", "description", "confidence"];

/**
 * findMisfits returns the names of the fields that still have the value from
 * before the title became that of another book. Both arguments are the texts of
 * the fields by name. A title that was empty, or is written in another way, is
 * not another book's.
 */
export function findMisfits(before, now) {
  if (!isOtherTitle(before.title ?? "", now.title ?? "")) return [];
  return belonging.filter((name) => now[name] && now[name] === before[name]);
}

/** isOtherTitle reports whether two titles are those of different books. A subtitle or a mistyped letter is not. */
export function isOtherTitle(before, now) {
  const [a, b] = [plainWords(before), plainWords(now)];
  if (a === "" || b === "" || a === b) return false;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  if (long.startsWith(`${short} `)) return false;
  return countEdits(a, b) > Math.max(2, Math.floor(long.length / 8));
}

const plainWords = (title) => (title.normalize("NFKD").toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).join(" ");

/** countEdits returns the number of letters to insert, remove or replace (Levenshtein), of the first 200. */
function countEdits(a, b) {
  const [from, to] = [[...a].slice(0, 200), [...b].slice(0, 200)];
  let row = to.map((_, j) => j + 1);
  row.unshift(0);
  for (const [i, c] of from.entries()) {
    const next = [i + 1];
    for (const [j, d] of to.entries()) next.push(Math.min(row[j] + (c === d ? 0 : 1), row[j + 1] + 1, next[j] + 1));
    row = next;
  }
  return row.at(-1);
}

/** askToLookUp returns a message to the reader about a title and the labels of the fields that may not fit it. */
export function askToLookUp(title, labels) {
  const names = labels.map((l) => (l === "ISBN" ? l : l.toLowerCase()));
  return `The title is “${title}”. Look it up, and correct the ${joinWords(names)}.`;
}

/** joinWords returns words as in a sentence: "a, b and c". */
export function joinWords(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
