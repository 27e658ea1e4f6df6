package agent

import (
	"cmp"
	"fmt"
	"time"
)

// Limits bound a run. Zero fields have their defaults; [New] rejects negative ones. A run that reaches Turns, Calls,
// Corrections or Tokens ends with the code [CodeLimit].
type Limits struct {
	// Turns is the largest number of answers. Calls in the last answer are not made, because no answer could follow. The
	// typed answer of [RunAs] is accepted. Default 24.
	Turns int
	// Calls is the largest number of tool calls, not counting typed answers. If the calls of an answer exceed it, none of
	// them is made. Default 64.
	Calls int
	// Corrections is the largest number of consecutive turns in which the model made calls and none succeeded, or
	// returned a text instead of a typed answer. Default 3.
	Corrections int
	// Parallel is the largest number of concurrent calls of an answer. Default 8.
	Parallel int
	// ToolTimeout is the longest duration of one call. A call that takes longer fails, and the run continues. Zero means
	// 60 s, or the [tools.Timeout] of the tool if that is longer.
	ToolTimeout time.Duration
	// Tokens is the budget of a run in tokens: input and output, including cache reads and writes, and including the usage
	// before a checkpoint that the run resumes. Before each request the run compares its usage with the budget. The last
	// answer may therefore exceed it. The run does not make the calls of an answer that uses up the budget. The history
	// keeps all earlier turns. Zero means no budget.
	Tokens int64
	// MaxTokens is the largest size of each answer in tokens. A run whose answer is longer ends with [CodeTruncated]. Zero
	// means the Model's own limit.
	MaxTokens int
}

// withDefaults returns l with the defaults of zero fields.
func (l Limits) withDefaults() (Limits, error) {
	if min(l.Turns, l.Calls, l.Corrections, l.Parallel, l.MaxTokens) < 0 || l.Tokens < 0 || l.ToolTimeout < 0 {
		return l, fmt.Errorf("agent: invalid limits %+v: must not be negative", l)
	}
	l.Turns = cmp.Or(l.Turns, 24)
	l.Calls = cmp.Or(l.Calls, 64)
	l.Corrections = cmp.Or(l.Corrections, 3)
	l.Parallel = cmp.Or(l.Parallel, 8)
	l.ToolTimeout = cmp.Or(l.ToolTimeout, time.Minute)
	return l, nil
}
