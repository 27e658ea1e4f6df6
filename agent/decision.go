package agent

// Decision is a person's answer to the request for an approval in a [ToolPending].
type Decision struct {
	// Approval is the id of the request, as in ToolPending.
	Approval string
	// Approved lets the call be made.
	Approved bool
	// Reason is shown to the model if the call is declined. It may be empty.
	Reason string
}
