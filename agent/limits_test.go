package agent

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

func TestTokenBudgetEndsTheRunAndKeepsTheHistory(t *testing.T) {
	t.Parallel()
	sc := tenant(t, "acme")
	cost := UsageReport{Usage: Usage{Input: 40, Output: 5, CacheRead: 4, CacheWrite: 1}}
	call := func(id string) step { return step{cost, text("I look. "), use(id, "echo", `{"word":"mend"}`), calls} }
	answer := step{cost, text("Done."), end}
	run := func(budget int64, in Input, steps ...step) (Done, error) {
		a, err := New(play(steps...), &Options{Tools: tools.Of(echo(t)), Limits: Limits{Tokens: budget}})
		require.NoError(t, err)
		in.Scope = sc
		return a.Run(t.Context(), in)
	}
	in := Input{Run: "r1", Prompt: "Go."}

	done, err := run(100, in, call("c1"), answer)
	require.NoError(t, err, "the last answer may use the budget up")
	require.Len(t, done.History.Turns, 2)

	done, err = run(100, in, call("c1"), call("c2"))
	failed, ok := errors.AsType[*RunError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, CodeLimit, failed.Code)
	require.Equal(t, "The run has used its budget of 100 tokens.", failed.Message)
	require.Len(t, done.History.Turns, 1, "the turns before are kept")
	require.Equal(t, "I look. ", done.Partial)
	require.EqualValues(t, 100, done.Usage.total())

	resumed := Input{Run: "r1", History: done.History, Resume: done.Checkpoint}
	_, err = run(100, resumed, answer)
	failed, ok = errors.AsType[*RunError](err)
	require.True(t, ok, "what the run used before it was resumed counts")
	require.Equal(t, CodeLimit, failed.Code)
	done, err = run(101, resumed, answer)
	require.NoError(t, err)
	require.Len(t, done.History.Turns, 2)

	_, err = New(play(), &Options{Limits: Limits{Tokens: -1}})
	require.Error(t, err)
}

func TestSystemFuncReturnsThePromptOfARun(t *testing.T) {
	t.Parallel()
	sc := tenant(t, "acme")
	var got []string
	m := modelFunc(func(_ context.Context, r *Request) iterDeltas {
		got = append(got, r.System)
		return play(step{text("a"), end}).Stream(t.Context(), r)
	})
	n := 0
	a, err := New(m, &Options{SystemFunc: func(_ context.Context, in Input) (string, error) {
		n++
		switch in.Prompt {
		case "fail":
			return "", errors.New("no database")
		case "bytes":
			return "\xff", nil
		}
		return "You help " + in.Scope.TenantID() + ".", nil
	}})
	require.NoError(t, err)
	_, err = a.Run(t.Context(), Input{Scope: sc, Prompt: "Go."})
	require.NoError(t, err)
	require.Equal(t, []string{"You help acme."}, got)
	require.Equal(t, 1, n)
	for _, prompt := range []string{"fail", "bytes"} {
		_, err = a.Run(t.Context(), Input{Scope: sc, Prompt: prompt})
		failed, ok := errors.AsType[*RunError](err)
		require.True(t, ok)
		require.Equal(t, CodeInternal, failed.Code)
		require.ErrorContains(t, err, "agent: system prompt: ")
	}
	_, err = New(m, &Options{System: "a", SystemFunc: func(context.Context, Input) (string, error) { return "", nil }})
	require.ErrorContains(t, err, "only one is accepted")
}
