package agent

// Delta is a piece of the answer of a [Model]. The interface is sealed.
type Delta interface{ isDelta() }

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

func (TextDelta) isDelta()      {}
func (CitationPart) isDelta()   {}
func (SkippedPart) isDelta()    {}
func (ReasoningDelta) isDelta() {}
func (ReasoningPart) isDelta()  {}
func (UseDelta) isDelta()       {}
func (UsePart) isDelta()        {}
func (UsageReport) isDelta()    {}
func (StopPart) isDelta()       {}
