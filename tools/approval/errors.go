package approval

import "errors"

var (
	// ErrNotFound is returned if the scope does not have such a request, or the request has expired.
	ErrNotFound = errors.New("approval: request not found")
	// ErrDecided is returned with the current [Request] if the opposite decision has been recorded before.
	ErrDecided = errors.New("approval: the opposite decision has been recorded")
	// ErrInvalid is returned for an invalid argument: a nil table, a TTL, a text that is too long, a limit, a cursor of
	// another list, a call without an idempotency key.
	ErrInvalid = errors.New("approval: invalid value")
)

// errForeign is wrapped by the error for an item under the prefix of requests that this package did not write.
var errForeign = errors.New("was not written by this package")
