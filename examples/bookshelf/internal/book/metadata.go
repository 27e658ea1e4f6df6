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
	var v any
	switch f {
	case Title:
		v = valueOrNil(m.Title)
	case Author:
		v = valueOrNil(m.Author)
	case ISBN:
		v = valueOrNil(m.ISBN)
	case Publisher:
		v = valueOrNil(m.Publisher)
	case PublishedYear:
		v = valueOrNil(m.PublishedYear)
	case Description:
		v = valueOrNil(m.Description)
	case Confidence:
		v = valueOrNil(m.Confidence)
	}
	if v == nil {
		return nil, false
	}
	raw, err := json.Marshal(v)
	return raw, err == nil
}

func valueOrNil[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}
