package book

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// MaxBytes is the size in bytes of the longest metadata that [Decode] accepts.
const MaxBytes = 64 << 10

// FormError is returned if metadata is not one JSON object with known fields. Its text may be shown to users.
type FormError struct{ Reason string }

// Error implements error.
func (e *FormError) Error() string { return "the metadata " + e.Reason }

// Decode reads metadata from one JSON object, as a form sends it: a field that is null or an empty string is absent, a
// year and a confidence may be numbers in strings, and an ISBN may be as printed, see [ParseISBN]. It rejects unknown
// and repeated fields, names in another case, data after the object, a wrong check digit of an ISBN, and every other
// value that [Metadata.Apply] rejects. Decode returns [ErrEmpty] if no field is set. Other errors are a [FormError] or
// a [FieldError]. All texts may be shown to users.
func Decode(b []byte) (Metadata, error) {
	return decode(b, Field.readForm)
}

// DecodeStored reads the metadata that [Metadata.Canonical] has written. Unlike [Decode], it accepts a wrong check
// digit of an ISBN, so that a stored book can always be read.
func DecodeStored(b []byte) (Metadata, error) {
	return decode(b, func(_ Field, raw json.RawMessage) (json.RawMessage, error) { return raw, nil })
}

// decode reads metadata. read converts the value of a field.
func decode(b []byte, read func(Field, json.RawMessage) (json.RawMessage, error)) (Metadata, error) {
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
		raw, err := read(f, value.Raw())
		if err != nil {
			return Metadata{}, err
		}
		if err := m.Apply(Update{f, raw}); err != nil {
			return Metadata{}, err
		}
	}
	if m.IsZero() {
		return Metadata{}, ErrEmpty
	}
	return m, nil
}

// readForm returns null for an empty string, the number in the string of a numeric field, and the digits of an ISBN. It
// returns any other value unchanged.
func (f Field) readForm(raw json.RawMessage) (json.RawMessage, error) {
	var text string
	switch {
	case len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &text) != nil:
		return raw, nil
	case text == "":
		return json.RawMessage("null"), nil
	case (f == PublishedYear || f == Confidence) && isNumber(text):
		return json.RawMessage(text), nil
	case f == ISBN:
		digits, err := ParseISBN(text)
		return json.RawMessage(strconv.Quote(digits)), err
	}
	return raw, nil
}

// isNumber reports whether text is a number in JSON, without spaces.
func isNumber(text string) bool {
	return strings.Trim(text, "0123456789+-.eE") == "" && json.Valid([]byte(text))
}
