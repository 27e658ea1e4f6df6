package book

import (
	"encoding/json"
	"fmt"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/strictjson"
)

// MaxBytes is the longest metadata that [Decode] reads.
const MaxBytes = 64 << 10

// Decode reads metadata from one JSON object. It refuses unknown and repeated fields, names in another case, data
// after the object, and every value that [Metadata.Apply] refuses; at least one field must be set ([ErrEmpty]). A
// field that is null counts as absent. Errors are a *[strictjson.SyntaxError], [FieldError] or ErrEmpty: all may be
// shown.
func Decode(b []byte) (Metadata, error) {
	if len(b) > MaxBytes {
		return Metadata{}, &strictjson.SyntaxError{Reason: fmt.Sprintf("is longer than %d bytes", MaxBytes)}
	}
	var m Metadata
	err := strictjson.Object(b, func(name string, value json.RawMessage) error {
		f := Field(name)
		if !f.Valid() {
			return strictjson.ErrUnknown
		}
		return m.Apply(Update{f, value})
	})
	if err != nil {
		return Metadata{}, err
	}
	if m.IsZero() {
		return Metadata{}, ErrEmpty
	}
	return m, nil
}
