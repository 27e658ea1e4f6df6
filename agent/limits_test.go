package agent

import (
	"context"
	"errors"
	"fmt"
	"reflect"
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

func TestLimitsEndTheRun(t *testing.T) {
	t.Parallel()
	forever := func(word string) Model {
		n := 0
		return modelFunc(func(ctx context.Context, r *Request) iterDeltas {
			n++
			return play(step{use(fmt.Sprint("c", n), "echo", `{"word":"`+word+`"}`), calls}).Stream(ctx, r)
		})
	}
	in := Input{Scope: tenant(t, "acme"), Prompt: "Go."}
	count := func(evs []Event) (called int) {
		for _, ev := range evs {
			if _, ok := ev.(ToolCalled); ok {
				called++
			}
		}
		return called
	}

	t.Run("turns", func(t *testing.T) {
		evs, failed := drain(t, newAgent(t, forever("a"), Limits{}, echo(t)), t.Context(), in)
		require.Equal(t, CodeLimit, failed.Code)
		require.Equal(t, "The model did not finish within 24 turns.", failed.Message)
		require.Equal(t, 23, count(evs), "the last answer's calls are not run")
		require.Len(t, failed.Done.History.Turns, 23)
	})
	t.Run("calls", func(t *testing.T) {
		m := play(
			step{use("a1", "echo", `{"word":"a"}`), use("a2", "echo", `{"word":"a"}`), calls},
			step{use("b1", "echo", `{"word":"a"}`), use("b2", "echo", `{`), calls},
		)
		evs, failed := drain(t, newAgent(t, m, Limits{Calls: 3}, echo(t)), t.Context(), in)
		require.Equal(t, CodeLimit, failed.Code)
		require.Equal(t, 2, count(evs), "of a batch that does not fit nothing is run")
		require.Len(t, failed.Done.History.Turns, 1)
	})
	t.Run("calls, just so", func(t *testing.T) {
		m := play(step{use("a1", "echo", `{"word":"a"}`), use("a2", "echo", `{"word":"a"}`), calls}, step{text("ok"), end})
		_, failed := drain(t, newAgent(t, m, Limits{Calls: 2, Turns: 2}, echo(t)), t.Context(), in)
		require.Nil(t, failed)
	})
	for _, word := range []string{"mend", "secret", "panic"} {
		t.Run("corrections: "+word, func(t *testing.T) {
			evs, failed := drain(t, newAgent(t, forever(word), Limits{}, echo(t)), t.Context(), in)
			require.Equal(t, CodeLimit, failed.Code)
			require.Equal(t, "None of the model's tool calls succeeded in 3 turns in a row.", failed.Message)
			require.Equal(t, 3, count(evs))
			require.Len(t, failed.Done.History.Turns, 3)
		})
	}
	t.Run("corrections: unreadable", func(t *testing.T) {
		bad := func(id string) step { return step{use(id, "echo", `{"word":`), calls} }
		_, failed := drain(t, newAgent(t, play(bad("a"), bad("b"), bad("c")), Limits{}, echo(t)), t.Context(), in)
		require.Equal(t, CodeLimit, failed.Code)
		require.ErrorContains(t, failed, `call of "echo": its arguments are not valid JSON`)
	})
	t.Run("corrections begin anew after a success", func(t *testing.T) {
		bad := func(id string) step { return step{use(id, "echo", `{"word":`), calls} }
		mixed := step{use("x", "echo", `{"word":"mend"}`), use("y", "echo", `{"word":"a"}`), calls}
		_, failed := drain(t, newAgent(t, play(bad("a"), bad("b"), mixed, bad("c"), bad("d"), step{text("ok"), end}), Limits{}, echo(t)), t.Context(), in)
		require.Nil(t, failed)
	})
	t.Run("only zero fields have defaults", func(t *testing.T) {
		var want Limits
		for i := range reflect.TypeFor[Limits]().NumField() {
			reflect.ValueOf(&want).Elem().Field(i).SetInt(int64(i + 1))
		}
		got, err := want.withDefaults()
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
	for _, l := range []Limits{{Turns: -1}, {Calls: -1}, {Corrections: -1}, {Parallel: -1}, {ToolTimeout: -1}, {MaxTokens: -1}} {
		_, err := New(play(), &Options{Limits: l})
		require.ErrorContains(t, err, "negative")
	}
}
