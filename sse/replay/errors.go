package replay

import "errors"

// Readers and [Store.Open] also return the errors of a source of package sse: ErrNotFound, ErrExpired, ErrUnknownID and
// ErrFinished.
var (
	// ErrFenced is returned by a [Writer] if another one has taken the log over. The Writer cannot write any more.
	ErrFenced = errors.New("replay: another writer has taken the log over")
	// ErrClosed is returned by Append and Finish of a [Writer] after Finish, Close or Abandon, and by Flush if events were
	// dropped.
	ErrClosed = errors.New("replay: the writer is closed")
	// ErrTooLarge is returned for an event of more than [Options].MaxEvent bytes, or of more than MaxSegment bytes if
	// Options.Objects is nil.
	ErrTooLarge = errors.New("replay: event too large")
	// ErrInvalid is returned for an argument that is not valid: a name, an event that is not a JSON object, an option.
	ErrInvalid = errors.New("replay: invalid value")
)
