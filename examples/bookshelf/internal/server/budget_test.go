package server_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/internal/must"
)

// spend returns an answer with this usage.
func spend(tokens int64) answer {
	return func(_ context.Context, yield func(agent.Delta, error) bool) {
		_ = yield(agent.TextDelta{Text: "ok"}, nil) && yield(agent.UsageReport{Usage: agent.Usage{Input: tokens}}, nil) &&
			yield(agent.StopPart{Reason: agent.StopEndTurn}, nil)
	}
}

// The budget of a tenant is that of all its users. A run that it ends can be tried again in the next period.
func TestBudgetOfATenant(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.options.Admission = must.Get(admission.New(w.table.System(), &admission.Options{Tokens: 1000}))
		w.options.StepTokens = 100
		w.open(w.options)
		read := func(who, id string, tokens int64) map[string]any {
			w.as = who
			w.model.then(spend(tokens))
			return w.extract(id).last(t)
		}
		w.as = "acme ann"
		first := w.uploaded(picture(t))
		require.Equal(t, "complete", read("acme ann", first, 950)["type"])
		w.as = "acme bob"
		second := w.uploaded(picture(t))
		time.Sleep(10 * time.Hour)
		end := read("acme bob", second, 1)
		require.Equal(t, map[string]any{
			"type": "error", "code": "budget", "message": "The token budget is used up. Try again in 14 hours.",
		}, end)
		file := w.get("/api/ops/files/" + second).json(t)["file"].(map[string]any)
		require.Equal(t, "FAILED", file["current_status"])
		require.Equal(t, true, file["retryable"])
		w.as = "globex eve"
		require.Equal(t, "complete", read("globex eve", w.uploaded(picture(t)), 1)["type"])
		w.as = "acme ann"
		require.Equal(t, "budget", read("acme ann", first, 1)["code"], "corrections count as well")
		time.Sleep(14 * time.Hour)
		require.Equal(t, "complete", read("acme bob", second, 1)["type"])
		require.Equal(t, "complete", read("acme ann", first, 1)["type"])
	})
}
