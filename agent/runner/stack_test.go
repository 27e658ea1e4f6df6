//go:build !race

package runner_test

import (
	"context"
	"iter"
	"math"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// waitingModel is a Model that does not answer until its context ends.
type waitingModel struct{ asked chan<- struct{} }

func (m waitingModel) Stream(ctx context.Context, _ *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		m.asked <- struct{}{}
		<-ctx.Done()
		yield(nil, ctx.Err())
	}
}

// A run that waits for its model has one goroutine, whose stack the garbage collector shrinks to 8 KB: the memory of a
// process with many runs is that of their stacks, twice. It does not run beside other tests, and the race
// detector makes frames larger.
//
// Goroutines that have ended keep their stacks for a while, and up to 64 a processor for longer. So many runs start one
// after another on one processor, heartbeats are rare, and the logs are stored before the stacks are measured.
func TestARunThatWaitsHasASmallStack(t *testing.T) { //nolint:paralleltest // it measures the process
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const runs = 600
	asked := make(chan struct{})
	p := newProcess(t, table.NewMemory(nil), hostOf(t, waitingModel{asked}), &runner.Options{Lease: time.Hour, Heartbeat: 10 * time.Minute})
	before, goroutines := settledStackBytes(), runtime.NumGoroutine()
	started := map[string]scope.Scope{}
	for range runs {
		session := newSession(t)
		run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go."})
		require.NoError(t, err)
		started[run.ID] = session
		<-asked
	}
	for id, session := range started { // until the log has stored all events
		for e, err := range p.Events(t.Context(), session, id, "") {
			require.NoError(t, err)
			if e.Type() == "step_started" {
				break
			}
		}
	}
	isQuiet := func() bool { return runtime.NumGoroutine() <= goroutines+runs+runs/100 }
	require.Eventually(t, isQuiet, time.Minute, time.Millisecond)
	require.Less(t, (settledStackBytes()-before)/runs, int64(10<<10))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.NoError(t, p.Shutdown(ctx))
}

// settledStackBytes returns the memory of stacks when six collections in a row do not free any. A collection halves a
// stack that is hardly used.
func settledStackBytes() int64 {
	least := int64(math.MaxInt64)
	for unchanged := 0; unchanged < 6; unchanged++ {
		runtime.GC()
		if n := stackBytes(); n < least {
			least, unchanged = n, -1
		}
	}
	return least
}

func stackBytes() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}
