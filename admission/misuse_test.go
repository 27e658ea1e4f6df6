package admission_test

import (
	"context"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/scope/table"
)

func TestRunsOfTwoSessionsWithOneNameAreTwo(t *testing.T) {
	t.Parallel()
	a := newAdmission(t, table.NewMemory(nil), &admission.Options{TenantRuns: 1, Tokens: 100})
	ann, ben := newSession(t, newUser(t, "acme", "ann")), newSession(t, newUser(t, "acme", "ben"))
	first, err := a.Enter(t.Context(), ann, "1")
	require.NoError(t, err)
	second, err := a.Enter(t.Context(), ben, "1")
	require.NoError(t, err)
	assert.Equal(t, []bool{false, true}, []bool{first.Queued(), second.Queued()})

	expires := time.Now().Add(time.Hour)
	require.NoError(t, a.Reserve(t.Context(), ann, "1", 60, expires))
	require.ErrorAs(t, a.Reserve(t.Context(), ben, "1", 60, expires), new(*admission.FullError))
}

func TestEnterCostsThreeReads(t *testing.T) {
	t.Parallel()
	store := &calls{Driver: table.NewMemory(nil)}
	a := newAdmission(t, store, &admission.Options{UserRuns: 20, TenantRuns: 10, Queue: 5})
	user := newUser(t, "acme", "ann")
	for i := range 15 {
		ticket, err := a.Enter(t.Context(), newSession(t, user), "1")
		require.NoError(t, err)
		want := [2]int64{3, 2}
		if i >= 10 {
			want = [2]int64{3, 1}
		}
		reads, writes := store.take()
		require.Equal(t, want, [2]int64{reads, writes}, "run %d, queued %t", i, ticket.Queued())
	}
}

func TestAdmittedRunKeepsItsPlacesAfterItsPlaceInTheQueueExpired(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(t, table.NewMemory(nil), &admission.Options{TenantRuns: 1, Lease: 30 * time.Second})
		user := newUser(t, "acme", "ann")
		_, err := a.Enter(t.Context(), newSession(t, user), "1")
		require.NoError(t, err)
		queued, err := a.Enter(t.Context(), newSession(t, user), "2")
		require.NoError(t, err)
		require.True(t, queued.Queued())
		time.Sleep(time.Minute)
		require.NoError(t, queued.Wait(t.Context()))
		time.Sleep(20 * time.Second)
		require.NoError(t, queued.Renew(t.Context()))
	})
}

// broken is a driver whose queries return err if that is set.
type broken struct {
	table.Driver

	err    error
	healed atomic.Bool
}

func (b *broken) Query(ctx context.Context, q table.DriverQuery) (table.DriverPage, error) {
	if b.err != nil && !b.healed.Load() && ctx.Err() == nil {
		return table.DriverPage{}, b.err
	}
	return b.Driver.Query(ctx, q)
}

func TestWaitReturnsTheLastErrorOfTheTable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &broken{Driver: table.NewMemory(nil)}
		a := newAdmission(t, d, &admission.Options{TenantRuns: 1})
		user := newUser(t, "acme", "ann")
		_, err := a.Enter(t.Context(), newSession(t, user), "1")
		require.NoError(t, err)
		queued, err := a.Enter(t.Context(), newSession(t, user), "2")
		require.NoError(t, err)
		d.err = table.ErrBusy
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err = queued.Wait(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, table.ErrBusy)
	})
}

func TestExpiriesMustBeInTheFuture(t *testing.T) {
	t.Parallel()
	a := newAdmission(t, table.NewMemory(nil), &admission.Options{Tokens: 100})
	s := newSession(t, newUser(t, "acme", "ann"))
	for _, expires := range []time.Time{{}, time.Now().Add(-time.Second)} {
		require.ErrorIs(t, a.OpenGrant(t.Context(), s, expires), admission.ErrInvalid)
		require.ErrorIs(t, a.Reserve(t.Context(), s, "1", 1, expires), admission.ErrInvalid)
	}
}

func TestHugeReservationDoesNotOverflow(t *testing.T) {
	t.Parallel()
	a := newAdmission(t, table.NewMemory(nil), &admission.Options{Tokens: 100})
	s, expires := newSession(t, newUser(t, "acme", "ann")), time.Now().Add(time.Hour)
	require.NoError(t, a.Reserve(t.Context(), s, "1", 60, expires))
	require.ErrorAs(t, a.Reserve(t.Context(), s, "2", math.MaxInt64, expires), new(*admission.FullError))
	require.NoError(t, a.Settle(t.Context(), s, "1", math.MaxInt64))
	require.ErrorAs(t, a.Reserve(t.Context(), s, "3", 1, expires), new(*admission.FullError))
}
