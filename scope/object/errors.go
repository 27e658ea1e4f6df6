package object

import (
	"errors"
	"fmt"
)

var (
	// ErrNotFound: there is no such object, or it lies outside the Root. The
	// two have the same text; a log that wants to tell them apart asks for
	// ErrOutside.
	ErrNotFound = errors.New("object: not found")

	// ErrOutside: the Ref is of another bucket, or of a scope that the Root's
	// does not contain. It is an ErrNotFound, and reads like one; no store was
	// asked.
	ErrOutside error = outsideError{}

	// ErrExists: a write-once Put found the name taken. Nothing was written.
	ErrExists = errors.New("object: exists already")

	// ErrChanged: what lies under the name is not what PutOptions.IfMatch or a
	// pinned Ref says.
	ErrChanged = errors.New("object: changed since it was seen")

	// ErrConflict: another write to the same name was under way, and the store
	// gave up on this one. Nothing was written; it may be tried again.
	ErrConflict = errors.New("object: another write is under way")

	// ErrRange: the range is malformed, or starts at or beyond the end.
	ErrRange = errors.New("object: range outside the object")

	// ErrSize: the body is not as long as PutOptions.Size says. Nothing was
	// written.
	ErrSize = errors.New("object: the body is not of the stated size")

	// ErrTooLarge: the body is larger than the driver takes in one piece.
	// Nothing was written.
	ErrTooLarge = errors.New("object: too large")

	// ErrDenied: the store refused the caller's credentials, and it is not
	// because the object is missing.
	ErrDenied = errors.New("object: access denied")

	// ErrInvalid: an option or a stored Ref is malformed.
	ErrInvalid = errors.New("object: invalid")
)

type outsideError struct{}

func (outsideError) Error() string        { return ErrNotFound.Error() }
func (outsideError) Is(target error) bool { return target == ErrNotFound }

// KeyError is what a list yields in place of a key that lies below the Root's
// prefix and yet is in no scope's layout: a marker that a console has left, or
// what another program wrote. Key is data from the store: log it with %q.
type KeyError struct {
	Key string
	Err error // of scope.ParseKey
}

func (e *KeyError) Error() string {
	return fmt.Sprintf("object: list: a key that belongs to no scope: %v", e.Err)
}

func (e *KeyError) Unwrap() error { return e.Err }

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}
