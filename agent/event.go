package agent

import (
	"encoding/json"
	"time"

	"github.com/carrel-go/carrel/tools"
)

// Event is something that happens in a run. It is sealed: [TextDelta], [CitationPart], [ReasoningDelta], [Partial],
// [ToolCalled], [ToolProgress], [ToolDone], [ToolPending], [Used], [Checkpointed], [Compacted] or [Done]. Later versions
// may add others; a consumer passes over those that it does not know.
type Event interface{ event() }

type (
	// TextDelta is more of the model's text. Concatenated they are what it said in the run, also in an answer that
	// fails later.
	TextDelta struct{ Text string }

	// Partial is the typed answer as far as it has come, see [StreamAs]. The JSON is whole at every moment, and only
	// grows while the ID stays: members and elements are added at the end, texts become longer, numbers come when they
	// are whole. It is not checked yet, so members that are required may be missing. Another ID is another attempt, and
	// what was said before is void.
	Partial struct {
		ID   string
		JSON json.RawMessage
	}

	// ToolCalled is a call whose arguments have parsed, before it is run; its tool may turn out to be none that was
	// offered. The events of a batch come together, in call order, once the answer is whole and every call has a place
	// in the budget. A ToolDone or a ToolPending with the same ID follows each. A call that could not be parsed gives no
	// event. A run that resumes tells again of the calls that it runs.
	ToolCalled struct{ ToolUse }

	// ToolProgress is how far a call has come, in its tool's words. It comes between the call's ToolCalled and its
	// ToolDone. A consumer that is slow misses some: the oldest.
	ToolProgress struct {
		ID, Name string
		Value    json.RawMessage
	}

	// ToolDone says how a call ended. The events of a batch come as the calls end, in any order; the model gets the
	// results in call order.
	ToolDone struct {
		ID, Name string
		Result   tools.Result // what the model is told
		Took     time.Duration
		// Err is why the call failed, nil if it did not. It is for the host's log: it may hold anything.
		Err error
	}

	// ToolPending says that a call has not run and waits, see [tools.PendingError]. The other calls of its batch are
	// run, and then the run ends with [Pending].
	ToolPending struct{ ID, Name, Reason string }

	// Used says what one answer cost.
	Used struct{ Usage }

	// Checkpointed is a moment from which the run can be resumed: before any call of a batch is run, at the end of each
	// turn, when calls are pending, and after a Compacted. What has been stored of it before the loop goes on survives
	// the end of the process. Runs without an id have none. The Checkpoint of Done may be a later one.
	Checkpointed struct {
		*Checkpoint
		// Ended is the turn that has just been added to the history; nil if none was. A host that stores the history
		// turn by turn appends it. A turn that a cancellation or a fatal call has closed is in Done's History alone,
		// since the run makes it anew when it is resumed.
		Ended *Turn
	}

	// Compacted says that the conversation was shortened, see [Options].Compact: these are all its turns now, in the place
	// of all those before. If the model has refused the longer one, it comes once the model has accepted this one. In a
	// run with an id a Checkpointed follows at once, and the two are to be stored together: the one before knows only the
	// turns of before.
	Compacted struct{ Turns []Turn }

	// Done is the last event of a run that did not fail.
	Done struct {
		Stop Stop
		// History holds the input's turns, then this run's whole turns, or what a [Compactor] made of them; and the
		// State.
		History History
		// Usage is the sum over the run, answers that failed included, and what came before a Checkpoint.
		Usage Usage
		// Reason is why the model stopped, in its last answer of this run. It is empty if no answer came to its end.
		Reason Reason
		// Partial is the text of an answer that did not become whole, and so is not in the History. It is for display.
		Partial string
		// Skipped counts the pieces of answers that the Model did not pass on, by [SkippedPart].Kind. It is nil if there
		// were none. A run that resumes counts anew.
		Skipped map[string]int
		// Checkpoint is the last moment from which the run can go on, also after an error: pass it and the History to
		// another run as [Input].Resume and History. Resumed, the run makes the calls that were pending, cut off, not
		// made or fatal, and no others. It is nil if the run has no id or its input was rejected.
		Checkpoint *Checkpoint
		// Output is the typed answer of [StreamAs] if Stop is [Complete]: JSON that fits the schema.
		Output json.RawMessage
	}
)

func (TextDelta) event()      {}
func (CitationPart) event()   {}
func (ReasoningDelta) event() {}
func (Partial) event()        {}
func (ToolCalled) event()     {}
func (ToolProgress) event()   {}
func (ToolDone) event()       {}
func (ToolPending) event()    {}
func (Used) event()           {}
func (Checkpointed) event()   {}
func (Compacted) event()      {}
func (Done) event()           {}

// Stop is how a run that did not fail ended.
type Stop string

const (
	// Complete: the model ended its turn. It may have said nothing.
	Complete Stop = "complete"
	// Cancelled: the context ended, by a cancellation or by its deadline. An answer that was not whole is not in the
	// History; its text is in Partial. A batch of calls that had begun is: a call that was cut off has a result that
	// says so, and another prompt may follow. Resumed from the Checkpoint instead, the run makes that turn whole: it
	// makes the calls that were cut off (again).
	Cancelled Stop = "cancelled"
	// Pending: calls wait for something outside the run, an approval above all. They, the answer that made them and the
	// results of the calls beside them are in the Checkpoint and not in the History. Resumed, here or elsewhere, the
	// run makes the calls that wait, and no others, and goes on.
	Pending Stop = "pending"
)
