package history

import "errors"

var (
	// ErrForked is returned if another turn or compaction has been stored under the same number.
	ErrForked = errors.New("history: another writer has stored a different turn")
	// ErrTooLarge is returned for a turn that does not fit an item if Options.Objects is nil, and for a history that is
	// too large to be loaded.
	ErrTooLarge = errors.New("history: too large")
	// ErrInvalid is returned for an argument that is out of range.
	ErrInvalid = errors.New("history: invalid value")
)
