package photo

import (
	"context"
	"slices"
	"sync"
)

// gate is a budget of bytes that callers share. Waiting callers are admitted in turns by tenant, and in order within
// one, so that a tenant with many photos does not delay the others. Nobody overtakes the next caller, so that small
// requests do not starve large ones.
type gate struct {
	mu     sync.Mutex
	free   int64
	queues map[string][]*waiter // by tenant; none is empty
	turns  []string             // the tenants with a queue; the first is next
}

type waiter struct {
	bytes    int64
	admitted chan struct{}
}

func newGate(bytes int64) *gate { return &gate{free: bytes, queues: make(map[string][]*waiter)} }

// acquire waits until n bytes are free and takes them. n must not exceed the gate's total. It returns ctx's error.
func (g *gate) acquire(ctx context.Context, tenant string, n int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g.mu.Lock()
	if len(g.turns) == 0 && n <= g.free {
		g.free -= n
		g.mu.Unlock()
		return nil
	}
	w := &waiter{bytes: n, admitted: make(chan struct{})}
	if len(g.queues[tenant]) == 0 {
		g.turns = append(g.turns, tenant)
	}
	g.queues[tenant] = append(g.queues[tenant], w)
	g.mu.Unlock()
	select {
	case <-w.admitted:
		return nil
	case <-ctx.Done():
		g.abandon(tenant, w)
		return ctx.Err()
	}
}

// release returns n bytes to the budget.
func (g *gate) release(n int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.free += n
	g.admit()
}

// abandon removes w from its queue, or releases its bytes if it has just been admitted.
func (g *gate) abandon(tenant string, w *waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	queue := g.queues[tenant]
	if i := slices.Index(queue, w); i < 0 {
		g.free += w.bytes
	} else if queue = slices.Delete(queue, i, i+1); len(queue) > 0 {
		g.queues[tenant] = queue
	} else {
		delete(g.queues, tenant)
		g.turns = slices.DeleteFunc(g.turns, func(t string) bool { return t == tenant })
	}
	g.admit()
}

// admit admits waiting callers in turn until the budget is full. The caller holds mu.
func (g *gate) admit() {
	for len(g.turns) > 0 {
		tenant := g.turns[0]
		queue := g.queues[tenant]
		if queue[0].bytes > g.free {
			return
		}
		g.free -= queue[0].bytes
		close(queue[0].admitted)
		g.turns = g.turns[1:]
		if len(queue) > 1 {
			g.queues[tenant] = queue[1:]
			g.turns = append(g.turns, tenant)
		} else {
			delete(g.queues, tenant)
		}
	}
}
