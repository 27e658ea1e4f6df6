package agent

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

// Every test here runs in a bubble: a goroutine that is still there at its end fails the test.

// nap sleeps for the duration of its word, unless it is cancelled. It ignores its context if the word is "deaf 1h".
func nap(t testing.TB) *tools.Tool {
	return mustTool(t, "nap", func(ctx context.Context, _ *tools.Call, word string) (string, error) {
		if d, ok := cutPrefix(word, "deaf "); ok {
			time.Sleep(d)
			return "woke up", nil
		}
		d, _ := time.ParseDuration(word)
		select {
		case <-time.After(d):
			return "slept " + word, nil
		case <-ctx.Done():
			return "", fmt.Errorf("nap: %w", ctx.Err())
		}
	})
}

func cutPrefix(word, prefix string) (time.Duration, bool) {
	if len(word) < len(prefix) || word[:len(prefix)] != prefix {
		return 0, false
	}
	d, err := time.ParseDuration(word[len(prefix):])
	return d, err == nil
}

func naps(words ...string) step {
	var s step
	for i, w := range words {
		s = append(s, use(fmt.Sprint("c", i), "nap", `{"word":"`+w+`"}`))
	}
	return append(s, calls)
}

func TestCallsRunInParallelUpToTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int64
		busy := mustTool(t, "nap", func(ctx context.Context, _ *tools.Call, word string) (string, error) {
			n := running.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			defer running.Add(-1)
			d, _ := time.ParseDuration(word)
			time.Sleep(d)
			return word, nil
		})
		var words []string
		for i := range 20 {
			words = append(words, fmt.Sprintf("%dms", 1000-i))
		}
		a := newAgent(t, play(naps(words...), step{text("ok"), end}), Limits{}, busy)
		start := time.Now()
		evs, failed := drain(t, a, t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
		require.Nil(t, failed)
		require.EqualValues(t, 8, most.Load())
		require.Less(t, time.Since(start), 3*time.Second, "20 calls of a second, 8 at a time")

		var ended []string
		for _, ev := range evs {
			if d, ok := ev.(ToolDone); ok {
				ended = append(ended, d.ID)
				require.GreaterOrEqual(t, d.Took, 980*time.Millisecond)
			}
		}
		require.Equal(t, "c7", ended[0], "events in the order in which calls end")
		results := evs[len(evs)-1].(Done).History.Turns[0].Messages[2].Parts
		require.Len(t, results, 20)
		for i, p := range results {
			require.Equal(t, fmt.Sprint("c", i), p.Result.ID, "results in call order")
			require.Equal(t, words[i], p.Result.Summary)
		}
	})
}

func TestToolTimeoutFailsTheCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t, play(naps("90s", "1s"), step{text("ok"), end}), Limits{}, nap(t))
		start := time.Now()
		evs, failed := drain(t, a, t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
		require.Nil(t, failed)
		require.Equal(t, time.Minute, time.Since(start))
		require.ErrorIs(t, evs[3].(ToolDone).Err, context.DeadlineExceeded)
		require.Equal(t, []string{
			"user: Go.", `assistant: [c0 nap {"word":"90s"}] [c1 nap {"word":"1s"}]`,
			"user: {c0! The tool did not finish within 1m0s. Whether it took effect is not known.} {c1= slept 1s}",
			"assistant: ok",
		}, lines(evs[len(evs)-1].(Done).History))
	})
}

func TestDeafToolIsAbandonedAfterTheGrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t, play(naps("deaf 1h", "deaf 61s"), step{text("ok"), end}), Limits{}, nap(t))
		start := time.Now()
		done, err := a.Run(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
		require.NoError(t, err)
		require.Equal(t, time.Minute+grace, time.Since(start), "the run goes on")
		require.Equal(t, "user: {c0! The tool did not finish within 1m0s. Whether it took effect is not known.} {c1= woke up}",
			lines(done.History)[2], "within the grace a late result is still the result")
		require.Equal(t, 1, a.Abandoned())
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Zero(t, a.Abandoned())
	})
}

// The model's stream and the tools are cancelled, all goroutines have ended when the loop is left, and no request or
// call follows.
func TestBreakEndsTheRunAtAnyEvent(t *testing.T) {
	t.Parallel()
	for at := range 11 {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := play(
					append(step{text("a"), text("b"), UsageReport{}}, naps("1s", "1h")...),
					step{text("c"), end},
				)
				a := newAgent(t, m, Limits{ToolTimeout: 10 * time.Second}, nap(t))
				start, n := time.Now(), 0
				for _, err := range a.Stream(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."}) {
					require.NoError(t, err)
					if n == at {
						break
					}
					n++
				}
				require.Equal(t, at, n)
				for _, ctx := range m.ctxs {
					require.Error(t, ctx.Err(), "the model's context is cancelled")
				}
				switch { // start a b used called called done(1s) done(10s) finish start c
				case at == 0:
					require.Empty(t, m.requests)
				case at < 6:
					require.Zero(t, time.Since(start))
					require.Len(t, m.requests, 1)
				case at == 6:
					require.Equal(t, time.Second, time.Since(start), "the other tool is not waited for, it is cancelled")
				default:
					require.Equal(t, 10*time.Second, time.Since(start))
				}
			})
		})
	}
}

func TestBreakWaitsForADeafToolOnlyTheGrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t, play(naps("1s", "deaf 1h")), Limits{}, nap(t))
		start := time.Now()
		for ev := range a.Stream(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."}) {
			if _, ok := ev.(ToolDone); ok {
				break
			}
		}
		require.Equal(t, time.Second+grace, time.Since(start))
		require.Equal(t, 1, a.Abandoned())
		time.Sleep(time.Hour)
	})
}

func TestCancellationAtAnyEvent(t *testing.T) {
	t.Parallel()
	wait := func(ctx context.Context) { <-ctx.Done() }
	late := errors.New("reader: use of closed network connection")
	for name, c := range map[string]struct {
		first step
		want  []string
	}{
		"before the first word":                 {step{wait, context.Canceled}, nil},
		"in the text":                           {step{text("a"), wait, late}, nil},
		"in the text, quietly":                  {step{text("a"), wait}, nil},
		"before the calls":                      {append(step{wait}, naps("1h")...), nil},
		"at the end of an answer that is whole": {step{text("a"), wait, end}, []string{"user: Go.", "assistant: a"}},
		"in the calls": {naps("1ms", "1h"), []string{"user: Go.", `assistant: [c0 nap {"word":"1ms"}] [c1 nap {"word":"1h"}]`,
			"user: {c0= slept 1ms} {c1! Interrupted: the run was stopped. Whether the call took effect is not known.}"}},
		"in the calls, deaf": {naps("deaf 1h"), []string{"user: Go.", `assistant: [c0 nap {"word":"deaf 1h"}]`,
			"user: {c0! Interrupted: the run was stopped. Whether the call took effect is not known.}"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := play(c.first, step{text("more"), end})
				a := newAgent(t, m, Limits{}, nap(t))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				time.AfterFunc(time.Second, cancel)
				evs, failed := drain(t, a, ctx, Input{Scope: tenant(t, "acme"), Prompt: "Go."})
				require.Nil(t, failed)
				done := evs[len(evs)-1].(Done)
				require.Equal(t, c.want, lines(done.History))
				if len(c.want) == 2 {
					require.Equal(t, OutcomeComplete, done.Outcome)
				} else {
					require.Equal(t, OutcomeCancelled, done.Outcome)
				}
				require.Len(t, m.requests, 1)
				time.Sleep(2 * time.Hour) // until abandoned calls return
			})
		})
	}

	t.Run("before the run", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		m := play()
		done, err := newAgent(t, m, Limits{}, nap(t)).Run(ctx, Input{Scope: tenant(t, "acme"), Prompt: "Go."})
		require.NoError(t, err)
		require.Equal(t, Done{Outcome: OutcomeCancelled}, done)
		require.Empty(t, m.requests)
	})
}

func TestFatalCallCancelsTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fatal := mustTool(t, "fatal", func(context.Context, *tools.Call, string) (string, error) {
			time.Sleep(time.Second)
			return "", &tools.FatalError{Code: "not_an_image", Message: "The file is no image.", Retryable: true}
		})
		a := newAgent(t, play(step{use("c0", "nap", `{"word":"1h"}`), use("c1", "fatal", `{"word":""}`), calls}), Limits{}, nap(t), fatal)
		start := time.Now()
		_, failed := drain(t, a, t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
		require.Equal(t, Code("not_an_image"), failed.Code)
		require.True(t, failed.Retryable)
		require.Equal(t, time.Second, time.Since(start))
		require.Equal(t, "user: {c0! Interrupted: the run was stopped. Whether the call took effect is not known.} {c1! The file is no image.}",
			lines(failed.Done.History)[2])
	})
}

func TestConsumerPanicPropagatesAndCleansUp(t *testing.T) {
	t.Parallel()
	for at := range 5 {
		synctest.Test(t, func(t *testing.T) {
			a := newAgent(t, play(append(step{text("a"), UsageReport{}}, naps("1h", "1s")...)), Limits{}, nap(t))
			n := 0
			require.PanicsWithValue(t, "mine", func() {
				for range a.Stream(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."}) {
					if n == at {
						panic("mine")
					}
					n++
				}
			})
		})
	}
}

// A model that waits learns from its context that the consumer has left, not only from yield.
func TestBreakCancelsBeforeTheModelReturns(t *testing.T) {
	t.Parallel()
	var got error
	a := newAgent(t, modelFunc(func(ctx context.Context, _ *Request) iterDeltas {
		return func(yield func(Delta, error) bool) {
			if !yield(TextDelta{"a"}, nil) {
				got = ctx.Err()
			}
		}
	}), Limits{})
	for ev := range a.Stream(t.Context(), Input{Prompt: "Go."}) {
		if _, ok := ev.(TextDelta); ok {
			break
		}
	}
	require.ErrorIs(t, got, context.Canceled)
}

// A model that continues after yield returned false breaks the rules of iterators.
func TestModelThatIgnoresBreakDoesNotPanicTheConsumer(t *testing.T) {
	t.Parallel()
	a := newAgent(t, modelFunc(func(context.Context, *Request) iterDeltas {
		return func(yield func(Delta, error) bool) {
			for {
				yield(TextDelta{"a"}, nil)
			}
		}
	}), Limits{})
	for ev := range a.Stream(t.Context(), Input{Prompt: "Go."}) {
		if _, ok := ev.(TextDelta); ok {
			break
		}
	}
}
