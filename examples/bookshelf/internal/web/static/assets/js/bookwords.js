// What the pages say about books. All functions are pure.

import { labelOf } from "./labels.js";

/** titleOf returns the title of a book, or words in its place. */
export const titleOf = ({ metadata }) =>
  metadata.title || (metadata.isbn ? `ISBN ${metadata.isbn}` : "A book without a title");

/** describeBook returns the facts of a row below the title: author, publisher and year, ISBN. */
export function describeBook({ metadata: m }) {
  return [
    m.author,
    [m.publisher, m.published_year].filter((v) => v !== undefined).join(", "),
    m.isbn && `ISBN ${m.isbn}`,
  ].filter(Boolean);
}

/** describeOwner returns whose book it is and what of it is shared, in two or three words, or "". */
export function describeOwner({ owner, version, shared_version: shared, shared_by: by }) {
  if (owner === "tenant") return by ? `Shared by ${by}` : "Shared by a colleague";
  if (!shared) return "";
  return shared === version ? "Shared by you" : `Version ${shared} is shared`;
}

/**
 * describeSharing returns what the panel of a book says: {words, share}, where share is the label of a button, if the
 * caller may share.
 */
export function describeSharing({ owner, version, shared_version: shared, shared_by: by }, canShare) {
  if (owner === "tenant") {
    return {
      words:
        `${by ? `The colleague ${by} shares` : "A colleague shares"} this book with everybody here. ` +
        "Only its owner can correct it.",
    };
  }
  if (shared === version) return { words: "You share this book with all your colleagues." };
  const words = shared
    ? `Your colleagues see version ${shared}. They do not see your corrections since then.`
    : "Only you see this book.";
  if (!canShare) return { words: `${words} Sharing is the task of librarians: ask for that role to share it.` };
  return { words, share: shared ? `Share version ${version}` : "Share with colleagues" };
}

/** describeVersion returns what happened in a version: {what, who}. The first one of an own book is its accept. */
export function describeVersion({ version, by }, { owner }) {
  if (owner === "tenant") return { what: `Version ${version} was shared`, who: by ? `by ${by}` : "by a colleague" };
  return { what: version === 1 ? "Version 1 was accepted" : `Version ${version}, a correction`, who: "by you" };
}

/**
 * describeConflict returns what a newer version has changed: its fields that
 * were not typed, and those that were, with the value of the newer version.
 * start is the metadata that the person began with.
 */
export function describeConflict(start, typed, newer) {
  const mine = compareMetadata(start, typed);
  const theirs = compareMetadata(start, newer).filter((name) => typed[name] !== newer[name]);
  const taken = theirs.filter((name) => !mine.includes(name)).map(labelOf);
  const kept = theirs
    .filter((name) => mine.includes(name))
    .map((name) => `${labelOf(name)} (there: ${newer[name] ?? "empty"})`);
  return [
    "What you have typed is still here.",
    taken.length > 0 && `The card has the new values of the rest: ${taken.join(", ")}.`,
    kept.length > 0 && `Both have changed: ${kept.join(", ")}.`,
    "Save the correction to put yours on top.",
  ]
    .filter(Boolean)
    .join(" ");
}

/** compareMetadata returns the names of the fields whose values differ. */
export function compareMetadata(a, b) {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]);
}
