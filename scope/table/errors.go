package table

import (
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/scope"
)

// What a call refuses. Each is wrapped with what was wrong; test with
// [errors.Is]. None of them says anything about what is stored.
var (
	// ErrNotFound: no such item in this scope, or it has expired.
	ErrNotFound = errors.New("table: not found")
	// ErrScope is the [scope.ErrDenied] of the zero Scope, and of a View, System
	// or Key that this package did not make.
	ErrScope = fmt.Errorf("table: no scope: %w", scope.ErrDenied)
	// ErrSort: a sort key that is empty, longer than [MaxSort], no UTF-8, or
	// holds a control character.
	ErrSort = errors.New("table: bad sort key")
	// ErrAttr: an attribute whose name is reserved or empty, or whose value
	// is outside the closed list of [Value].
	ErrAttr = errors.New("table: bad attribute")
	// ErrTooLarge: an item over [MaxItem].
	ErrTooLarge = errors.New("table: item too large")
	// ErrExpires: an expiry before 1970-01-01T00:00:01Z or after the year 9999.
	ErrExpires = errors.New("table: bad expiry")
	// ErrEntry: an index entry with an unknown or a second use of a slot, or
	// with a level or class that the scope does not have.
	ErrEntry = errors.New("table: bad index entry")
	// ErrCond: no condition, one that does not fit the operation, or one that
	// does not agree with the item's own version.
	ErrCond = errors.New("table: bad condition")
	// ErrQuery: a slot, class, range or limit that no query has.
	ErrQuery = errors.New("table: bad query")
	// ErrConsistentIndex: a consistent query of an index. No index is.
	ErrConsistentIndex = errors.New("table: an index cannot be read consistently")
	// ErrCursor: a cursor that is mangled, or that belongs to another scope,
	// index, range or order.
	ErrCursor = errors.New("table: cursor does not fit this query")
	// ErrBusy: the store would not do it now: there are too many requests, or
	// somebody else's work on the same item is under way. The request did
	// nothing, and the same call may succeed a little later.
	ErrBusy = errors.New("table: the store is busy")
)

// ConflictError is returned by [View.Put] and [View.Delete] where their
// condition did not hold. Nothing was written.
type ConflictError struct {
	// Current is the item as it was when the condition was evaluated; nil
	// where there was none, or only an expired one.
	Current *Item
}

func (e *ConflictError) Error() string {
	if e.Current == nil {
		return "table: conflict: the item is absent"
	}
	return "table: conflict: the item has changed"
}

// RowConflictError is how a [Driver] says that a condition did not hold. Current
// is the stored row, expired or not; nil where there is none.
type RowConflictError struct{ Current *Row }

func (e *RowConflictError) Error() string { return "table: condition does not hold" }
