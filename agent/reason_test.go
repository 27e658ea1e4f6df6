package agent

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Services add stop reasons. An answer of text without calls is kept whatever its reason is.
func TestUnknownReasonKeepsText(t *testing.T) {
	t.Parallel()
	m := play(step{text("I will not "), text("do that."), StopPart{"refusal"}}, step{text("Bye."), StopPart{StopEndTurn}})
	a := newAgent(t, m, Limits{})
	done, err := a.Run(t.Context(), Input{Prompt: "?"})
	require.NoError(t, err)
	require.Equal(t, OutcomeComplete, done.Outcome)
	require.Equal(t, StopReason("refusal"), done.StopReason)
	require.Equal(t, "I will not do that.", done.History.Turns[0].Messages[1].Parts[0].Text)

	done, err = a.Run(t.Context(), Input{Prompt: "Bye.", History: done.History})
	require.NoError(t, err)
	require.Equal(t, StopEndTurn, done.StopReason)
}

func TestRepeatedUsageCountsOnce(t *testing.T) {
	t.Parallel()
	m := play(step{
		UsageReport{Usage: Usage{Input: 7}}, text("So."), UsageReport{Usage: Usage{Input: 7, Output: 3, CacheRead: 5}}, StopPart{StopEndTurn},
		UsageReport{Usage: Usage{Input: 7, Output: 3, CacheRead: 5}}, UsageReport{},
	})
	var sum Usage
	events := 0
	for ev, err := range newAgent(t, m, Limits{}).Stream(t.Context(), Input{Prompt: "?"}) {
		require.NoError(t, err)
		switch ev := ev.(type) {
		case UsageReport:
			events++
			sum.add(ev.Usage)
		case Done:
			require.Equal(t, Usage{Input: 7, Output: 3, CacheRead: 5}, ev.Usage)
		}
	}
	require.Equal(t, Usage{Input: 7, Output: 3, CacheRead: 5}, sum)
	require.Equal(t, 2, events)
}
