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
