package bolt

import "errors"

var (
	// ErrLocked: another process has the directory open, or this one has
	// opened it already.
	ErrLocked = errors.New("bolt: another process has the directory open")
	// ErrClosed: the driver has been closed.
	ErrClosed = errors.New("bolt: closed")
	// ErrFormat: the file holds something else, or was written by a later
	// version of this package. It is left as it is.
	ErrFormat = errors.New("bolt: not a file of this format")
)
