package agent

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

// The State of the input does not change, and that of the output does not change any more.
func TestStateBelongsToOneRun(t *testing.T) {
	t.Parallel()
	e := &effects{done: map[string]string{}}
	one := step{use("c1", "do", `{"word":"a"}`), calls}
	in := Input{Scope: tenant(t, "acme"), Prompt: "Go."}
	first, err := newAgent(t, play(one, step{text("ok"), end}), Limits{}, e.tool(t)).Run(t.Context(), in)
	require.NoError(t, err)
	in.History = History{State: first.History.State}
	for range 2 { // twice from the same input
		second, err := newAgent(t, play(one, step{text("ok"), end}), Limits{}, e.tool(t)).Run(t.Context(), in)
		require.NoError(t, err)
		var n int
		ok, err := second.History.State.Get("calls", &n)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, 2, n)
		_, err = first.History.State.Get("calls", &n)
		require.NoError(t, err)
		require.Equal(t, 1, n)
	}
}

// A tool that returns after its run has ended does not change the State that the run returned.
func TestAbandonedToolCannotChangeTheOutput(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		deaf := mustTool(t, "deaf", func(_ context.Context, c *tools.Call, _ string) (string, error) {
			time.Sleep(time.Hour)
			var n int
			return "", c.State().Update("late", &n, func() error { return nil })
		})
		e := &effects{done: map[string]string{}}
		a := newAgent(t, play(step{use("c1", "deaf", `{"word":""}`), use("c2", "do", `{"word":"a"}`), calls}, step{text("ok"), end}), Limits{}, deaf, e.tool(t))
		var at *Checkpoint
		var done Done
		for ev, err := range a.Stream(t.Context(), Input{Scope: tenant(t, "acme"), Run: "r", Prompt: "Go."}) {
			require.NoError(t, err)
			switch ev := ev.(type) {
			case Checkpointed:
				at = ev.Checkpoint
			case Done:
				done = ev
			}
		}
		time.Sleep(2 * time.Hour)
		for _, s := range []*tools.State{at.at.State, done.History.State} {
			b, err := s.MarshalJSON()
			require.NoError(t, err)
			require.JSONEq(t, `{"calls":1}`, string(b))
		}
	})
}
