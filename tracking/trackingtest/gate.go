package trackingtest

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
)

// gate makes workers take turns: each of their calls waits until the gate admits
// it, so that a seed determines their order.
type gate struct {
	mu      sync.Mutex
	changed sync.Cond
	running int // workers that do not wait
	waiting []chan struct{}
}

type gatedKey struct{}

// waitTurn waits until a worker of runWorkers is admitted. Other callers do not wait.
func (g *gate) waitTurn(ctx context.Context) {
	if ctx.Value(gatedKey{}) != g {
		return
	}
	turn := make(chan struct{})
	g.mu.Lock()
	g.waiting = append(g.waiting, turn)
	g.running--
	g.changed.Signal()
	g.mu.Unlock()
	<-turn
}

// runWorkers runs the workers and waits for them. Before each turn, which admits
// one worker and sometimes two or three, it calls tick. A worker must make its
// calls sequentially, with the context that it receives.
func (g *gate) runWorkers(ctx context.Context, rnd *rand.Rand, tick func(), workers []func(context.Context)) {
	ctx = context.WithValue(ctx, gatedKey{}, g)
	g.changed.L = &g.mu
	g.running = len(workers)
	for _, work := range workers {
		go func() {
			defer func() {
				g.mu.Lock()
				g.running--
				g.changed.Signal()
				g.mu.Unlock()
			}()
			work(ctx)
		}()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		for g.running > 0 {
			g.changed.Wait()
		}
		if len(g.waiting) == 0 {
			return
		}
		tick()
		var turns []chan struct{}
		n := 1
		if isCrowd, more := rnd.IntN(4) == 3, rnd.IntN(3); isCrowd {
			n += more
		}
		for len(turns) < n && len(g.waiting) > 0 {
			i := rnd.IntN(len(g.waiting))
			turns = append(turns, g.waiting[i])
			g.waiting = slices.Delete(g.waiting, i, i+1)
		}
		g.running = len(turns)
		for _, turn := range turns {
			close(turn)
		}
	}
}
