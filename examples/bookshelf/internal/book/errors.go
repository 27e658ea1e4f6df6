package book

import (
	"errors"
	"fmt"
)

// ErrEmpty says that metadata sets no field at all.
var ErrEmpty = errors.New("book: no field is set: at least one must be")

// FieldError says what is wrong with the value of one field. Its text may be shown to a person or to a model.
type FieldError struct {
	Field  Field
	Reason string // completes the sentence "title …"
}

func (e *FieldError) Error() string { return fmt.Sprintf("book: %s %s", e.Field, e.Reason) }
