// Package strictjson reads one JSON object and refuses what encoding/json would let through: a repeated name, a name
// in another case, bytes that are no UTF-8, data after the object.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// SyntaxError says that the bytes are not one JSON object of known names. Its text may be shown.
type SyntaxError struct{ Reason string }

func (e *SyntaxError) Error() string { return "the JSON " + e.Reason }

// ErrUnknown is what a field function returns for a name that it does not know.
var ErrUnknown = errors.New("strictjson: unknown name")

// Object calls field with each name of the object that b holds, in order, and its value as it stands. A value that
// is null is passed on as null. The first error of field ends it and is returned as it is, [ErrUnknown] as a
// *[SyntaxError] that says the name.
func Object(b []byte, field func(name string, value json.RawMessage) error) error {
	if !utf8.Valid(b) { // encoding/json would replace what is not, and so change the text
		return &SyntaxError{"is not valid UTF-8"}
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return &SyntaxError{"is not an object"}
	}
	seen := make(map[string]bool)
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return &SyntaxError{"is malformed"}
		}
		name, _ := t.(string) // the decoder lets nothing but strings through as names
		if seen[name] {
			return &SyntaxError{fmt.Sprintf("has %.60q twice", name)}
		}
		seen[name] = true
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return &SyntaxError{"is malformed"}
		}
		if err := field(name, v); errors.Is(err, ErrUnknown) {
			return &SyntaxError{fmt.Sprintf("has the unknown field %.60q", name)}
		} else if err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return &SyntaxError{"is malformed"}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return &SyntaxError{"is followed by more data"}
	}
	return nil
}
