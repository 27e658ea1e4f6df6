// The labels of a book's fields.

export const labels = {
  title: "Title",
  author: "Author",
  publisher: "Publisher",
  published_year: "Year",
  isbn: "ISBN",
  confidence: "Confidence",
  description: "Description",
};

/** labelOf returns the label of a field, or its name if it is not known. */
export const labelOf = (name) => (Object.hasOwn(labels, name) ? labels[name] : String(name));
