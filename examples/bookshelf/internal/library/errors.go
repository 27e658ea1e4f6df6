package library

import (
	"errors"
	"fmt"
)

var (
	// ErrNotFound is returned for a book that the caller does not have, or a version that the book does not have.
	ErrNotFound = errors.New("library: book not found")
	// ErrCursor is returned for a cursor that no page has returned.
	ErrCursor = errors.New("library: invalid cursor")
	// ErrInvalid is returned for an argument that is out of range.
	ErrInvalid = errors.New("library: invalid value")
	// ErrVersions is returned for a correction of a book that has [MaxVersions] versions.
	ErrVersions = fmt.Errorf("library: the book has %d versions already", MaxVersions)
	// errDamaged is returned for a row or an object that this package did not write.
	errDamaged = errors.New("library: damaged data")
)

// ConflictError is returned for a correction of another version than the current one.
type ConflictError struct{ Current Book }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("library: the current version of the book is %d", e.Current.Version)
}
