package agent

// StopReason is why the model stopped. Some reasons make the answer an error. The agent makes the calls of any other
// answer, whether the reason is StopEndTurn or StopToolUse.
//
// The list is open, because services add reasons such as "refusal". With an unknown reason, the agent accepts an answer
// of text without calls, and the run is complete: [Done].StopReason distinguishes a refusal from an answer. Any other
// answer fails with [CodeMalformed].
type StopReason string

// The stop reasons that the agent knows.
const (
	StopEndTurn         StopReason = "end_turn"
	StopToolUse         StopReason = "tool_use"
	StopSequence        StopReason = "stop_sequence"
	StopMaxTokens       StopReason = "max_tokens"
	StopContentFiltered StopReason = "content_filtered" // by a content filter or a guardrail
	StopContextWindow   StopReason = "context_window"
	// StopPauseTurn means that the service paused a long turn in which it runs tools itself. The agent keeps the text and
	// asks the model to continue, within [Limits].Turns.
	// Source: https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons
	StopPauseTurn StopReason = "pause_turn"
	StopMalformed StopReason = "malformed" // the service reports that the model's output is malformed
)

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
