package book

import (
	"errors"
	"fmt"
)

// ErrEmpty is returned if metadata does not set any field.
var ErrEmpty = errors.New("book: empty metadata: at least one field must be set")

// FieldError describes an invalid value of one field. Its text may be shown to a person or to a model.
type FieldError struct {
	Field  Field
	Reason string // completes the sentence "title …"
}

func (e *FieldError) Error() string { return fmt.Sprintf("book: %s %s", e.Field, e.Reason) }
