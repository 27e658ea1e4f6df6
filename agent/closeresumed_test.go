package agent

import (
	"cmp"
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// payments returns a run of two calls, of which the first completes and the second is interrupted.
func payments(t *testing.T) (model Model, tool *tools.Tool, in Input) {
	sc := tenant(t, "acme")
	ctx, cancel := context.WithCancel(t.Context())
	tool = mustTool(t, "pay", func(c context.Context, _ *tools.Call, word string) (string, error) {
		if word == "2" && ctx.Err() == nil {
			cancel()
			<-c.Done()
			return "", c.Err()
		}
		return "paid " + word, nil
	})
	model = conversation(step{use("c1", "pay", `{"word":"1"}`), use("c2", "pay", `{"word":"2"}`), calls}, step{text("ok"), end})
	done, err := newAgent(t, model, Limits{Parallel: 1}, tool).Run(ctx, Input{Scope: sc, Run: "r", Prompt: "Pay."})
	require.NoError(t, err)
	require.Equal(t, OutcomeCancelled, done.Outcome)
	require.Len(t, done.History.Turns, 1)
	return model, tool, Input{Scope: sc, Run: "r", History: done.History, Resume: done.Checkpoint}
}

// Calls that have run stay in the history however the resumed run ends, and it can be resumed again.
func TestResumeThatMakesNoCallsKeepsTheHistory(t *testing.T) {
	t.Parallel()
	model, tool, in := payments(t)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	broken := tools.Dynamic(func(context.Context, scope.Scope, *tools.State) (tools.Set, error) {
		return tools.Set{}, errors.New("no tools")
	})
	whole := newAgent(t, model, Limits{}, tool)
	noTools, err := New(model, &Options{Tools: broken})
	require.NoError(t, err)
	noPrompt, err := New(model, &Options{Tools: tools.Of(tool), SystemFunc: func(ctx context.Context, _ Input) (string, error) {
		return "", cmp.Or(ctx.Err(), errors.New("no database"))
	}})
	require.NoError(t, err)
	withPrompt, withoutTurn := in, in
	withPrompt.Prompt = "And?"
	withoutTurn.History = History{}
	for name, c := range map[string]struct {
		agent *Agent
		ctx   context.Context
		in    Input
		want  string // of the interrupted call
	}{
		"cancelled":                  {whole, cancelled, in, lines(in.History)[2]},
		"failed":                     {noTools, t.Context(), in, lines(in.History)[2]},
		"without a prompt":           {noPrompt, t.Context(), in, lines(in.History)[2]},
		"without, turn not stored":   {noPrompt, t.Context(), withoutTurn, lines(in.History)[2]},
		"cancelled, without":         {noPrompt, cancelled, in, lines(in.History)[2]},
		"rejected":                   {whole, t.Context(), withPrompt, lines(in.History)[2]},
		"cancelled, turn not stored": {whole, cancelled, withoutTurn, lines(in.History)[2]},
		"failed, turn not stored":    {noTools, t.Context(), withoutTurn, lines(in.History)[2]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			evs, failed := drain(t, c.agent, c.ctx, c.in)
			var done Done
			if failed != nil {
				done = failed.Done
			} else {
				done = evs[len(evs)-1].(Done)
			}
			require.Equal(t, c.ctx == cancelled, done.Outcome == OutcomeCancelled)
			require.Equal(t, lines(in.History)[:2], lines(done.History)[:2])
			require.Equal(t, c.want, lines(done.History)[2])
			require.NoError(t, done.History.check())
			if name == "rejected" {
				require.Nil(t, done.Checkpoint)
				return
			}
			again, err := whole.Run(t.Context(), Input{Scope: in.Scope, Run: "r", History: done.History, Resume: done.Checkpoint})
			require.NoError(t, err)
			require.Equal(t, []string{lines(in.History)[0], lines(in.History)[1], "user: {c1= paid 1} {c2= paid 2}", "assistant: ok"}, lines(again.History))
		})
	}
}

// A resumed run that is pending again keeps the turn of its input's history, with the new results.
func TestPendingResumeKeepsTheHistory(t *testing.T) {
	t.Parallel()
	_, _, in := payments(t)
	waits := mustTool(t, "pay", func(context.Context, *tools.Call, string) (string, error) {
		return "", &tools.PendingError{Reason: "?"}
	})
	done, err := newAgent(t, play(), Limits{}, waits).Run(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, OutcomePending, done.Outcome)
	require.Equal(t, "user: {c1= paid 1} {c2! Not run: it waited, and the run was stopped.}", lines(done.History)[2])
	require.Zero(t, done.Checkpoint.Turns)
}
