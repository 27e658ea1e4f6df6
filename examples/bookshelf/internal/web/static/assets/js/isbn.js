// ISBNs as people type them. The arithmetic follows the ISBN Users' Manual,
// section 4.5 and annex A. All functions are pure.

/** compactISBN removes the hyphens and spaces with which an ISBN is printed. */
export function compactISBN(text) {
  return text.replaceAll(/[\s\p{Pd}]+/gu, "").toUpperCase();
}

/** checkISBN returns a complaint about a compact ISBN, or undefined. */
export function checkISBN(isbn) {
  if (!/^([0-9]{9}[0-9X]|[0-9]{13})$/.test(isbn)) return "Enter ten or thirteen digits. Hyphens do not matter.";
  if (isbn.length === 13 && !/^97[89]/.test(isbn)) return "An ISBN of thirteen digits starts with 978 or 979.";
  return hasCheckDigit(isbn) ? undefined : "These digits are not an ISBN: the last one does not fit the others.";
}

function hasCheckDigit(isbn) {
  const digits = Array.from(isbn, (c) => (c === "X" ? 10 : Number(c)));
  if (isbn.length === 13) return digits.reduce((sum, d, i) => sum + d * (i % 2 ? 3 : 1), 0) % 10 === 0;
  return digits.reduce((sum, d, i) => sum + d * (10 - i), 0) % 11 === 0;
}
