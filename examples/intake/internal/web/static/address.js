// The part of the address that names the chat and the file that the page shows. It does not need a DOM.

/** readAddress returns {chat, file} of the hash of an address. An id that it does not name is "". */
export function readAddress(hash) {
  const named = new URLSearchParams(hash.replace(/^#/, ""));
  return { chat: named.get("chat") ?? "", file: named.get("file") ?? "" };
}

/** writeAddress returns the hash that names a chat and a file, or "" if it names neither. */
export function writeAddress({ chat, file }) {
  const hash = new URLSearchParams();
  if (chat) hash.set("chat", chat);
  if (file) hash.set("file", file);
  return hash.size > 0 ? `#${hash}` : "";
}
