// What a person drops on the page or pastes into it. All functions are pure.

/**
 * readDrop returns what a DataTransfer has: its files, and the names of its folders. A page gets a folder as a file
 * that cannot be read.
 */
export function readDrop({ items = [], files }) {
  const entries = [...items].filter((i) => i.kind === "file").map((i) => i.webkitGetAsEntry?.());
  return {
    files: [...files].filter((_, i) => !entries[i]?.isDirectory),
    folders: entries.filter((e) => e?.isDirectory).map((e) => e.name),
  };
}

/** describeFolders returns a notice about folders, of which there is at least one. */
export function describeFolders(folders) {
  const one = folders.length === 1;
  return {
    kind: "error",
    title: one ? `“${folders[0]}” is a folder` : `${folders.length} of these are folders`,
    detail: `Open ${one ? "it" : "them"}, and drop the photos inside.`,
  };
}

/** isMisplaced reports whether a paste has text in the place of a photo: it is not for a box that takes text. */
export function isMisplaced({ files, types }, target) {
  const isForBox = Boolean(target?.closest?.("input, textarea, select, [contenteditable]"));
  return files.length === 0 && types.length > 0 && !isForBox;
}
