// Names of files: what a person reads, and what can be the end of a key. All functions are pure.

const maxName = 255; // bytes of UTF-8 in a key's name
const maxDisplayName = 256; // bytes of UTF-8

const bytesOf = (text) => new TextEncoder().encode(text).length;

/** displayName returns the name as a person reads it: composed, on one line, and at most 256 bytes. */
export function displayName(original) {
  const line = composed(original).replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, " ").trim();
  return shorten(line, maxDisplayName) || "photo";
}

/**
 * safeName returns a name that the server accepts as the end of a key. A name that
 * it accepts already is only composed. The result follows scope.FileName, and is
 * sometimes stricter.
 */
export function safeName(original) {
  let name = [...composed(original)].map((c) => (isKeyCharacter(c) ? c : "_")).join("").normalize("NFC");
  name = shorten(name, maxName, extensionOf(name));
  name = name.replace(/^[.\s]/u, "_").replace(/[.\s]$/u, "_");
  if (name === "" || name === "uploads" || isDevice(name)) name = shorten(`_${name}`, maxName, extensionOf(name));
  return name;
}

/** withExtension replaces the extension of a name, or adds one. */
export function withExtension(name, extension) {
  const old = extensionOf(name);
  const base = old ? name.slice(0, -old.length) : name;
  return shorten(base, maxName - bytesOf(extension)) + extension;
}

/** isSafe reports whether the name can be stored. */
export function isSafe(original) {
  return safeName(original) === composed(original);
}

/** describeRename returns a sentence about a name that cannot be stored. */
export function describeRename(shown, name) {
  return `The name “${shown}” cannot be stored as it is, so the file is kept as “${name}”.`;
}

// composed returns a name in Unicode normal form C. Halves of characters become a
// replacement character.
function composed(original) {
  return String(original).replaceAll(/\p{Surrogate}/gu, "\ufffd").normalize("NFC");
}

// A letter, a mark, a number, a symbol or punctuation that has no meaning in a
// path or a URL, is visible, and does not become a dot or a slash if a program
// normalises it.
function isKeyCharacter(c) {
  if (c === " " || c === ".") return true;
  if (!/^[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]$/u.test(c) || /[/\\%?#\p{Default_Ignorable_Code_Point}]/u.test(c))
    return false;
  return c < "\u0080" || (!/[./\\]/.test(c.normalize("NFKC")) && c.normalize("NFC") === c);
}

// Windows opens a device for these names, with any extension.
function isDevice(name) {
  return /^(?:con|prn|aux|nul|(?:com|lpt)[1-9])(?:\.|$)/i.test(name);
}

function extensionOf(name) {
  return /[^.](\.[A-Za-z0-9]{1,15})$/.exec(name)?.[1] ?? "";
}

// shorten cuts text to at most limit bytes, before its end if that must stay.
function shorten(text, limit, end = "") {
  if (bytesOf(text) <= limit) return text;
  let room = limit - bytesOf(end);
  let kept = "";
  for (const c of text.slice(0, text.length - end.length)) {
    room -= bytesOf(c);
    if (room < 0) break;
    kept += c;
  }
  return kept + end;
}
