package agent

import (
	"time"

	"github.com/carrel-go/carrel/tools"
)

// Event is something that happens in a run. It is sealed: [TextDelta], [ToolCalled], [ToolDone], [Used] or [Done].
type Event interface{ event() }

type (
	// TextDelta is more of the model's text. Concatenated they are what it said in the run, also in an answer that
	// fails later.
	TextDelta struct{ Text string }

	// ToolCalled is a call whose arguments have parsed, before it is run; its tool may turn out to be none that was
	// offered. The events of a batch come together, in call order, once the answer is whole and every call has a place
	// in the budget. A ToolDone with the same ID follows each. A call that could not be parsed gives no event.
	ToolCalled struct{ ToolUse }

	// ToolDone says how a call ended. The events of a batch come as the calls end, in any order; the model gets the
	// results in call order.
	ToolDone struct {
		ID, Name string
		Result   tools.Result // what the model is told
		Took     time.Duration
		// Err is why the call failed, nil if it did not. It is for the host's log: it may hold anything.
		Err error
	}

	// Used says what one answer cost.
	Used struct{ Usage }

	// Done is the last event of a run that did not fail.
	Done struct {
		Stop Stop
		// History holds the input's turns, then this run's whole turns.
		History History
		// Usage is the sum over the run, answers that failed included.
		Usage Usage
	}
)

func (TextDelta) event()  {}
func (ToolCalled) event() {}
func (ToolDone) event()   {}
func (Used) event()       {}
func (Done) event()       {}

// Stop is how a run that did not fail ended.
type Stop string

const (
	// Complete: the model ended its turn. It may have said nothing.
	Complete Stop = "complete"
	// Cancelled: the context ended, by a cancellation or by its deadline. An answer that was not whole is not in the
	// History. A batch of calls that had begun is: a call that was cut off has a result that says so.
	Cancelled Stop = "cancelled"
)
