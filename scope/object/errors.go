package object

import (
	"errors"
	"fmt"
)

var (
	// ErrNotFound is returned if the object does not exist or is outside the Root.
	// Both have the same text; a log can distinguish them by ErrOutside.
	ErrNotFound = errors.New("not found")

	// ErrOutside is returned if the Ref is of another bucket, or of a scope that
	// the Root's scope does not contain. It is an ErrNotFound and has its text.
	// The store has not been called.
	ErrOutside error = outsideError{}

	// ErrExists is returned by a write-once Put if the name is taken. Nothing was
	// written.
	ErrExists = errors.New("already exists")

	// ErrChanged is returned if the object is not the one that
	// PutOptions.IfMatch or a pinned Ref names.
	ErrChanged = errors.New("changed since it was seen")

	// ErrConflict is returned if the store rejected a write because of another
	// one in flight. Nothing was written; retry it.
	ErrConflict = errors.New("another write is in flight")

	// ErrRange is returned if the range is malformed, or starts at or beyond the
	// end.
	ErrRange = errors.New("range is outside the object")

	// ErrSize is returned if the length of the body is not PutOptions.Size.
	// Nothing was written.
	ErrSize = errors.New("body does not have the stated size")

	// ErrTooLarge is returned if the body is larger than the driver accepts.
	// Nothing was written.
	ErrTooLarge = errors.New("too large")

	// ErrDenied is returned if the store denied access for the credentials, and
	// not because the object is missing.
	ErrDenied = errors.New("access denied")

	// ErrInvalid is returned for an invalid option or a malformed stored Ref.
	ErrInvalid = errors.New("invalid")
)

type outsideError struct{}

func (outsideError) Error() string        { return ErrNotFound.Error() }
func (outsideError) Is(target error) bool { return target == ErrNotFound }

// KeyError is yielded by a list for a key below the Root's prefix that is not in
// the layout of a scope, for example a folder marker of the console or an object
// of another program. Key is untrusted data: log it with %q.
type KeyError struct {
	Key string
	Err error // from scope.ParseKey, or ErrOutside
}

func (e *KeyError) Error() string {
	return fmt.Sprintf("object: list: key outside the layout of a scope: %v", e.Err)
}

func (e *KeyError) Unwrap() error { return e.Err }

func invalidf(format string, args ...any) error {
	return fmt.Errorf("%w %s", ErrInvalid, fmt.Sprintf(format, args...))
}

func valueOf[T any](o *T) (v T) {
	if o != nil {
		v = *o
	}
	return v
}
