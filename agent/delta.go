package agent

// Delta is a piece of the answer of a [Model]. The interface is sealed.
type Delta interface{ delta() }

type (
	// ReasoningPart is one complete block of reasoning, with the text of its ReasoningDeltas. It ends the block.
	ReasoningPart struct{ Reasoning }

	// UseDelta is a fragment of the JSON arguments of the call with this ID. The UsePart holds all of them.
	UseDelta struct{ ID, Name, Input string }

	// UsePart is one complete call. Input may be invalid, because the agent checks it. An empty Input is a call without
	// arguments. The agent owns Input from then on.
	UsePart struct{ ToolUse }

	// SkippedPart reports a piece of the answer that the Model skips. Kind names it in the service's terms:
	// "server_tool_use" for a call that the service made itself, or "unknown:" and a name that the Model does not know.
	SkippedPart struct{ Kind string }

	// StopPart ends the answer. It comes exactly once. Only UsageReports and SkippedParts may follow.
	StopPart struct{ Reason StopReason }
)

func (TextDelta) delta()      {}
func (CitationPart) delta()   {}
func (SkippedPart) delta()    {}
func (ReasoningDelta) delta() {}
func (ReasoningPart) delta()  {}
func (UseDelta) delta()       {}
func (UsePart) delta()        {}
func (UsageReport) delta()    {}
func (StopPart) delta()       {}

// StopReason is why the model stopped. Some reasons make the answer an error. The agent makes the calls of any other
// answer, whether the reason is StopEndTurn or StopToolUse.
//
// The list is open, because services add reasons such as "refusal". With an unknown reason, the agent accepts an answer
// of text without calls. Any other answer fails with [CodeMalformed].
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
