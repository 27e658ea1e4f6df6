package agent

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// A host that adds up the events' usage has the usage of the run, whatever becomes of the Compactor's turns.
func TestUsageOfACompactorIsAlwaysReported(t *testing.T) {
	t.Parallel()
	long := History{Turns: []Turn{wholeTurn(), wholeTurn(), wholeTurn()}}
	spent := Usage{Input: 70, Output: 7}
	full := step{&ModelError{Code: CodeContextFull}}
	answer := step{text("ok"), UsageReport{Usage: Usage{Output: 1}}, end}
	for name, c := range map[string]struct {
		compact func(turns []Turn, full bool) ([]Turn, error)
		steps   []step
		code    Code
		reports int // of the Compactor
		turns   int // of Compacted
	}{
		"used at once":           {func(ts []Turn, _ bool) ([]Turn, error) { return ts[len(ts)-1:], nil }, []step{answer}, "", 0, 1},
		"an error":               {func([]Turn, bool) ([]Turn, error) { return nil, errors.New("no") }, []step{answer}, "", 1, 0},
		"invalid turns":          {func([]Turn, bool) ([]Turn, error) { return nil, nil }, []step{answer}, "", 1, 0},
		"the same turns":         {func(ts []Turn, _ bool) ([]Turn, error) { return ts, nil }, []step{answer}, "", 1, 0},
		"accepted by the model":  {func(ts []Turn, full bool) ([]Turn, error) { return ts[map[bool]int{true: 1}[full]:], nil }, []step{full, answer}, "", 0, 2},
		"rejected by the model":  {func(ts []Turn, full bool) ([]Turn, error) { return ts[map[bool]int{true: 1}[full]:], nil }, []step{full, {&ModelError{Code: CodeThrottled}}}, CodeThrottled, 1, 0},
		"an error the next time": {func(ts []Turn, full bool) ([]Turn, error) { return ts, map[bool]error{true: errors.New("no")}[full] }, []step{full, answer}, "", 0, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := New(play(c.steps...), &Options{Compact: func(_ context.Context, ts []Turn, full bool) ([]Turn, Usage, error) {
				turns, err := c.compact(ts, full)
				return turns, spent, err
			}})
			require.NoError(t, err)
			var sum Usage
			var done Done
			reports, turns := 0, 0
			for ev, err := range a.Stream(t.Context(), Input{Run: "r", Prompt: "Go on.", History: long}) {
				if failed, ok := errors.AsType[*RunError](err); ok {
					require.Equal(t, c.code, failed.Code)
					done = failed.Done
				}
				switch ev := ev.(type) {
				case UsageReport:
					sum.add(ev.Usage)
					if ev.Input > 0 {
						reports++
					}
				case Compacted:
					sum.add(ev.Usage)
					turns = ev.Count
				case Done:
					require.Empty(t, c.code)
					done = ev
				}
			}
			require.Equal(t, done.Usage, sum)
			require.Equal(t, c.reports, reports)
			require.Equal(t, c.turns, turns)
			require.Equal(t, done.Usage, done.Checkpoint.at.Usage)
		})
	}
}

// A consumer that leaves at the last event of a failed step is not called again.
func TestConsumerMayLeaveAtTheUsageOfACompactor(t *testing.T) {
	t.Parallel()
	a, err := New(play(), &Options{Compact: func(context.Context, []Turn, bool) ([]Turn, Usage, error) {
		return nil, Usage{Input: 1}, errors.New("no")
	}})
	require.NoError(t, err)
	for ev, err := range a.Stream(t.Context(), Input{Prompt: "Go on.", History: History{Turns: []Turn{wholeTurn()}}}) {
		require.NoError(t, err)
		if _, ok := ev.(UsageReport); ok {
			break
		}
	}
}
