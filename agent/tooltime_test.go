package agent

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

// A tool's timeout overrides the default of the agent, but not a limit that is set.
func TestToolMayExtendTheDefaultTimeout(t *testing.T) {
	t.Parallel()
	type in struct{}
	naps := func(d time.Duration, heeds bool, mw ...tools.Middleware) *tools.Tool {
		tool, err := tools.New("nap", "Naps.", func(ctx context.Context, _ *tools.Call, _ in) (string, error) {
			done := ctx.Done()
			if !heeds {
				done = nil
			}
			select {
			case <-time.After(d):
				return "rested", nil
			case <-done:
				return "", ctx.Err()
			}
		}, mw...)
		require.NoError(t, err)
		return tool
	}
	for name, c := range map[string]struct {
		tool  *tools.Tool
		limit time.Duration
		took  time.Duration
		says  string
	}{
		"no timeout":            {naps(3*time.Minute, true), 0, time.Minute, "did not finish within 1m0s"},
		"a longer one":          {naps(3*time.Minute, true, tools.Timeout(5*time.Minute)), 0, 3 * time.Minute, "rested"},
		"a longer one, reached": {naps(9*time.Minute, true, tools.Timeout(5*time.Minute)), 0, 5 * time.Minute, "did not finish within 5m0s"},
		"a shorter one":         {naps(3*time.Minute, true, tools.Timeout(time.Second)), 0, time.Second, "did not finish within 1s"},
		"a limit that is set":   {naps(3*time.Minute, true, tools.Timeout(5*time.Minute)), time.Minute, time.Minute, "did not finish within 1m0s"},
		"a retried one":         {naps(3*time.Minute, true, tools.RetryTransient(3), tools.Timeout(4*time.Minute)), 0, 3 * time.Minute, "rested"},
		"deaf":                  {naps(9*time.Minute, false), 0, time.Minute + grace, "did not finish within 1m0s"},
		"deaf, a longer one":    {naps(9*time.Minute, false, tools.Timeout(5*time.Minute)), 0, 5*time.Minute + 2*grace, "did not finish within 5m2s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				m := play(step{use("c1", "nap", `{}`), calls}, step{text("ok"), StopPart{StopEndTurn}})
				done, err := newAgent(t, m, Limits{ToolTimeout: c.limit}, c.tool).Run(t.Context(), Input{Scope: tenant(t, "t1"), Prompt: "?"})
				require.NoError(t, err)
				require.Equal(t, c.took, time.Since(start))
				require.Contains(t, done.History.Turns[0].Messages[2].Parts[0].Result.Blocks[0].Text, c.says)
				time.Sleep(10 * time.Minute) // in a bubble: until the deaf tool has returned
			})
		})
	}
}

// When the run ends, a call with more time has the same grace as any other.
func TestExtendedTimeoutEndsWithTheRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow, err := tools.New("slow", "Is slow.", func(ctx context.Context, _ *tools.Call, _ struct{}) (string, error) {
			<-ctx.Done()
			time.Sleep(grace / 2)
			return "", ctx.Err()
		}, tools.Timeout(time.Hour))
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		a := newAgent(t, play(step{use("c1", "slow", `{}`), calls}), Limits{}, slow)
		start := time.Now()
		done, err := a.Run(ctx, Input{Scope: tenant(t, "t1"), Prompt: "?"})
		require.NoError(t, err)
		require.Equal(t, OutcomeCancelled, done.Outcome)
		require.Equal(t, 10*time.Minute+grace/2, time.Since(start))
		require.Zero(t, a.Abandoned())
	})
}
