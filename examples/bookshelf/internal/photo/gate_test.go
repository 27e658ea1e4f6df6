package photo

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// waitingLine adds callers to a gate in order and records the order in which they are admitted.
type waitingLine struct {
	t     *testing.T
	gate  *gate
	mu    sync.Mutex
	order []string
}

// enqueue queues up for n bytes and waits until that is done. The bytes are kept.
func (l *waitingLine) enqueue(ctx context.Context, tenant, name string, n int64) {
	go func() {
		if l.gate.acquire(ctx, tenant, n) == nil {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.order = append(l.order, name)
		}
	}()
	synctest.Wait()
}

func (l *waitingLine) requireAdmitted(want ...string) {
	l.t.Helper()
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	require.Equal(l.t, want, l.order)
}

func TestGateAdmitsTenantsInTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &waitingLine{t: t, gate: newGate(10)}
		l.enqueue(t.Context(), "acme", "a1", 10)
		for _, name := range []string{"a2", "a3", "a4"} {
			l.enqueue(t.Context(), "acme", name, 10)
		}
		l.enqueue(t.Context(), "globex", "g1", 10)
		want := []string{"a1"}
		for _, next := range []string{"a2", "g1", "a3", "a4"} {
			l.requireAdmitted(want...)
			l.gate.release(10)
			want = append(want, next)
		}
		l.requireAdmitted(want...)
		l.gate.release(10)
		require.EqualValues(t, 10, l.gate.free)
		require.Empty(t, l.gate.turns)
		require.Empty(t, l.gate.queues)
	})
}

// Small requests do not overtake a large one whose turn it is.
func TestSmallRequestsDoNotStarveLargeOnes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &waitingLine{t: t, gate: newGate(10)}
		l.enqueue(t.Context(), "acme", "a1", 4)
		l.enqueue(t.Context(), "globex", "g1", 4)
		l.enqueue(t.Context(), "acme", "large", 8)
		l.enqueue(t.Context(), "globex", "g2", 1)
		l.requireAdmitted("a1", "g1")
		l.gate.release(4)
		l.requireAdmitted("a1", "g1")
		l.gate.release(4)
		synctest.Wait()
		require.ElementsMatch(t, []string{"a1", "g1", "large", "g2"}, l.order)
		l.gate.release(9)
	})
}

func TestGateRemovesAWaiterWhoseContextEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &waitingLine{t: t, gate: newGate(10)}
		l.enqueue(t.Context(), "acme", "a1", 5)
		ctx, leave := context.WithCancel(t.Context())
		l.enqueue(ctx, "acme", "large", 10)
		l.enqueue(t.Context(), "globex", "g1", 5)
		l.requireAdmitted("a1")
		leave()
		l.requireAdmitted("a1", "g1")
		l.gate.release(10)
		require.EqualValues(t, 10, l.gate.free)
		require.ErrorIs(t, l.gate.acquire(ctx, "acme", 1), context.Canceled)
	})
}
