package agent

import "errors"

// Decision is a person's answer to the request for an approval in a [ToolPending].
type Decision struct {
	// Approval is the id of the request, as in ToolPending.
	Approval string
	// Approved lets the call be made.
	Approved bool
	// Reason is shown to the model if the call is declined. It may be empty.
	Reason string
}

// The errors of a conversation whose calls wait for decisions. A front-end protocol recognises them by these, whatever
// stores the conversation.
var (
	// ErrWaiting is returned for a new message if calls wait for decisions that must come first.
	ErrWaiting = errors.New("calls wait for a decision")
	// ErrNotWaiting is returned for a decision if no call waits for it, or it has been decided otherwise.
	ErrNotWaiting = errors.New("no call waits for this decision")
)
