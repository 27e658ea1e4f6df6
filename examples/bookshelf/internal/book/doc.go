// Package book describes one book: its [Metadata], with strict decoding and canonical encoding, and ISBN arithmetic.
//
//	m, err := book.Decode([]byte(`{"title": "Emma", "published_year": 1815}`))
//	…
//	key := sha256.Sum256(m.Canonical()) // equal metadata has equal bytes
//
// [ParseISBN] reads an ISBN as it is printed, for people, forms and models. A [Field] names one of the seven fields.
// [Field.Parse] reads its value from text, and [Metadata.Apply] applies the resulting [Update].
//
// The package does not look up or guess values: an absent field stays absent.
package book
