package scope

import (
	"errors"
	"fmt"
)

var (
	// ErrDenied is returned for a Scope that does not allow the operation: the
	// zero Scope, which denies everything, or a Scope of another level. Every
	// package that takes a Scope returns it, before it looks at the other
	// arguments. [FromContext] returns it if the context carries no Scope.
	ErrDenied = errors.New("scope: denied")

	// ErrLevel is the ErrDenied of a Scope that is not the zero one: the
	// operation does not exist at its level, such as a user of a user, a key of
	// a tenant, or an upload that belongs to no session.
	ErrLevel = fmt.Errorf("%w: not possible at this level", ErrDenied)

	// ErrReadOnly is the ErrDenied of a write under a Scope that [Scope.ReadOnly]
	// has returned.
	ErrReadOnly = fmt.Errorf("%w: the scope is read-only", ErrDenied)

	// ErrInvalid is what every *[InvalidError] is.
	ErrInvalid = errors.New("scope: invalid value")
)

// InvalidError says which value was refused, and why. Its text quotes the
// value, at most 80 bytes of it, with %q: it is safe to log.
type InvalidError struct {
	Kind   string // "tenant id", "user id", "session id", "file name", "key", "partition", "class", "id"
	Value  string
	Reason string
}

func (e *InvalidError) Error() string {
	v := e.Value
	if len(v) > 80 {
		return fmt.Sprintf("scope: invalid %s %q… (%d bytes): %s", e.Kind, v[:80], len(v), e.Reason)
	}
	return fmt.Sprintf("scope: invalid %s %q: %s", e.Kind, v, e.Reason)
}

// Is reports that every InvalidError is [ErrInvalid].
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

func invalid(kind, value, reason string) error {
	return &InvalidError{Kind: kind, Value: value, Reason: reason}
}

func levelError(op string, l Level) error {
	if l == None {
		return fmt.Errorf("%w: %s of the zero scope", ErrDenied, op)
	}
	return fmt.Errorf("%w: %s of a %s scope", ErrLevel, op, l)
}
