package scope

import (
	"errors"
	"fmt"
)

var (
	// ErrDenied is returned for a Scope that does not allow the operation. Every
	// package that takes a Scope returns it for the zero Scope, before it looks at
	// its other arguments. [FromContext] returns it for a context without a Scope.
	ErrDenied = errors.New("scope: denied")

	// ErrLevel wraps ErrDenied. It is returned if the operation does not exist at
	// the level of the Scope, such as the user of a user or the key of a tenant.
	ErrLevel = fmt.Errorf("%w: not possible at this level", ErrDenied)

	// ErrReadOnly wraps ErrDenied. It is returned for a write under a Scope that
	// [Scope.ReadOnly] made read-only.
	ErrReadOnly = fmt.Errorf("%w: the scope is read-only", ErrDenied)

	// ErrInvalid matches every *[InvalidError].
	ErrInvalid = errors.New("scope: invalid value")
)

// InvalidError describes a value that the package rejected. Its text quotes at
// most 80 bytes of the value with %q, so it is safe to log.
type InvalidError struct {
	Kind   string // "tenant id", "user id", "session id", "file name", "key", "partition", "class" or "id"
	Value  string
	Reason string // completes the sentence "the value …", such as "is empty"
}

func (e *InvalidError) Error() string {
	v := e.Value
	if len(v) > 80 {
		return fmt.Sprintf("scope: invalid %s %q… (%d bytes): %s", e.Kind, v[:80], len(v), e.Reason)
	}
	return fmt.Sprintf("scope: invalid %s %q: %s", e.Kind, v, e.Reason)
}

// Is reports whether target is [ErrInvalid].
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

func newInvalidError(kind, value, reason string) error {
	return &InvalidError{Kind: kind, Value: value, Reason: reason}
}

func newLevelError(op string, l Level) error {
	if l == None {
		return fmt.Errorf("%w: %s of the zero scope", ErrDenied, op)
	}
	return fmt.Errorf("%w: %s of a %s scope", ErrLevel, op, l)
}
