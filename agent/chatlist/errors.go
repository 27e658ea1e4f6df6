package chatlist

import "errors"

var (
	// ErrCursor is returned for a cursor that no page has returned.
	ErrCursor = errors.New("chatlist: invalid cursor")
	// ErrInvalid is returned for an argument that is out of range.
	ErrInvalid = errors.New("chatlist: invalid value")

	errForeign = errors.New("chatlist: an item was not written by this package")
)
