package admission_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// busy refuses a number of writes, and loses the answers to a number of deletions.
type busy struct {
	table.Driver
	left, lost atomic.Int64

	deny, denyQuery atomic.Bool // deletions and queries
}

func (b *busy) Query(ctx context.Context, q table.DriverQuery) (table.DriverPage, error) {
	if b.denyQuery.Load() {
		return table.DriverPage{}, scope.ErrDenied
	}
	return b.Driver.Query(ctx, q)
}

func (b *busy) Delete(ctx context.Context, k table.Key, c table.Cond) error {
	if b.deny.Load() {
		return errors.New("access denied")
	}
	err := b.Driver.Delete(ctx, k, c)
	if b.lost.Add(-1) >= 0 {
		return errors.New("the answer is lost")
	}
	return err
}

func (b *busy) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	if b.left.Add(-1) >= 0 {
		return table.ErrBusy
	}
	return b.Driver.Put(ctx, k, r, c)
}

func TestWaitEntersTheQueueAgainThoughTheTableIsBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &busy{Driver: table.NewMemory(nil)}
		a := newAdmission(t, d, &admission.Options{UserRuns: 1, Lease: 4 * time.Second})
		ann := newUser(t, "acme", "ann")
		running, err := a.Enter(t.Context(), newSession(t, ann), "1")
		require.NoError(t, err)
		waiting, err := a.Enter(t.Context(), newSession(t, ann), "2")
		require.NoError(t, err)
		require.True(t, waiting.Queued())
		for range 3 {
			time.Sleep(2 * time.Second)
			require.NoError(t, running.Renew(t.Context()))
		}
		d.left.Store(1) // the place in the queue has expired
		time.AfterFunc(5*time.Second, func() { _ = running.Leave(t.Context()) })
		require.NoError(t, waiting.Wait(t.Context()))
	})
}

func TestReservationsThatNobodySettlesDoNotFillTheBudget(t *testing.T) {
	if testing.Short() {
		t.Skip("it fills an item")
	}
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(t, table.NewMemory(nil), &admission.Options{Tokens: 1 << 40})
		session := newSession(t, newUser(t, "acme", "ann"))
		for i := range 1400 {
			turn := strings.Repeat("x", 200) + strconv.Itoa(i)
			require.NoError(t, a.Reserve(t.Context(), session, turn, 1, time.Now().Add(time.Second)), i)
			time.Sleep(2 * time.Second)
		}
	})
}

func TestARepeatedLeaveKeepsThePlaceOfTheNextRun(t *testing.T) {
	t.Parallel()
	d := &busy{Driver: table.NewMemory(nil)}
	a := newAdmission(t, d, &admission.Options{UserRuns: 1})
	ann := newUser(t, "acme", "ann")
	first, err := a.Enter(t.Context(), newSession(t, ann), "1")
	require.NoError(t, err)
	d.lost.Store(2)
	require.Error(t, first.Leave(t.Context()), "the places are free, but the answers are lost")
	second, err := a.Enter(t.Context(), newSession(t, ann), "2")
	require.NoError(t, err)
	require.False(t, second.Queued())
	require.NoError(t, first.Leave(t.Context()))
	third, err := a.Enter(t.Context(), newSession(t, ann), "3")
	require.NoError(t, err)
	require.True(t, third.Queued(), "the second run has its place")
}

// A run that was admitted is not turned away because its place in the queue could not be freed, and that place does not
// hold up others.
func TestARunIsAdmittedThoughItsPlaceInTheQueueIsNotFreed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &busy{Driver: table.NewMemory(nil)}
		a := newAdmission(t, d, &admission.Options{UserRuns: 3, TenantRuns: 2})
		ann := newUser(t, "acme", "ann")
		var running []*admission.Ticket
		for i := range 2 {
			running = append(running, must.Get(a.Enter(t.Context(), newSession(t, ann), strconv.Itoa(i))))
		}
		session := newSession(t, ann)
		require.True(t, must.Get(a.Enter(t.Context(), session, "3")).Queued())
		for _, r := range running {
			require.NoError(t, r.Leave(t.Context()))
		}
		d.deny.Store(true)
		ticket, err := a.Enter(t.Context(), session, "3") // the process that continues the run
		require.NoError(t, err)
		require.False(t, ticket.Queued())
		d.deny.Store(false)
		require.False(t, must.Get(a.Enter(t.Context(), newSession(t, ann), "4")).Queued(), "a place is free")
	})
}

// A misconfiguration does not look like a long queue.
func TestWaitReturnsErrorsThatLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &busy{Driver: table.NewMemory(nil)}
		a := newAdmission(t, d, &admission.Options{UserRuns: 1})
		ann := newUser(t, "acme", "ann")
		must.Get(a.Enter(t.Context(), newSession(t, ann), "1"))
		waiting := must.Get(a.Enter(t.Context(), newSession(t, ann), "2"))
		d.denyQuery.Store(true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		begin := time.Now()
		require.ErrorIs(t, waiting.Wait(ctx), scope.ErrDenied)
		require.Less(t, time.Since(begin), time.Minute)
	})
}

// A table that fails for longer than a lease is reported, since the run's place in the queue has then expired.
func TestWaitReturnsTheErrorOfATableThatFailsForALease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &broken{Driver: table.NewMemory(nil)}
		a := newAdmission(t, d, &admission.Options{UserRuns: 1, Lease: 10 * time.Second})
		ann := newUser(t, "acme", "ann")
		running := must.Get(a.Enter(t.Context(), newSession(t, ann), "1"))
		waiting := must.Get(a.Enter(t.Context(), newSession(t, ann), "2"))
		d.err = errors.New("no such table")
		time.AfterFunc(5*time.Second, func() { d.healed.Store(true) }) // too short to matter
		time.AfterFunc(8*time.Second, func() { _ = running.Leave(context.Background()) })
		require.NoError(t, waiting.Wait(t.Context()))

		more := must.Get(a.Enter(t.Context(), newSession(t, ann), "3"))
		require.True(t, more.Queued())
		d.healed.Store(false)
		begin := time.Now()
		require.ErrorIs(t, more.Wait(t.Context()), d.err)
		require.InDelta(t, 10, time.Since(begin).Seconds(), 3)
	})
}

// hanging does not answer writes until their context ends.
type hanging struct {
	table.Driver
	hangs atomic.Bool
}

func (d *hanging) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	if d.hangs.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return d.Driver.Put(ctx, k, r, c)
}

// A call that waits for the table does not hold up others for longer than they want to wait.
func TestATicketWhoseTableHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &hanging{Driver: table.NewMemory(nil)}
		ticket, err := newAdmission(t, d, nil).Enter(t.Context(), newSession(t, newUser(t, "acme", "ann")), "1")
		require.NoError(t, err)
		time.Sleep(30 * time.Second)
		d.hangs.Store(true)
		renewal, cancel := context.WithCancel(t.Context())
		renewed := make(chan error, 1)
		go func() { renewed <- ticket.Renew(renewal) }()
		synctest.Wait()
		begin := time.Now()
		require.False(t, ticket.Queued())
		require.NoError(t, ticket.Wait(t.Context()))
		require.Zero(t, time.Since(begin))
		ctx, cancelLeave := context.WithTimeout(t.Context(), time.Second)
		defer cancelLeave()
		require.ErrorIs(t, ticket.Leave(ctx), context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(begin))
		cancel()
		require.ErrorIs(t, <-renewed, context.Canceled)
		require.NoError(t, ticket.Leave(t.Context()))
	})
}
