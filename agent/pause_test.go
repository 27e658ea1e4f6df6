package agent

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// An unknown event after the end of an answer does not invalidate it.
func TestSkippedPartMayFollowTheStop(t *testing.T) {
	t.Parallel()
	m := play(step{text("Yes."), StopPart{StopEndTurn}, SkippedPart{"unknown:traceEvent"}, UsageReport{Usage: Usage{Input: 1}}, SkippedPart{"unknown:traceEvent"}})
	done, err := newAgent(t, m, Limits{}).Run(t.Context(), Input{Prompt: "?"})
	require.NoError(t, err)
	require.Equal(t, []string{"user: ?", "assistant: Yes."}, lines(done.History))
	require.Equal(t, map[string]int{"unknown:traceEvent": 2}, done.Skipped)

	_, err = newAgent(t, play(step{StopPart{StopEndTurn}, text("late")}), Limits{}).Run(t.Context(), Input{Prompt: "?"})
	require.ErrorContains(t, err, "after its StopPart")
}

// A service may stop for calls that it has made itself. The answer is malformed unless it has text.
func TestStopForSkippedCallsNeedsText(t *testing.T) {
	t.Parallel()
	skipped := SkippedPart{"server_tool_use"}
	done, err := newAgent(t, play(step{text("It rains."), skipped, calls}), Limits{}).Run(t.Context(), Input{Prompt: "?"})
	require.NoError(t, err)
	require.Equal(t, OutcomeComplete, done.Outcome)
	require.Equal(t, StopToolUse, done.StopReason)
	require.Equal(t, []string{"user: ?", "assistant: It rains."}, lines(done.History))

	for _, s := range []step{{skipped, calls}, {text("It rains."), calls}, {text("It rains."), calls, skipped}} {
		_, err = newAgent(t, play(s), Limits{}).Run(t.Context(), Input{Prompt: "?"})
		require.ErrorContains(t, err, "stopped for a tool call but made none")
	}
}

// The model is asked to continue, and its text is in the history.
func TestPausedTurnIsContinued(t *testing.T) {
	t.Parallel()
	pause := StopPart{StopPauseTurn}
	m := play(
		step{text("I search."), SkippedPart{"server_tool_use"}, pause}, step{pause},
		step{use("c1", "echo", `{"word":"a"}`), pause}, step{text("Found."), end},
	)
	done, err := newAgent(t, m, Limits{}, echo(t)).Run(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
	require.NoError(t, err)
	require.NoError(t, m.bad)
	require.Equal(t, OutcomeComplete, done.Outcome)
	require.Equal(t, StopEndTurn, done.StopReason)
	require.NoError(t, done.History.check())
	require.Equal(t, []string{"user: Go.", "assistant: I search.", "user: " + continueRequest, "user: " + continueRequest,
		`assistant: [c1 echo {"word":"a"}]`, "user: {c1= <a>}", "assistant: Found."}, lines(done.History))

	_, failed := drain(t, newAgent(t, play(step{text("a"), pause}, step{text("b"), pause}), Limits{Turns: 2}), t.Context(), Input{Prompt: "Go."})
	require.Equal(t, CodeLimit, failed.Code)
	require.Equal(t, []string{"user: Go.", "assistant: a", "user: " + continueRequest, "assistant: b"}, lines(failed.Done.History))
}

func TestPausedTurnDoesNotForceTheTypedAnswer(t *testing.T) {
	t.Parallel()
	type city struct {
		Name string `json:"name"`
	}
	m := play(step{text("I search."), StopPart{StopPauseTurn}}, step{use("c1", outputName, `{"name":"Ulm"}`), calls})
	got, _, err := RunAs[city](t.Context(), newAgent(t, m, Limits{}), Input{Prompt: "Go."})
	require.NoError(t, err)
	require.Equal(t, "Ulm", got.Name)
	require.Equal(t, Choice{}, m.requests[1].Choice)
}
