package photo

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// line lets callers queue up at a gate one after the other, and notes in which order they are admitted.
type line struct {
	t     *testing.T
	gate  *gate
	mu    sync.Mutex
	order []string
}

// join queues up for n bytes and waits until that is done. The bytes are kept.
func (l *line) join(ctx context.Context, tenant, name string, n int64) {
	go func() {
		if l.gate.acquire(ctx, tenant, n) == nil {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.order = append(l.order, name)
		}
	}()
	synctest.Wait()
}

func (l *line) admitted(want ...string) {
	l.t.Helper()
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	require.Equal(l.t, want, l.order)
}

// A tenant with many photos does not keep another one waiting.
func TestTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &line{t: t, gate: newGate(10)}
		l.join(t.Context(), "acme", "a1", 10)
		for _, name := range []string{"a2", "a3", "a4"} {
			l.join(t.Context(), "acme", name, 10)
		}
		l.join(t.Context(), "globex", "g1", 10)
		want := []string{"a1"}
		for _, next := range []string{"a2", "g1", "a3", "a4"} {
			l.admitted(want...)
			l.gate.release(10)
			want = append(want, next)
		}
		l.admitted(want...)
		l.gate.release(10)
		require.EqualValues(t, 10, l.gate.free)
		require.Empty(t, l.gate.turns)
		require.Empty(t, l.gate.queues)
	})
}

// Small requests share the room, and do not overtake a large one whose turn it is.
func TestNobodyOvertakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &line{t: t, gate: newGate(10)}
		l.join(t.Context(), "acme", "a1", 4)
		l.join(t.Context(), "globex", "g1", 4)
		l.join(t.Context(), "acme", "large", 8)
		l.join(t.Context(), "globex", "g2", 1)
		l.admitted("a1", "g1")
		l.gate.release(4)
		l.admitted("a1", "g1")
		l.gate.release(4)
		synctest.Wait()
		require.ElementsMatch(t, []string{"a1", "g1", "large", "g2"}, l.order)
		l.gate.release(9)
	})
}

// A caller whose context ends leaves the line, and those behind move up.
func TestLeaveTheLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &line{t: t, gate: newGate(10)}
		l.join(t.Context(), "acme", "a1", 5)
		ctx, leave := context.WithCancel(t.Context())
		l.join(ctx, "acme", "large", 10)
		l.join(t.Context(), "globex", "g1", 5)
		l.admitted("a1")
		leave()
		l.admitted("a1", "g1")
		l.gate.release(10)
		require.EqualValues(t, 10, l.gate.free)
		require.ErrorIs(t, l.gate.acquire(ctx, "acme", 1), context.Canceled)
	})
}
