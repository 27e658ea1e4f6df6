package bolt

import "errors"

var (
	// ErrLocked is returned by [Open] if the file is open already, in this or another
	// process.
	ErrLocked = errors.New("bolt: the file is open already")
	// ErrClosed is returned by every method after [Driver.Close].
	ErrClosed = errors.New("bolt: closed")
	// ErrFormat is returned by [Open] if the file has another format or was written by a
	// later version of this package. Open does not change the file.
	ErrFormat = errors.New("bolt: not a file of this format")
)
