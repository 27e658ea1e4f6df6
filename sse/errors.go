package sse

import "errors"

var (
	// ErrField is returned for an event whose ID or Name holds CR, LF or
	// NUL: they would end the field, or the stream's place in it. Nothing of
	// the event is written.
	ErrField = errors.New("sse: id or name with a CR, LF or NUL")

	// ErrClosed is returned by Send after Close.
	ErrClosed = errors.New("sse: writer is closed")
)
