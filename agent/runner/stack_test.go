//go:build !race

package runner_test

import (
	"context"
	"iter"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/runner"
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
// A processor keeps the stacks of up to 64 goroutines that have ended, so there are many runs and one processor, and no
// heartbeats.
func TestARunThatWaitsHasASmallStack(t *testing.T) { //nolint:paralleltest // it measures the process
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const runs = 600
	asked := make(chan struct{}, runs)
	p := newProcess(t, table.NewMemory(nil), hostOf(t, waitingModel{asked}), &runner.Options{Lease: time.Hour, Heartbeat: 10 * time.Minute})
	collectGarbage()
	before, goroutines := stackBytes(), runtime.NumGoroutine()
	for range runs {
		_, err := p.Start(t.Context(), runner.Request{Scope: newSession(t), Prompt: "Go."})
		require.NoError(t, err)
	}
	for range runs {
		<-asked
	}
	isQuiet := func() bool { return runtime.NumGoroutine() <= goroutines+runs+runs/100 }
	require.Eventually(t, isQuiet, time.Minute, time.Millisecond)
	collectGarbage()
	require.Less(t, (stackBytes()-before)/runs, int64(10<<10))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.NoError(t, p.Shutdown(ctx))
}

// collectGarbage collects garbage until stacks have the size that they need: a collection halves a stack.
func collectGarbage() {
	for range 6 {
		runtime.GC()
	}
}

func stackBytes() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}
