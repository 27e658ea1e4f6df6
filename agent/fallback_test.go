package agent

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFallbackAsksTheNextModel(t *testing.T) {
	t.Parallel()
	busy := step{&ModelError{Code: CodeThrottled, Message: "Busy."}}
	ok := step{text("second"), end}
	for name, c := range map[string]struct {
		first step
		code  Code // of the error; empty if the second model answers
		asked int  // how often the second is asked
	}{
		"throttled":         {busy, "", 1},
		"unavailable":       {step{&ModelError{Code: CodeUnavailable}}, "", 1},
		"silence":           {step{&ModelError{Code: CodeTimeout}}, "", 1},
		"retryable":         {step{&ModelError{Code: "odd", Retryable: true}}, "", 1},
		"denied":            {step{&ModelError{Code: CodeAccessDenied}}, CodeAccessDenied, 0},
		"refused":           {step{&ModelError{Code: CodeInvalidCall}}, CodeInvalidCall, 0},
		"an unknown error":  {step{errors.New("?")}, CodeInternal, 0},
		"after a word":      {step{text("fir"), &ModelError{Code: CodeThrottled}}, CodeThrottled, 0},
		"after its usage":   {step{UsageReport{}, &ModelError{Code: CodeThrottled}}, CodeThrottled, 0},
		"cut":               {step{}, CodeTruncated, 0},
		"all is well":       {step{text("first"), end}, "", 0},
		"a filter, at once": {step{StopPart{StopContentFiltered}}, CodeFiltered, 0},
	} {
		t.Run(name, func(t *testing.T) {
			second := play(ok)
			done, err := newAgent(t, Fallback(play(c.first), second), Limits{}).Run(t.Context(), Input{Prompt: "Go."})
			require.Len(t, second.requests, c.asked)
			if c.code == "" {
				require.NoError(t, err)
				require.Equal(t, OutcomeComplete, done.Outcome)
				return
			}
			failed, _ := errors.AsType[*RunError](err)
			require.Equal(t, c.code, failed.Code)
		})
	}

	t.Run("all fail", func(t *testing.T) {
		one, two := errors.New("one"), errors.New("two")
		_, err := newAgent(t, Fallback(play(step{&ModelError{Code: CodeThrottled, Err: one}}), play(step{&ModelError{Code: CodeUnavailable, Message: "Away.", Err: two}})), Limits{}).Run(t.Context(), Input{Prompt: "Go."})
		failed, _ := errors.AsType[*RunError](err)
		require.Equal(t, CodeUnavailable, failed.Code)
		require.Equal(t, "Away.", failed.Message)
		require.ErrorIs(t, err, one)
		require.ErrorIs(t, err, two)
	})
	t.Run("none", func(t *testing.T) {
		for _, m := range []Model{Fallback(), Fallback(play(ok), Fallback())} {
			_, err := New(m, nil)
			require.ErrorIs(t, err, errNoModels)
			_, err = Summarise(m, 1000)
			require.ErrorIs(t, err, errNoModels)
		}
	})
	t.Run("nil", func(t *testing.T) {
		_, err := New(Fallback(play(ok), nil), nil)
		require.EqualError(t, err, "agent: the model must not be nil: model 1 of the Fallback")
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		second := play(ok)
		done, err := newAgent(t, Fallback(play(append(step{func(context.Context) { cancel() }}, busy...)), second), Limits{}).Run(ctx, Input{Prompt: "Go."})
		require.NoError(t, err)
		require.Equal(t, OutcomeCancelled, done.Outcome)
		require.Empty(t, second.requests)
	})
	t.Run("left", func(t *testing.T) {
		second := play(ok)
		for range newAgent(t, Fallback(play(step{text("a"), text("b"), &ModelError{Code: CodeThrottled}}), second), Limits{}).Stream(t.Context(), Input{Prompt: "Go."}) {
			break
		}
		require.Empty(t, second.requests)
	})
	require.Equal(t, ModelInfo{Provider: "p", Model: "m"}, Fallback(described{play()}, play()).(Described).Info())
	require.Zero(t, Fallback(play()).(Described).Info())
}

// described is a Model with a ModelInfo.
type described struct{ Model }

func (described) Info() ModelInfo { return ModelInfo{Provider: "p", Model: "m"} }
