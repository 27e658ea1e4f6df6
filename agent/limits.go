package agent

import (
	"cmp"
	"fmt"
	"time"
)

// Limits bound a run. Zero fields have their defaults; [New] rejects negative ones. A run that reaches a
// limit ends with the code [CodeLimit].
type Limits struct {
	// Turns is how often the model is asked. Calls in the last answer are not run, since no answer could follow; the
	// typed answer of [RunAs] is taken. Default 24.
	Turns int
	// Calls is how many tool calls a run may make, typed answers not counted. A batch that does not fit is not run at
	// all. Default 64.
	Calls int
	// Corrections is how many turns in a row may pass in which the model made calls and none succeeded, or gave a text
	// where a typed answer was asked for. Default 3.
	Corrections int
	// Parallel is how many calls of a batch run at once. Default 8.
	Parallel int
	// ToolTimeout is how long one call may take. One that takes longer fails, and the run goes on. Zero means 60 s, or the
	// [tools.Timeout] of the tool if that is longer.
	ToolTimeout time.Duration
	// Tokens is the budget of a run in tokens: input and output, those read from and written to a cache included, also
	// before a checkpoint that the run resumes. A run asks the model as long as it has used less, and its last answer may
	// exceed the budget. The run ends with [CodeLimit] instead of another request, and does not make the calls of an
	// answer that uses the budget up. The history keeps all turns before. Zero means no budget.
	Tokens int64
	// MaxTokens is the largest size of each answer in tokens. Zero means the Model's own limit.
	MaxTokens int
}

// withDefaults fills in what is zero.
func (l Limits) withDefaults() (Limits, error) {
	if min(l.Turns, l.Calls, l.Corrections, l.Parallel, l.MaxTokens) < 0 || l.Tokens < 0 || l.ToolTimeout < 0 {
		return l, fmt.Errorf("agent: a limit is negative: %+v", l)
	}
	return Limits{
		Turns:       cmp.Or(l.Turns, 24),
		Calls:       cmp.Or(l.Calls, 64),
		Corrections: cmp.Or(l.Corrections, 3),
		Parallel:    cmp.Or(l.Parallel, 8),
		ToolTimeout: cmp.Or(l.ToolTimeout, time.Minute),
		Tokens:      l.Tokens,
		MaxTokens:   l.MaxTokens,
	}, nil
}
