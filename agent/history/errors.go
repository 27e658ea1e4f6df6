package history

import "errors"

var (
	// ErrForked is returned if another turn or compaction has been stored under the same number.
	ErrForked = errors.New("history: another writer has stored a different turn")
	// ErrTooLarge is returned for a turn that does not fit an item if Options.Objects is nil, and for a history that is
	// too large to be loaded.
	ErrTooLarge = errors.New("history: too large")
	// ErrDamaged is returned if a stored turn or compaction is missing, or if an item or its object is not what this
	// package wrote. Repeating the call does not help: the conversation can only be deleted.
	ErrDamaged = errors.New("history: the stored conversation is damaged")
	// ErrInvalid is returned for an argument that is out of range.
	ErrInvalid = errors.New("history: invalid value")
)
