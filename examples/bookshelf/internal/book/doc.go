// Package book describes one book: [Metadata] and its fields, read strictly and written canonically, and the
// arithmetic of ISBNs.
//
//	m, err := book.Decode([]byte(`{"title": "Emma", "published_year": 1815}`))
//	…
//	key := sha256.Sum256(m.Canonical()) // the same metadata always gives the same bytes
//
// A [Field] names one of the seven fields; [Field.Parse] reads its value from text, as a tool or a person gives it,
// and [Metadata.Apply] folds the resulting [Update] into what is known so far.
//
// The package looks nothing up and guesses nothing: an absent field stays absent.
package book
