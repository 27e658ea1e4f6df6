// ISBNs as people type them. The arithmetic follows the ISBN Users' Manual,
// section 4.5 and annex A. All functions are pure.

/** compactISBN removes the hyphens, the spaces and the word ISBN with which an ISBN is printed. */
export function compactISBN(text) {
  return text
    .replace(/^\s*ISBN(?:-1[03](?:\s*:|\s)|:)?/i, "")
    .replaceAll(/[\s\p{Pd}\u00ad\u2212]+/gu, "")
    .toUpperCase();
}

const form = /^([0-9]{9}[0-9X]|[0-9]{13})$/;

/** isISBNLike reports whether a text has as many digits as an ISBN and nothing else, as it is typed. */
export const isISBNLike = (text) => form.test(compactISBN(text));

/** checkISBN returns a complaint about a compact ISBN, or undefined. */
export function checkISBN(isbn) {
  if (!form.test(isbn)) return "Enter ten or thirteen digits. Hyphens do not matter.";
  if (isbn.length === 13 && !/^97[89]/.test(isbn)) return "An ISBN of thirteen digits starts with 978 or 979.";
  const expected = checkDigit(isbn);
  if (isbn.endsWith(expected)) return undefined;
  return `These digits are not an ISBN: the last one does not fit the others. It would be ${expected}.`;
}

// checkDigit returns the last digit that fits the others.
function checkDigit(isbn) {
  const digits = Array.from(isbn.slice(0, -1), Number);
  if (isbn.length === 13) return String((10 - (digits.reduce((sum, d, i) => sum + d * (i % 2 ? 3 : 1), 0) % 10)) % 10);
  const last = (11 - (digits.reduce((sum, d, i) => sum + d * (10 - i), 0) % 11)) % 11;
  return last === 10 ? "X" : String(last);
}
