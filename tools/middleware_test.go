package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// does makes a tool of a function without arguments, with middleware.
func does(t testing.TB, f func(ctx context.Context, c *Call) (string, error), mw ...Middleware) *Tool {
	t.Helper()
	return mustNew(t, func(ctx context.Context, c *Call, _ struct{}) (string, error) { return f(ctx, c) }, mw...)
}

// toModel returns the text that a model reads about an error.
func toModel(err error) string {
	if e, ok := errors.AsType[*CorrectionError](err); ok {
		return e.Message
	}
	return ""
}

func TestTimeoutBecomesACorrection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		heeds := func(ctx context.Context, _ *Call) (string, error) {
			<-ctx.Done()
			return "", fmt.Errorf("reading: %w", ctx.Err())
		}
		start := time.Now()
		_, err := call(does(t, heeds, Timeout(2*time.Second)), `{}`)
		require.Equal(t, 2*time.Second, time.Since(start))
		late, ok := errors.AsType[*timeoutError](err)
		require.True(t, ok)
		require.Equal(t, "t", late.Tool)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.EqualError(t, err, "tools: t did not finish within 2s: reading: context deadline exceeded")
		require.Equal(t, "The tool did not finish within 2s. Whether it took effect is not known.", toModel(err))

		// The run's own end is not the tool's.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = does(t, heeds, Timeout(2*time.Second)).Call(ctx, NewCall(CallOptions{Args: []byte(`{}`)}))
		require.False(t, hasType[*timeoutError](err))
		require.ErrorIs(t, err, context.DeadlineExceeded)

		// A late result and the decisions of the tool itself are kept.
		for _, own := range []error{Correct("too large"), Fatal(errors.New("x")), &PendingError{Reason: "r"}} {
			_, err = call(does(t, func(ctx context.Context, _ *Call) (string, error) { <-ctx.Done(); return "", own }, Timeout(time.Second)), `{}`)
			require.Same(t, own, err)
		}
		res, err := call(does(t, func(ctx context.Context, _ *Call) (string, error) { <-ctx.Done(); return "late", nil }, Timeout(time.Second)), `{}`)
		require.NoError(t, err)
		require.Equal(t, "late", res.Blocks[0].Text)

		early := errors.New("early")
		_, err = call(does(t, func(context.Context, *Call) (string, error) { return "", early }, Timeout(time.Second)), `{}`)
		require.Same(t, early, err)
	})
}

func TestMaxUsesCountsOverRuns(t *testing.T) {
	t.Parallel()
	st := &State{}
	ran := 0
	tool := does(t, func(context.Context, *Call) (string, error) {
		if ran++; ran == 1 {
			panic("boom")
		}
		return "", errors.New("fails")
	}, MaxUses(2))
	use := func(st *State, name string) error {
		_, err := tool.Call(t.Context(), NewCall(CallOptions{Args: []byte(`{}`), State: st, Name: name}))
		return err
	}
	require.True(t, hasType[*PanicError](use(st, "")), "a use, though it panicked")
	require.EqualError(t, use(st, ""), "fails")
	require.Equal(t, "Not run: t may be used 2 times in a conversation, and it has been. Continue without it.", toModel(use(st, "")))
	require.Equal(t, 2, ran)

	// The count is the conversation's and lives through a restart; another conversation and another name have their own.
	b, err := json.Marshal(st)
	require.NoError(t, err)
	require.Equal(t, `{"tools.uses":{"t":2}}`, string(b))
	var restored State
	require.NoError(t, json.Unmarshal(b, &restored))
	require.NotEmpty(t, toModel(use(&restored, "")))
	require.EqualError(t, use(&restored, "other"), "fails")
	require.EqualError(t, use(&State{}, ""), "fails")
}

func TestMaxUsesReleasesPendingCalls(t *testing.T) {
	t.Parallel()
	st := &State{}
	pending := true
	tool := does(t, func(context.Context, *Call) (string, error) {
		if pending {
			return "", &PendingError{Reason: "asks"}
		}
		return "done", nil
	}, MaxUses(1))
	run := func() error {
		_, err := tool.Call(t.Context(), NewCall(CallOptions{Args: []byte(`{}`), State: st}))
		return err
	}
	for range 3 {
		require.True(t, hasType[*PendingError](run()), "what has not run is no use")
	}
	pending = false
	require.NoError(t, run())
	require.Contains(t, toModel(run()), "may be used once")
}

// A resumed run makes a call again that was cut off, or that ended the run, with the same key: that is the same use.
func TestMaxUsesCountsARepeatedCallOnce(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]func(cancel func()) error{
		"cut off": func(cancel func()) error { cancel(); return context.Canceled },
		"fatal":   func(func()) error { return Fatal(errors.New("no table")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var st State
			ctx, cancel := context.WithCancel(t.Context())
			fails := true
			tool := does(t, func(context.Context, *Call) (string, error) {
				if fails {
					return "", first(cancel)
				}
				return "done", nil
			}, MaxUses(1))
			run := func(ctx context.Context, key string) error {
				_, err := tool.Call(ctx, NewCall(CallOptions{Args: []byte(`{}`), State: &st, IdempotencyKey: key}))
				return err
			}
			require.Error(t, run(ctx, "0123456789abcdef01"))
			require.Contains(t, toModel(run(t.Context(), "1123456789abcdef01")), "may be used once", "another call is another use")
			fails = false
			require.NoError(t, run(t.Context(), "0123456789abcdef01"))
			require.Contains(t, toModel(run(t.Context(), "0123456789abcdef01")), "may be used once", "it has come back")
			b, err := json.Marshal(&st)
			require.NoError(t, err)
			require.Equal(t, `{"tools.uses":{"t":1}}`, string(b))
		})
	}
}

// A call that succeeds although its run has just ended is not made again, so its use is closed.
func TestMaxUsesClosesTheUseOfASuccessfulCall(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	tool := does(t, func(context.Context, *Call) (string, error) { cancel(); return "done", nil }, MaxUses(1))
	var st State
	_, err := tool.Call(ctx, NewCall(CallOptions{Args: []byte(`{}`), State: &st, IdempotencyKey: "0123456789abcdef"}))
	require.NoError(t, err)
	b, err := json.Marshal(&st)
	require.NoError(t, err)
	require.Equal(t, `{"tools.uses":{"t":1}}`, string(b))
}

func TestMaxUsesBoundsConcurrentCalls(t *testing.T) {
	t.Parallel()
	var ran atomic.Int64
	st := &State{}
	tool := does(t, func(context.Context, *Call) (string, error) { ran.Add(1); runtime.Gosched(); return "", nil }, MaxUses(5))
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() { _, _ = tool.Call(context.Background(), NewCall(CallOptions{Args: []byte(`{}`), State: st})) })
	}
	wg.Wait()
	require.EqualValues(t, 5, ran.Load())
}

func TestRetryTransientRetriesOnlyTransientErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("busy")
		run := func(ctx context.Context, attempts int, errs ...error) (n int, took time.Duration, err error) {
			tool := does(t, func(context.Context, *Call) (string, error) { n++; return "", errs[min(n, len(errs))-1] }, RetryTransient(attempts))
			start := time.Now()
			_, err = tool.Call(ctx, NewCall(CallOptions{Args: []byte(`{}`), IdempotencyKey: "k"}))
			return n, time.Since(start), err
		}
		n, took, err := run(t.Context(), 3, Transient(cause), fmt.Errorf("again: %w", Transient(cause)), nil)
		require.NoError(t, err)
		require.Equal(t, 3, n)
		require.GreaterOrEqual(t, took, 150*time.Millisecond)
		require.LessOrEqual(t, took, 300*time.Millisecond)

		n, took, err = run(t.Context(), 10, Transient(cause))
		require.EqualError(t, err, "tools: attempt 10 of 10: busy")
		require.ErrorIs(t, err, cause)
		require.Equal(t, 10, n)
		// The waits are at most 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5 and 5 s.
		require.LessOrEqual(t, took, 21300*time.Millisecond, "every wait is bounded")
		require.GreaterOrEqual(t, took, 10650*time.Millisecond, "the waits double")

		// Each of these is an answer, also where somebody has marked it.
		for _, final := range []error{
			cause, Correct("mend it"), Transient(Correct("mend it")), Transient(Fatal(cause)), Transient(&PendingError{}),
			Transient(&PanicError{Value: 1}), &timeoutError{Tool: "t", After: 1, Err: Transient(cause)},
		} {
			n, took, err = run(t.Context(), 3, final)
			require.Same(t, final, err)
			require.Equal(t, 1, n)
			require.Zero(t, took)
		}

		// It does not wait beyond the deadline or the end of its context.
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		n, took, err = run(ctx, 3, Transient(cause))
		require.EqualError(t, err, "tools: attempt 1 of 3: busy")
		require.Equal(t, 1, n)
		require.Zero(t, took)
		stopped, stop := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Millisecond, stop)
		n, took, err = run(stopped, 3, Transient(cause))
		require.ErrorIs(t, err, cause)
		require.Equal(t, 1, n)
		require.Equal(t, 10*time.Millisecond, took)
	})
	require.NoError(t, Transient(nil))
}

func TestRetryNeverRepeatsAPanic(t *testing.T) {
	t.Parallel()
	n := 0
	_, err := call(does(t, func(context.Context, *Call) (string, error) { n++; panic(Transient(errors.New("x"))) }, RetryTransient(3)), `{}`)
	require.True(t, hasType[*PanicError](err))
	require.Equal(t, 1, n)
}

// A function that changes its arguments does not change what the next attempt gets.
func TestRetryDecodesArgumentsForEachAttempt(t *testing.T) {
	t.Parallel()
	type in struct {
		L []int `json:"l"`
	}
	synctest.Test(t, func(t *testing.T) {
		var seen []int
		tool := mustNew(t, func(_ context.Context, c *Call, in in) (string, error) {
			require.Equal(t, "k", c.IdempotencyKey())
			seen = append(seen, in.L[0])
			in.L[0] = 99
			return "", Transient(errors.New("x"))
		}, RetryTransient(3))
		_, err := tool.Call(t.Context(), NewCall(CallOptions{Args: []byte(`{"l":[7]}`), IdempotencyKey: "k"}))
		require.Error(t, err)
		require.Equal(t, []int{7, 7, 7}, seen)
	})
}

func TestInvalidMiddlewareOptionsPanic(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(){
		"timeout":    func() { Timeout(0) },
		"uses":       func() { MaxUses(0) },
		"no attempt": func() { RetryTransient(0) },
		"attempts":   func() { RetryTransient(11) },
		"truncate":   func() { Truncate(255) },
	} {
		require.Panics(t, f, name)
	}
}

// In the order that the documentation gives, each does its part.
func TestMiddlewareInTheDocumentedOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var trail []AuditRecord
		attempts := 0
		tool := does(t, func(ctx context.Context, _ *Call) (string, error) {
			if attempts++; attempts%2 == 1 {
				return "", Transient(errors.New("busy"))
			}
			return strings.Repeat("x", 1000), nil
		}, mustAudit(t, func(_ context.Context, r AuditRecord) { trail = append(trail, r) }, nil), MaxUses(1), Truncate(256), RetryTransient(3), Timeout(time.Second))
		st := &State{}
		c := NewCall(CallOptions{Args: []byte(`{}`), State: st})
		res, err := tool.Call(t.Context(), c)
		require.NoError(t, err)
		require.Equal(t, "[Cut to fit: 128 of 1000 bytes are shown, and the last value may be incomplete.]", res.Blocks[1].Text)
		_, err = tool.Call(t.Context(), c)
		require.Contains(t, toModel(err), "may be used once")
		require.Equal(t, 2, attempts)
		require.Len(t, trail, 2)
		require.Equal(t, "ok", trail[0].Outcome)
		require.Equal(t, "correction", trail[1].Outcome)
	})
}
