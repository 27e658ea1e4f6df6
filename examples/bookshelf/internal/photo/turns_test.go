package photo

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
)

// crowd begins pieces of work that end with the test.
type crowd struct {
	t       *testing.T
	turns   turns
	end     chan struct{}
	running map[string]int // by tenant
	began   chan string
}

func newCrowd(t *testing.T) *crowd {
	c := &crowd{t: t, turns: newTurns(), end: make(chan struct{}), running: map[string]int{}, began: make(chan string, 100)}
	t.Cleanup(func() { close(c.end) })
	return c
}

func (c *crowd) begin(tenant string, memory int64) {
	s := must.Get(scope.Tenant(tenant))
	go func() {
		assert.NoError(c.t, c.turns.doPiece(context.WithoutCancel(c.t.Context()), s, memory, func() error {
			c.began <- tenant
			<-c.end
			return nil
		}))
	}()
	synctest.Wait()
	for len(c.began) > 0 {
		c.running[<-c.began]++
	}
}

// However much work one tenant has, a piece of another tenant's begins at once, on a processor and with memory.
func TestOneTenantLeavesRoomForAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		processors := runtime.GOMAXPROCS(0)
		c.begin("acme", memoryBudget)
		for range 2 * processors {
			c.begin("acme", reserve)
		}
		require.Equal(t, map[string]int{"acme": 1}, c.running, "the tenant has its share of the memory")
		c.begin("globex", reserve)
		require.Equal(t, map[string]int{"acme": 1, "globex": 1}, c.running)
	})
}

// Work that waits for a processor does not hold memory: another tenant's largest photo is decoded at once.
func TestWaitingWorkHoldsNoMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		processors := runtime.GOMAXPROCS(0)
		for range processors {
			c.begin("acme", 1)
		}
		for range 4 {
			c.begin("acme", MaxMemory)
		}
		require.Equal(t, map[string]int{"acme": processors}, c.running)
		c.begin("globex", memoryBudget)
		require.Equal(t, map[string]int{"acme": processors, "globex": 1}, c.running)
	})
}
