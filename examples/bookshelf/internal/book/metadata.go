package book

import (
	"bytes"
	"encoding/json"
)

// Metadata describes a book. Every field may be absent (nil). The fields are in the order of their JSON names, which
// makes the encoding canonical.
type Metadata struct {
	Author        *string  `json:"author,omitempty"`
	Confidence    *float64 `json:"confidence,omitempty"` // 0 to 1
	Description   *string  `json:"description,omitempty"`
	ISBN          *string  `json:"isbn,omitempty"` // 10 or 13 digits, no hyphens; the tenth may be X
	PublishedYear *int     `json:"published_year,omitempty"`
	Publisher     *string  `json:"publisher,omitempty"`
	Title         *string  `json:"title,omitempty"`
}

// IsZero reports whether no field is set.
func (m Metadata) IsZero() bool { return m == Metadata{} }

// Canonical returns the metadata as one JSON object: only fields that are set, names in alphabetical order, no spaces,
// no final newline, and <, > and & not escaped. Equal metadata has equal bytes. [Decode] accepts them if at least one
// field is set.
func (m Metadata) Canonical() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m); err != nil {
		// Only a NaN or an infinity assigned to Confidence directly can fail: Decode and Apply reject them.
		panic("book: canonical: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// Get returns the field's value as JSON, or false if it is not set.
func (m Metadata) Get(f Field) (json.RawMessage, bool) {
	raw, err := json.Marshal(m.fieldPointer(f))
	return raw, err == nil && string(raw) != "null"
}

// fieldPointer returns a pointer to a field: a **string, **int or **float64. It returns nil for an unknown field.
func (m *Metadata) fieldPointer(f Field) any {
	switch f {
	case Title:
		return &m.Title
	case Author:
		return &m.Author
	case ISBN:
		return &m.ISBN
	case Publisher:
		return &m.Publisher
	case PublishedYear:
		return &m.PublishedYear
	case Description:
		return &m.Description
	case Confidence:
		return &m.Confidence
	}
	return nil
}
