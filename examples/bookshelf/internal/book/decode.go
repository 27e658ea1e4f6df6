package book

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// MaxBytes is the size in bytes of the longest metadata that [Decode] accepts.
const MaxBytes = 64 << 10

// FormError is returned if metadata is not one JSON object with known fields. Its text may be shown to users.
type FormError struct{ Reason string }

// Error implements error.
func (e *FormError) Error() string { return "the metadata " + e.Reason }

// Decode reads metadata from one JSON object, as a form sends it: a field that is null or an empty string is absent,
// and a year and a confidence may be numbers in strings. It rejects unknown and repeated fields, names in another case,
// data after the object, and every other value that [Metadata.Apply] rejects. Decode returns [ErrEmpty] if no field is
// set. Other errors are a [FormError] or a [FieldError]. All texts may be shown to users.
func Decode(b []byte) (Metadata, error) {
	if len(b) > MaxBytes {
		return Metadata{}, &FormError{fmt.Sprintf("must have at most %d bytes", MaxBytes)}
	}
	v, err := strictjson.ParseObject(b)
	if err != nil {
		return Metadata{}, &FormError{"is " + err.Error()}
	}
	var m Metadata
	for name, value := range v.Members() {
		f := Field(name)
		if !f.Valid() {
			return Metadata{}, &FormError{fmt.Sprintf("has the unknown field %.60q", name)}
		}
		if err := m.Apply(Update{f, f.readForm(value.Raw())}); err != nil {
			return Metadata{}, err
		}
	}
	if m.IsZero() {
		return Metadata{}, ErrEmpty
	}
	return m, nil
}

// readForm returns null for an empty string, and the number in the string of a numeric field. It returns any other
// value unchanged.
func (f Field) readForm(raw json.RawMessage) json.RawMessage {
	var text string
	switch {
	case len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &text) != nil:
		return raw
	case text == "":
		return json.RawMessage("null")
	case (f == PublishedYear || f == Confidence) && isNumber(text):
		return json.RawMessage(text)
	}
	return raw
}

// isNumber reports whether text is a number in JSON, without spaces.
func isNumber(text string) bool {
	return strings.Trim(text, "0123456789+-.eE") == "" && json.Valid([]byte(text))
}
