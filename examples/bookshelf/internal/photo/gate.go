package photo

import (
	"context"
	"slices"
	"sync"
)

// gate is a budget of bytes that callers share. It admits waiting callers in turns by tenant, and in order within one
// tenant, so that a tenant with many photos does not delay the others. A caller never overtakes the next one in turn,
// so that small requests do not starve large ones.
type gate struct {
	mu     sync.Mutex
	free   int64
	queues map[string][]*waiter // by tenant; no queue is empty
	turns  []string             // the tenants that have a queue; the first is next
}

type waiter struct {
	bytes    int64
	admitted chan struct{}
}

func newGate(bytes int64) *gate { return &gate{free: bytes, queues: make(map[string][]*waiter)} }

// acquire waits until n bytes are free and takes them. n must not exceed the total of the gate. It returns the error of
// ctx if ctx ends first.
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
		g.removeWaiter(tenant, w)
		return ctx.Err()
	}
}

// release returns n bytes to the budget and admits waiting callers.
func (g *gate) release(n int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.free += n
	g.admitWaiters()
}

// removeWaiter removes w from its queue. It releases the bytes of w if w has just been admitted.
func (g *gate) removeWaiter(tenant string, w *waiter) {
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
	g.admitWaiters()
}

// admitWaiters admits waiting callers in turn until the next one does not fit. The caller must hold mu.
func (g *gate) admitWaiters() {
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
