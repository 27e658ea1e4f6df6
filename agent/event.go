package agent

import (
	"encoding/json"
	"time"

	"github.com/carrel-go/carrel/tools"
)

// Event is something that happens in a run: [StepStarted], [StepFinished], [TextDelta], [CitationPart],
// [ReasoningDelta], [Partial], [ToolCalled], [ToolProgress], [ToolDone], [ToolPending], [UsageReport], [Checkpointed],
// [Compacted] or [Done]. The interface is sealed. Later versions may add events, and a consumer ignores those that it
// does not know. See [MarshalEvent] for their JSON.
type Event interface {
	// eventType returns the type in the event's JSON, or "" if the event does not have a JSON form.
	eventType() string
}

type (
	// StepStarted begins a step: one answer of the model with its calls. The steps of a run are numbered from 1. A run
	// that is resumed within the calls of a step does not begin it again, but one that is resumed before the answer does.
	// Readers must therefore treat it as idempotent by its number: a step that has started already continues.
	StepStarted struct {
		Step int `json:"step"`
	}

	// StepFinished ends a step whose turn is complete. It comes before the turn's Checkpointed. The last step of a run
	// that fails, is cancelled or is pending does not have one.
	StepFinished struct {
		Step int `json:"step"`
	}

	// TextDelta is a piece of the model's text. Concatenated they are the text of the run, including the text of answers
	// that fail later.
	TextDelta struct {
		Text string `json:"delta"`
	}

	// ReasoningDelta is a piece of the model's reasoning.
	ReasoningDelta struct {
		Text string `json:"delta"`
	}

	// CitationPart is one citation. It follows the text that it supports.
	CitationPart struct{ Citation }

	// UsageReport is the usage of an answer. A Model reports the usage since the beginning of the answer. If it does so
	// several times, the largest counts hold. A run yields the increase. It also yields the usage of a [Compactor] whose
	// turns it did not use, for example after an error. The reports and the usage of each Compacted add up to the usage
	// in Done.
	UsageReport struct {
		Usage
		// Model is the id of the model, as in [ModelInfo]. The run sets it if the Model has not. It is empty for a Compactor.
		Model string `json:"model,omitempty"`
	}

	// Partial is the part of a typed answer that has arrived, see [StreamAs]. JSON is always a valid object. While ID
	// stays the same it only grows: members and elements are added at the end, texts become longer, and a number appears
	// when it is complete. It has not been validated, so required members may be missing. Another ID is another attempt,
	// which replaces the earlier one. A large answer is yielded in fewer and larger steps than it arrives.
	Partial struct {
		ID   string          `json:"-"`
		JSON json.RawMessage `json:"value"`
	}

	// ToolCalled is a call whose arguments are a JSON object, before it is made. The tool may not exist. The events of an
	// answer come together, in call order, when the answer is complete and all its calls fit the limits. A ToolDone or a
	// ToolPending with the same ID follows each. A call with invalid arguments does not have an event. A resumed run
	// yields the events of the calls that it makes.
	ToolCalled struct{ ToolUse }

	// ToolProgress is the progress of a call, as its tool reports it. It comes between the call's ToolCalled and its
	// ToolDone. If the consumer is slow, the oldest values are dropped.
	ToolProgress struct {
		ID    string          `json:"id"`
		Value json.RawMessage `json:"value"`
	}

	// ToolDone is the end of a call. The events of an answer come as the calls end, in any order. The model gets the
	// results in call order.
	ToolDone struct {
		ID, Name string
		Result   tools.Result // the model receives it
		Took     time.Duration
		// Truncated reports that Result lacks its Blocks, because they were too large for a log. A run never sets it.
		Truncated bool
		// Err is why the call failed, or nil. It is for the host's log and may contain anything.
		Err error
	}

	// ToolPending is a call that waits, for example for an approval: see [tools.PendingError]. The other calls of the
	// answer are made, and then the run ends with [OutcomePending].
	ToolPending struct {
		ID    string          `json:"id"`
		Name  string          `json:"tool"`
		Input json.RawMessage `json:"input"`
		// Approval, Reason and Expires are those of the PendingError. They may be zero.
		Approval string    `json:"approval_id,omitempty"`
		Reason   string    `json:"reason,omitempty"`
		Expires  time.Time `json:"expires_at,omitzero"`
	}

	// Checkpointed is a moment from which the run can be resumed: before the calls of an answer are made, at the end of
	// each turn, when calls are pending, and after a Compacted. A checkpoint that the host stores before it continues the
	// loop survives the end of the process. A run without an id does not yield Checkpointed. The Checkpoint of Done may be
	// a later one.
	Checkpointed struct {
		*Checkpoint
		// Ended is the turn that has just been added to the history, or nil. A host that stores the history turn by turn
		// appends it. A turn that ended by a cancellation or a fatal call is only in Done's History, because a resumed
		// run makes that turn again.
		Ended *Turn
	}

	// Compacted reports that the conversation was shortened, see [Options].Compact, or that a note has replaced a medium
	// with which the service rejected a request. Turns replace all earlier turns. If the service rejected the longer
	// conversation, the event comes when it has accepted the shorter one. In a run with an id a Checkpointed follows
	// immediately. Store both together: the checkpoint before does not fit these turns.
	Compacted struct {
		Turns []Turn `json:"-"`
		// Count is the number of Turns. It replaces them in the event's JSON, because the history holds the turns.
		Count int `json:"turns"`
		// Usage is the cost of the Compactor's requests since the last Compacted.
		Usage Usage `json:"usage"`
		// Fallback reports that the [Compactor] failed, and that [DropOldest] shortened the conversation instead.
		Fallback bool `json:"fallback,omitempty"`
	}

	// Done is the last event of a run that did not fail.
	Done struct {
		Outcome Outcome
		// History holds the input's turns and the complete turns of this run, or their replacement by a [Compactor], and
		// the State.
		History History
		// Usage is the sum over the run, including failed answers and the run before a Checkpoint.
		Usage Usage
		// StopReason is why the model stopped in the last answer of this run, or, if the run resumed the checkpoint of a
		// complete one, of that run. It is empty if no answer was complete.
		StopReason StopReason
		// Partial is the text of an incomplete answer, which is not in the History. It is for display.
		Partial string
		// Skipped counts the pieces of answers that the Model skipped, by [SkippedPart].Kind. It may be nil. A resumed
		// run starts a new count.
		Skipped map[string]int
		// OmittedMedia is the number of media of earlier turns that the model did not see in an answer, because the service
		// rejected a request with media and it is not known with which. Notes replaced them in the requests. A resumed run
		// starts a new count.
		OmittedMedia int
		// CompactErr is the last error of the run's [Compactor]. The run continued without it.
		CompactErr error
		// Checkpoint is the last moment from which the run can be resumed, also after an error. Pass it to another run as
		// [Input].Resume, with the History. That run makes exactly the calls that were pending, interrupted, not made or
		// fatal. It is nil if the run does not have an id or its input was rejected.
		Checkpoint *Checkpoint
		// Output is the typed answer of [StreamAs] if Outcome is [OutcomeComplete]: JSON that fits the schema.
		Output json.RawMessage
	}
)

func (StepStarted) eventType() string    { return "step_started" }
func (StepFinished) eventType() string   { return "step_finished" }
func (TextDelta) eventType() string      { return "text_delta" }
func (ReasoningDelta) eventType() string { return "reasoning_delta" }
func (CitationPart) eventType() string   { return "citation" }
func (Partial) eventType() string        { return "partial" }
func (ToolCalled) eventType() string     { return "tool_call" }
func (ToolProgress) eventType() string   { return "tool_progress" }
func (ToolDone) eventType() string       { return "tool_result" }
func (ToolPending) eventType() string    { return "approval_requested" }
func (UsageReport) eventType() string    { return "usage" }
func (Compacted) eventType() string      { return "compacted" }
func (Checkpointed) eventType() string   { return "" }
func (Done) eventType() string           { return "" }
