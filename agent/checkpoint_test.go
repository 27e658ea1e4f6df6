package agent

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

func TestCheckpointPrecedesItsCalls(t *testing.T) {
	t.Parallel()
	var got *Checkpoint
	look := mustTool(t, "look", func(_ context.Context, c *tools.Call, _ string) (string, error) {
		if got == nil || len(got.Pending()) == 0 || got.Pending()[0].ID != c.ID() {
			t.Errorf("%s runs, and the checkpoint is %+v", c.ID(), got)
		}
		return "", nil
	})
	a := newAgent(t, play(step{use("c1", "look", `{"word":""}`), calls}, step{use("c2", "look", `{"word":""}`), calls}, step{text("ok"), end}), Limits{}, look)
	var kinds []string
	for ev, err := range a.Stream(t.Context(), Input{Scope: tenant(t, "acme"), Run: "r", Prompt: "Go."}) {
		require.NoError(t, err)
		if c, ok := ev.(Checkpointed); ok {
			got = c.Checkpoint
			kinds = append(kinds, fmt.Sprintf("%d pending, %d turns, ended %v, complete %v", len(got.Pending()), got.Turns, c.Ended != nil, got.at.Complete))
			require.NoError(t, got.check())
		}
	}
	require.Equal(t, []string{
		"1 pending, 0 turns, ended false, complete false", "0 pending, 1 turns, ended true, complete false",
		"1 pending, 1 turns, ended false, complete false", "0 pending, 2 turns, ended true, complete false",
		"0 pending, 3 turns, ended true, complete true",
	}, kinds)
}

func TestLimitsCountAcrossResumes(t *testing.T) {
	t.Parallel()
	forever := modelFunc(func(ctx context.Context, r *Request) iterDeltas {
		word := r.Messages[0].Parts[0].Text
		return play(step{use(fmt.Sprint("c", len(r.Messages)), "echo", `{"word":"`+word+`"}`), use(fmt.Sprint("d", len(r.Messages)), "echo", `{"word":"mend"}`), calls}).Stream(ctx, r)
	})
	for name, c := range map[string]struct {
		limits Limits
		prompt string
		want   string
	}{
		"turns":       {Limits{Turns: 5}, "a", "The model did not finish within 5 turns."},
		"calls":       {Limits{Calls: 7}, "a", "The model wanted to make more than 7 tool calls."},
		"corrections": {Limits{Corrections: 5}, "mend", "None of the model's tool calls succeeded in 5 turns in a row."},
	} {
		t.Run(name, func(t *testing.T) {
			in := Input{Scope: tenant(t, "acme"), Run: "r", Prompt: c.prompt}
			for lives := 0; ; lives++ {
				require.Less(t, lives, 20)
				last, failed := runForTwoCheckpoints(newAgent(t, forever, c.limits, echo(t)), &in)
				if failed != nil {
					require.ErrorContains(t, failed, c.want)
					require.Greater(t, lives, 1)
					return
				}
				in.Prompt, in.Resume = "", last
				in.History.Turns = in.History.Turns[:last.Turns]
			}
		})
	}
}

// runForTwoCheckpoints runs until the second checkpoint and returns it, or until the run fails. It adds ended turns to
// the history.
func runForTwoCheckpoints(a *Agent, in *Input) (last *Checkpoint, _ error) {
	n := 0
	for ev, err := range a.Stream(context.Background(), *in) {
		if err != nil {
			return last, err
		}
		cp, ok := ev.(Checkpointed)
		if !ok {
			continue
		}
		last = cp.Checkpoint
		if cp.Ended != nil {
			in.History.Turns = append(in.History.Turns, *cp.Ended)
		}
		if n++; n == 2 {
			break
		}
	}
	return last, nil
}

func TestResumeRejectsForeignCheckpoints(t *testing.T) {
	t.Parallel()
	sc := tenant(t, "acme")
	a := newAgent(t, play(step{use("c1", "echo", `{"word":"a"}`), calls}), Limits{}, echo(t))
	var c *Checkpoint
	for ev := range a.Stream(t.Context(), Input{Scope: sc, Run: "r", Prompt: "Go."}) {
		if cp, ok := ev.(Checkpointed); ok {
			c = cp.Checkpoint
			break
		}
	}
	with := func(f func(c *Checkpoint)) *Checkpoint {
		changed := *c
		changed.at.Calls = append([]callState{}, c.at.Calls...)
		f(&changed)
		return &changed
	}
	turn := Turn{Messages: []Message{{RoleUser, []Part{{Text: "a"}}}}}
	user, err := sc.User("u1")
	require.NoError(t, err)
	for name, x := range map[string]struct {
		in   Input
		want string
	}{
		"another run":       {Input{Scope: sc, Run: "r2", Resume: c}, "another run"},
		"no run":            {Input{Scope: sc, Resume: c}, "another run"},
		"another tenant":    {Input{Scope: tenant(t, "globex"), Run: "r", Resume: c}, "another scope"},
		"a narrower scope":  {Input{Scope: user, Run: "r", Resume: c}, "another scope"},
		"with a prompt":     {Input{Scope: sc, Run: "r", Prompt: "x", Resume: c}, "does not accept a new message"},
		"with media":        {Input{Scope: sc, Run: "r", Media: []tools.Media{{Format: "png", Bytes: []byte("x")}}, Resume: c}, "does not accept a new message"},
		"other history":     {Input{Scope: sc, Run: "r", History: History{Turns: []Turn{turn}}, Resume: c}, "the history has 1 turns, but the checkpoint has 0"},
		"no state of call":  {Input{Scope: sc, Run: "r", Resume: with(func(c *Checkpoint) { c.at.Calls = nil })}, "but there are 0 call states"},
		"negative":          {Input{Scope: sc, Run: "r", Resume: with(func(c *Checkpoint) { c.at.Failing = -1 })}, "negative"},
		"beyond all limits": {Input{Scope: sc, Run: "r", Resume: with(func(c *Checkpoint) { c.at.Called = math.MaxInt })}, "too large"},
		"a cost below zero": {Input{Scope: sc, Run: "r", Resume: with(func(c *Checkpoint) { c.at.Usage.Output = -1 })}, "negative"},
		"before it began":   {Input{Scope: sc, Run: "r", Resume: with(func(c *Checkpoint) { c.at.Answers = 0 })}, "the count of answers is 0"},
		"two lives":         {Input{Scope: sc, Run: "r", Resume: with(func(c *Checkpoint) { c.at.Complete = true })}, "a complete run has an answer"},
		"nothing to do":     {Input{Scope: sc, Run: "r", Resume: with(func(c *Checkpoint) { c.at.Prompt, c.at.Answer, c.at.Calls = nil, nil, nil })}, "empty"},
	} {
		t.Run(name, func(t *testing.T) {
			m := play()
			evs, failed := drain(t, newAgent(t, m, Limits{}, echo(t)), t.Context(), x.in)
			require.Empty(t, evs)
			require.Equal(t, CodeInvalidCall, failed.Code)
			require.ErrorContains(t, failed, x.want)
			require.Empty(t, m.requests)
		})
	}
}

// A checkpoint that is resumed twice starts with the same State.
func TestResumeDoesNotChangeTheCheckpoint(t *testing.T) {
	t.Parallel()
	e := &effects{done: map[string]string{}}
	one := step{use("c1", "do", `{"word":"a"}`), calls}
	in := Input{Scope: tenant(t, "acme"), Run: "r", Prompt: "Go."}
	for ev := range newAgent(t, play(one), Limits{}, e.tool(t)).Stream(t.Context(), in) {
		if c, ok := ev.(Checkpointed); ok {
			in.Prompt, in.Resume = "", c.Checkpoint
			break
		}
	}
	for range 2 {
		done, err := newAgent(t, play(step{text("ok"), end}), Limits{}, e.tool(t)).Run(t.Context(), in)
		require.NoError(t, err)
		var n int
		_, err = done.History.State.Get("calls", &n)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		ok, err := in.Resume.at.State.Get("calls", &n)
		require.NoError(t, err)
		require.False(t, ok)
	}
}
