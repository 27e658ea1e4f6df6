package bolt

import "errors"

var (
	// ErrLocked is returned by [Open] if another process has the directory
	// open, or if this process has opened it already.
	ErrLocked = errors.New("bolt: another process has the directory open")
	// ErrClosed is returned by every method after [Driver.Close].
	ErrClosed = errors.New("bolt: closed")
	// ErrFormat is returned by [Open] if the file has another format or was
	// written by a later version of this package. The file is not changed.
	ErrFormat = errors.New("bolt: not a file of this format")
)
