package photo

import (
	"context"
	"slices"
	"sync"
)

// gate is a budget of bytes that callers share. Those who wait are admitted in turns by tenant, and in their order
// within one, so that a tenant with many photos does not keep the others waiting. Nobody overtakes the one whose turn
// it is, so that large requests are not starved by small ones.
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

// acquire waits until n bytes are free, which must not be more than the gate has, and takes them. An error is ctx's.
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

// release gives n bytes back.
func (g *gate) release(n int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.free += n
	g.admit()
}

// abandon removes w from its queue, or gives its bytes back if it has just been admitted.
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

// admit lets in whose turn it is, as long as there is room. The caller holds mu.
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
