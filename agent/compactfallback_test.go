package agent

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/tools"
)

// A Compactor that always fails does not make a long conversation unusable: nothing is dropped while it fits the model,
// and then the oldest turns are. The events and Done say so, and the Compactor is not called at each request.
func TestFailingCompactorDoesNotEndTheRun(t *testing.T) {
	t.Parallel()
	turn := func(q, a string) Turn {
		return Turn{[]Message{{RoleUser, []Part{{Text: q}}}, {RoleAssistant, []Part{{Text: a}}}}}
	}
	long := History{Turns: []Turn{turn("one", "1"), turn("two", "2"), turn("three", "3")}}
	always := func(turns []Turn, err error) Compactor {
		return func(context.Context, []Turn, bool) ([]Turn, Usage, error) { return turns, Usage{}, err }
	}
	summarise := func(s step) Compactor { return must.Get(Summarise(play(slices.Repeat([]step{s}, 9)...), 1)) }
	for name, c := range map[string]struct {
		compact Compactor
		want    string
	}{
		"an error":            {always(nil, errors.New("no table")), "no table"},
		"a throttled model":   {summarise(step{&ModelError{Code: CodeThrottled}}), "throttled"},
		"a bad summary":       {summarise(step{text("a"), StopPart{StopMaxTokens}}), "summary"},
		"an empty summary":    {summarise(step{text(" "), end}), "empty"},
		"half a pair":         {always([]Turn{{wholeTurn().Messages[:2]}}, nil), "lacks a result"},
		"the assistant first": {always([]Turn{{long.Turns[0].Messages[1:]}}, nil), "the assistant speaks first"},
		"nothing left":        {always(nil, nil), "no turns are left"},
		"a panic":             {func(context.Context, []Turn, bool) ([]Turn, Usage, error) { panic("boom") }, "it panicked: boom"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &effects{done: map[string]string{}}
			var early, full int
			compact := func(ctx context.Context, ts []Turn, isFull bool) ([]Turn, Usage, error) {
				if isFull {
					full++
				} else {
					early++
				}
				return c.compact(ctx, ts, isFull)
			}
			again := step{use("c1", "do", `{"word":"w"}`), calls}
			tooLong := step{&ModelError{Code: CodeContextFull, Message: "Too long."}}
			m := play(again, step{text("4"), end}, again, tooLong, tooLong, step{text("5"), end})
			a, err := New(m, &Options{Compact: compact, Tools: tools.Of(e.tool(t))})
			require.NoError(t, err)

			evs, failed := drain(t, a, t.Context(), Input{Scope: tenant(t, "acme"), Run: "r1", Prompt: "four", History: long})
			require.Nil(t, failed)
			done := evs[len(evs)-1].(Done)
			require.ErrorContains(t, done.CompactErr, c.want)
			require.Equal(t, long.Turns, done.History.Turns[:3], "it fits the model")
			require.Equal(t, []int{1, 0}, []int{early, full}, "once, for two requests")

			evs, failed = drain(t, a, t.Context(), Input{Scope: tenant(t, "acme"), Run: "r2", Prompt: "five", History: done.History})
			require.Nil(t, failed)
			done = evs[len(evs)-1].(Done)
			require.ErrorContains(t, done.CompactErr, c.want)
			require.Equal(t, []int{2, 1}, []int{early, full}, "once when it was too long, for two shorter requests")
			i := slices.IndexFunc(evs, func(ev Event) bool { _, ok := ev.(Compacted); return ok })
			require.True(t, evs[i].(Compacted).Fallback)
			require.Equal(t, "user: "+leftOut+", because it had become too long.", lines(done.History)[0])
			require.Equal(t, "assistant: 5", lines(done.History)[len(lines(done.History))-1])
			require.NoError(t, done.History.check())
		})
	}
}

// Only the Compacted of the request for which the Compactor failed reports a fallback.
func TestFallbackIsReportedOnce(t *testing.T) {
	t.Parallel()
	s := newShelf(t, nil)
	turns := []Turn{wholeTurn(), wholeTurn(), wholeTurn()}
	show, err := tools.New("show", "Shows.", func(context.Context, *tools.Call, struct{}) (tools.Result, error) {
		return tools.Result{Blocks: []tools.Block{{Image: &tools.Media{Format: "png", Object: s.ours}}}}, nil
	})
	require.NoError(t, err)
	m := play(step{&ModelError{Code: CodeContextFull}}, step{use("d1", "show", `{}`), calls},
		step{&ModelError{Code: CodeInvalidCall}}, step{text("ok"), end})
	a, err := New(m, &Options{Tools: tools.Of(show), Objects: s.bucket,
		Compact: func(context.Context, []Turn, bool) ([]Turn, Usage, error) { return nil, Usage{}, errors.New("no") }})
	require.NoError(t, err)
	evs, failed := drain(t, a, t.Context(), Input{Scope: s.acme, Prompt: "Go on.", History: History{Turns: turns}})
	require.Nil(t, failed)
	var fallbacks []bool
	for _, ev := range evs {
		if c, ok := ev.(Compacted); ok {
			fallbacks = append(fallbacks, c.Fallback)
		}
	}
	require.Equal(t, []bool{true, false}, fallbacks)
}

// A run that is cancelled while its Compactor works ends as cancelled, and drops nothing.
func TestCancelledCompactorIsNotReplaced(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	long := History{Turns: []Turn{wholeTurn(), wholeTurn()}}
	a, err := New(play(step{&ModelError{Code: CodeContextFull}}), &Options{
		Compact: func(ctx context.Context, ts []Turn, full bool) ([]Turn, Usage, error) {
			if !full {
				return ts, Usage{}, nil
			}
			cancel()
			return nil, Usage{}, ctx.Err()
		},
	})
	require.NoError(t, err)
	done, err := a.Run(ctx, Input{Prompt: "Go on.", History: long})
	require.NoError(t, err)
	require.Equal(t, OutcomeCancelled, done.Outcome)
	require.Equal(t, long.Turns, done.History.Turns[:2])
	require.NoError(t, done.CompactErr)
}
