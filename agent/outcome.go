package agent

// Outcome is how a run that did not fail ended.
type Outcome string

const (
	// OutcomeComplete means that the model ended its turn, with or without text.
	OutcomeComplete Outcome = "complete"
	// OutcomeCancelled means that the context was cancelled or its deadline passed. An incomplete answer is not in the
	// History; its text is in Partial. Calls that had begun are in the History: an interrupted call has a result that
	// says so, and another prompt may follow. A run that is resumed from the Checkpoint instead completes that turn: it
	// makes the interrupted calls (again).
	OutcomeCancelled Outcome = "cancelled"
	// OutcomePending means that calls wait, for example for an approval. They, their answer and the results of the other
	// calls are in the Checkpoint. They are not in the History, unless the input's History held them. A resumed run, in
	// any process, makes the waiting calls and continues.
	OutcomePending Outcome = "pending"
)

// errorType returns the error.type of a span that ended in this way, or "" if that is not an error.
func (o Outcome) errorType() string {
	if o == OutcomeCancelled {
		return string(o)
	}
	return ""
}
