package book

import (
	"fmt"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// MaxBytes is the size in bytes of the longest metadata that [Decode] accepts.
const MaxBytes = 64 << 10

// FormError is returned if metadata is not one JSON object with known fields. Its text may be shown to users.
type FormError struct{ Reason string }

// Error implements error.
func (e *FormError) Error() string { return "the metadata " + e.Reason }

// Decode reads metadata from one JSON object. It rejects unknown and repeated fields, names in another case, data after
// the object, and every value that [Metadata.Apply] rejects. A null field is ignored. Decode returns [ErrEmpty] if no
// field is set. Other errors are a [FormError] or a [FieldError]. All texts may be shown to users.
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
		if err := m.Apply(Update{f, value.Raw()}); err != nil {
			return Metadata{}, err
		}
	}
	if m.IsZero() {
		return Metadata{}, ErrEmpty
	}
	return m, nil
}
