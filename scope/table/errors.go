package table

import (
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/scope"
)

// Errors of Views, Systems and Drivers. Test for them with [errors.Is]. For the zero
// Scope, and for a View, System or Key that this package did not make, the error is
// [scope.ErrDenied].
var (
	// ErrNotFound is returned if the scope does not have the item, or the item has
	// expired.
	ErrNotFound = errors.New("table: not found")
	// ErrInvalid is returned for an argument that no store accepts: a sort key,
	// attribute, expiry, index entry, condition or query. The message says which.
	ErrInvalid = errors.New("table: invalid")
	// ErrTooLarge is returned for an item of more than [MaxItem] bytes.
	ErrTooLarge = errors.New("table: item too large")
	// ErrCursor is returned for a cursor that is damaged or belongs to another scope,
	// index, range or order.
	ErrCursor = errors.New("table: cursor does not fit this query")
	// ErrBusy is returned if the store is overloaded or works on the same item. The
	// request did not change anything and can be retried later.
	ErrBusy = errors.New("table: the store is busy")
)

// The kinds of ErrInvalid.
var (
	errSort    = fmt.Errorf("%w sort key", ErrInvalid)
	errAttr    = fmt.Errorf("%w attribute", ErrInvalid)
	errExpires = fmt.Errorf("%w expiry", ErrInvalid)
	errEntry   = fmt.Errorf("%w index entry", ErrInvalid)
	errCond    = fmt.Errorf("%w condition", ErrInvalid)
	errQuery   = fmt.Errorf("%w query", ErrInvalid)
)

func newDeniedError(reason string) error { return fmt.Errorf("table: %w: %s", scope.ErrDenied, reason) }

// ConflictError is returned by [View.Put] and [View.Delete] if their condition does
// not hold. Nothing was written.
type ConflictError struct {
	// Current is the item at the time of the write, or nil if the item was absent or
	// had expired.
	Current *Item
}

func (e *ConflictError) Error() string {
	if e.Current == nil {
		return "table: conflict: the item is absent"
	}
	return "table: conflict: the item has changed"
}

// RowConflictError is returned by a [Driver] if a condition does not hold. Current is
// the stored row, expired or not, or nil if the row is absent.
type RowConflictError struct{ Current *Row }

func (e *RowConflictError) Error() string { return "table: condition does not hold" }
