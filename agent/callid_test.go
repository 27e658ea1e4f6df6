package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

// Calls run whatever ids the service uses. In events and history, each id identifies one call of the conversation.
func TestCallIDsOfServicesAreAccepted(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	const used = "c1"
	h := History{Turns: []Turn{wholeTurn()}}
	for name, ids := range map[string][][]string{
		"again in the next turn": {{"call_0"}, {"call_0"}, {"call_0"}},
		"of the history":         {{used, "c9"}},
		"none":                   {{"", "", ""}, {""}},
		"beyond ASCII":           {{" functions.read:0", "ü", "a\x00b", "\xff"}},
		"long":                   {{long, long + "y"}},
		"kept":                   {{"call|fc_1", strings.Repeat("k", 65), "functions.read:0"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var steps []step
			n := 0
			for _, answer := range ids {
				var s step
				for _, id := range answer {
					n++
					s = append(s, UseDelta{ID: id, Name: "echo", Input: `{"word":`}, use(id, "echo", fmt.Sprintf(`{"word":"%d"}`, n)))
				}
				steps = append(steps, append(s, calls))
			}
			m := play(append(steps, step{text("ok"), end})...)
			evs, failed := drain(t, newAgent(t, m, Limits{}, echo(t)), t.Context(),
				Input{Scope: tenant(t, "acme"), Run: "r", Prompt: "Go.", History: h})
			require.Nil(t, failed)

			called := map[string]string{used: "of the history"}
			require.Equal(t, n, checkCallEvents(t, evs, called))
			if name == "kept" {
				for _, id := range ids[0] {
					require.Contains(t, called, id)
				}
			}
			got := evs[len(evs)-1].(Done).History
			require.NoError(t, got.check())
			for _, turn := range got.Turns[len(h.Turns) : len(got.Turns)-1] {
				for _, p := range turn.Messages[len(turn.Messages)-1].Parts {
					require.Equal(t, called[p.Result.ID], p.Result.Blocks[0].Text)
				}
			}
		})
	}
}

// Runs with equal answers have equal ids, so that a replay equals the original.
func TestCallIDsAreDeterministic(t *testing.T) {
	t.Parallel()
	run := func() []string {
		m := play(step{use("", "echo", `{"word":"a"}`), use("a b", "echo", `{"word":"b"}`), calls}, step{text("ok"), end})
		done, err := newAgent(t, m, Limits{}, echo(t)).Run(t.Context(), Input{Scope: tenant(t, "acme"), Run: "r", Prompt: "Go."})
		require.NoError(t, err)
		return lines(done.History)
	}
	first, second := run(), run()
	require.Equal(t, first, second)
}

// The ids differ even if the service gives all attempts one id.
func TestAttemptsAtTypedAnswersHaveDifferentIDs(t *testing.T) {
	t.Parallel()
	type book struct {
		Title string `json:"title"`
	}
	attempt := func(input string) step {
		return step{UseDelta{ID: "call_0", Name: outputName, Input: input}, use("call_0", outputName, input), calls}
	}
	m := play(attempt(`{"title":1}`), attempt(`{"title":"Emma"}`))
	var ids []string
	for ev, err := range StreamAs[book](t.Context(), newAgent(t, m, Limits{}), Input{Scope: tenant(t, "acme"), Prompt: "Go."}) {
		require.NoError(t, err)
		if p, ok := ev.(Partial); ok {
			ids = append(ids, p.ID)
		}
	}
	require.Len(t, ids, 2)
	require.NotEqual(t, ids[0], ids[1])
}

// A history of another program may hold one id in several turns, and ids of any service.
func TestHistoryAcceptsForeignCallIDs(t *testing.T) {
	t.Parallel()
	turn := func(id string) Turn {
		return Turn{Messages: []Message{
			{RoleUser, []Part{{Text: "Go."}}},
			{RoleAssistant, []Part{{Use: &ToolUse{id, "echo", json.RawMessage(`{}`)}}}},
			{RoleUser, []Part{{Result: &ToolResult{id, tools.Result{Blocks: []tools.Block{{Text: "ok"}}}}}}},
		}}
	}
	a := newAgent(t, modelFunc(func(ctx context.Context, r *Request) iterDeltas {
		return play(step{text("ok"), end}).Stream(ctx, r)
	}), Limits{})
	_, err := a.Run(t.Context(), Input{Prompt: "On.", History: History{Turns: []Turn{turn("call_0"), turn("call_0"), turn(""), turn(" f.r:0")}}})
	require.NoError(t, err)
	for _, id := range []string{"a\nb", "\xff", strings.Repeat("x", 257)} {
		_, err := a.Run(t.Context(), Input{Prompt: "On.", History: History{Turns: []Turn{turn(id)}}})
		require.ErrorContains(t, err, "the call id")
	}
}

// checkCallEvents checks the ids and the results of the calls in the events, and returns the number of results. It adds the
// expected results to called, by id.
func checkCallEvents(t *testing.T, evs []Event, called map[string]string) (done int) {
	t.Helper()
	for _, ev := range evs {
		switch ev := ev.(type) {
		case ToolCalled:
			require.True(t, isPlainCallID(ev.ID), ev.ID)
			require.NotContains(t, called, ev.ID)
			var in struct{ Word string }
			require.NoError(t, json.Unmarshal(ev.Input, &in))
			called[ev.ID] = "<" + in.Word + ">"
		case ToolDone:
			done++
			require.Equal(t, called[ev.ID], ev.Result.Blocks[0].Text)
		}
	}
	return done
}
