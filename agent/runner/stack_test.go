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
func TestARunThatWaitsHasASmallStack(t *testing.T) { //nolint:paralleltest // it measures the process
	const runs = 200
	asked := make(chan struct{}, runs)
	p := newProcess(t, table.NewMemory(nil), hostOf(t, waitingModel{asked}), nil)
	before, goroutines := stackBytes(), runtime.NumGoroutine()
	for range runs {
		_, err := p.Start(t.Context(), runner.Request{Scope: newSession(t), Prompt: "Go."})
		require.NoError(t, err)
	}
	for range runs {
		<-asked
	}
	isQuiet := func() bool { return runtime.NumGoroutine() <= goroutines+runs+runs/10 }
	require.Eventually(t, isQuiet, time.Minute, time.Millisecond)
	for range 6 { // a collection halves a stack
		runtime.GC()
	}
	require.Less(t, (stackBytes()-before)/runs, uint64(10<<10))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.NoError(t, p.Shutdown(ctx))
}

func stackBytes() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
