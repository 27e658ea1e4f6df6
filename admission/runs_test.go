package admission_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

func TestNewRejectsInvalidOptions(t *testing.T) {
	t.Parallel()
	_, err := admission.New(nil, nil)
	require.ErrorIs(t, err, admission.ErrInvalid)
	for _, o := range []admission.Options{
		{UserRuns: -1}, {TenantRuns: admission.MaxLimit + 1}, {Queue: -1}, {Grants: -1}, {Tokens: -1}, {Period: time.Millisecond}, {Lease: -time.Second},
	} {
		_, err := admission.New(newTable(t, table.NewMemory(nil)).System(), &o)
		require.ErrorIs(t, err, admission.ErrInvalid, "%+v", o)
	}
}

func TestRunsBeyondTheLimitsWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		o := &admission.Options{UserRuns: 2, TenantRuns: 3, Queue: 3}
		a, elsewhere := newAdmission(t, d, o), newAdmission(t, d, o)
		ann, ben := newUser(t, "acme", "ann"), newUser(t, "acme", "ben")
		enter := func(a *admission.Admission, user scope.Scope, run string) *admission.Ticket {
			ticket, err := a.Enter(t.Context(), newSession(t, user), run)
			require.NoError(t, err, run)
			time.Sleep(time.Millisecond)
			return ticket
		}
		ann1, ann2 := enter(a, ann, "ann1"), enter(a, ann, "ann2")
		ann3 := enter(a, ann, "ann3")
		assert.Equal(t, []bool{false, false, true}, []bool{ann1.Queued(), ann2.Queued(), ann3.Queued()}, "the user's limit")
		ben1 := enter(a, ben, "ben1")
		assert.False(t, ben1.Queued(), "a waiting run of one user does not hold up another user")
		ben2, ben3 := enter(elsewhere, ben, "ben2"), enter(a, ben, "ben3")
		assert.True(t, ben2.Queued(), "the tenant's limit")
		_, err := a.Enter(t.Context(), newSession(t, ben), "ben4")
		var full *admission.FullError
		require.ErrorAs(t, err, &full)
		assert.Equal(t, "queued runs", full.Kind)
		assert.GreaterOrEqual(t, full.RetryAfter, 5*time.Second)
		assert.False(t, enter(a, newUser(t, "globex", "ann"), "other").Queued(), "another tenant")

		var order []string
		var mu sync.Mutex
		var group sync.WaitGroup
		for name, ticket := range map[string]*admission.Ticket{"ann3": ann3, "ben2": ben2, "ben3": ben3} {
			group.Go(func() {
				if err := ticket.Wait(t.Context()); err != nil {
					t.Errorf("wait: %v", err)
				}
				mu.Lock()
				order = append(order, name)
				mu.Unlock()
				time.Sleep(10 * time.Second)
				assert.NoError(t, ticket.Leave(t.Context()))
			})
		}
		admitted := func() []string {
			time.Sleep(5 * time.Second)
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(order)
		}
		assert.Empty(t, admitted())
		require.NoError(t, ben1.Leave(t.Context()))
		assert.Equal(t, []string{"ben2"}, admitted(), "ann has no place yet; of the others the first")
		require.NoError(t, ann1.Leave(t.Context()))
		require.NoError(t, ann1.Leave(t.Context()), "twice")
		require.NoError(t, ann2.Leave(t.Context()))
		group.Wait()
		assert.Len(t, order, 3)
	})
}

func TestNewRunDoesNotOvertakeTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(t, table.NewMemory(nil), &admission.Options{TenantRuns: 1})
		enter := func(user, run string) *admission.Ticket {
			ticket, err := a.Enter(t.Context(), newSession(t, newUser(t, "acme", user)), run)
			require.NoError(t, err)
			time.Sleep(time.Millisecond)
			return ticket
		}
		first, second := enter("ann", "1"), enter("ben", "2")
		require.NoError(t, first.Leave(t.Context()))
		third := enter("cid", "3")
		assert.True(t, third.Queued())
		require.NoError(t, second.Wait(t.Context()))
		require.NoError(t, second.Leave(t.Context()))
		require.NoError(t, third.Wait(t.Context()))
	})
}

// TestPlacesOfAKilledProcess lets a process die: another one continues one of its runs, and owns its places, and the
// places of the others become free when their lease has expired.
func TestPlacesOfAKilledProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		o := &admission.Options{TenantRuns: 2, Queue: 1, Lease: 30 * time.Second}
		dead, alive := newAdmission(t, d, o), newAdmission(t, d, o)
		user := newUser(t, "acme", "ann")
		sessions := map[string]scope.Scope{}
		for _, run := range []string{"1", "2", "3"} {
			sessions[run] = newSession(t, user)
			_, err := dead.Enter(t.Context(), sessions[run], run)
			require.NoError(t, err)
		}
		again, err := alive.Enter(t.Context(), sessions["1"], "1")
		require.NoError(t, err)
		assert.False(t, again.Queued(), "the run had a place")
		queued, err := alive.Enter(t.Context(), sessions["3"], "3")
		require.NoError(t, err)
		assert.True(t, queued.Queued(), "the run was queued")
		_, err = alive.Enter(t.Context(), newSession(t, user), "4")
		require.ErrorAs(t, err, new(*admission.FullError))

		began := time.Now()
		keep := time.NewTicker(5 * time.Second)
		defer keep.Stop()
		done := make(chan error)
		go func() { done <- queued.Wait(t.Context()) }()
		for waiting := true; waiting; {
			select {
			case err := <-done:
				require.NoError(t, err)
				waiting = false
			case <-keep.C:
				require.NoError(t, again.Renew(t.Context()))
			}
		}
		assert.InDelta(t, 30, time.Since(began).Seconds(), 3, "the lease of the second run has expired")
	})
}

func TestTicketThatWasNotRenewed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(t, table.NewMemory(nil), &admission.Options{TenantRuns: 1, Lease: 10 * time.Second})
		late, err := a.Enter(t.Context(), newSession(t, newUser(t, "acme", "ann")), "1")
		require.NoError(t, err)
		time.Sleep(time.Minute)
		require.NoError(t, late.Renew(t.Context()), "its place is still free")
		time.Sleep(time.Minute)
		other, err := a.Enter(t.Context(), newSession(t, newUser(t, "acme", "ben")), "2")
		require.NoError(t, err)
		require.False(t, other.Queued())
		require.ErrorIs(t, late.Renew(t.Context()), admission.ErrLost)
		require.NoError(t, late.Leave(t.Context()))
		require.NoError(t, other.Renew(t.Context()))
	})
}

// TestManyRunsAtOnce starts many runs of several tenants in several processes. The limits hold at each moment, and all
// runs get their turn.
func TestManyRunsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		o := &admission.Options{UserRuns: 2, TenantRuns: 5, Queue: 64}
		var running [2]atomic.Int64
		var users [2][3]atomic.Int64
		var group sync.WaitGroup
		for i := range 60 {
			a, tenant, user := newAdmission(t, d, o), i%2, i%3
			session := newSession(t, newUser(t, fmt.Sprint("t", tenant), fmt.Sprint("u", user)))
			group.Go(func() {
				ticket, err := a.Enter(t.Context(), session, fmt.Sprint(i))
				if !assert.NoError(t, err) || !assert.NoError(t, ticket.Wait(t.Context())) {
					return
				}
				assert.LessOrEqual(t, running[tenant].Add(1), int64(5))
				assert.LessOrEqual(t, users[tenant][user].Add(1), int64(2))
				time.Sleep(time.Second)
				running[tenant].Add(-1)
				users[tenant][user].Add(-1)
				assert.NoError(t, ticket.Leave(t.Context()))
			})
		}
		group.Wait()
	})
}

func TestBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(t, table.NewMemory(nil), &admission.Options{Tokens: 1000, Period: time.Hour})
		ann, ben := newSession(t, newUser(t, "acme", "ann")), newSession(t, newUser(t, "acme", "ben"))
		ctx, minute := t.Context(), func() time.Time { return time.Now().Add(time.Minute) }
		require.NoError(t, a.Reserve(ctx, ann, "r1/1", 600, minute()))
		require.NoError(t, a.Reserve(ctx, ann, "r1/1", 600, minute()), "the same turn again")
		var full *admission.FullError
		require.ErrorAs(t, a.Reserve(ctx, ben, "r2/1", 600, minute()), &full)
		assert.LessOrEqual(t, full.RetryAfter, time.Minute, "until the reservation expires")
		require.NoError(t, a.Reserve(ctx, newSession(t, newUser(t, "globex", "ann")), "r9/1", 600, minute()), "another tenant")
		require.NoError(t, a.Settle(ctx, ann, "r1/1", 300))
		require.NoError(t, a.Settle(ctx, ann, "r1/1", 300), "twice")
		require.NoError(t, a.Reserve(ctx, ben, "r2/1", 700, minute()))
		require.ErrorAs(t, a.Reserve(ctx, ann, "r1/2", 1, minute()), &full)
		time.Sleep(2 * time.Minute)
		require.NoError(t, a.Reserve(ctx, ann, "r1/2", 700, minute()), "a reservation that was not settled has expired")
		require.NoError(t, a.Settle(ctx, ben, "r2/1", 0), "late")
		require.NoError(t, a.Settle(ctx, ann, "r1/2", 800))
		require.ErrorAs(t, a.Reserve(ctx, ann, "r1/3", 1, minute()), &full)
		assert.Greater(t, full.RetryAfter, 2*time.Minute)
		assert.LessOrEqual(t, full.RetryAfter, time.Hour)
		time.Sleep(full.RetryAfter)
		require.NoError(t, a.Reserve(ctx, ann, "r1/3", 1000, time.Now().Add(2*time.Hour)), "the next period")
		time.Sleep(time.Hour)
		require.NoError(t, a.Settle(ctx, ann, "r1/3", 10), "a turn that began in the period before")
		require.NoError(t, a.Reserve(ctx, ann, "r1/4", 1000, minute()))
	})
}

func TestLateSettleCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(t, table.NewMemory(nil), &admission.Options{Tokens: 1000, Period: 24 * time.Hour})
		session := newSession(t, newUser(t, "acme", "ann"))
		require.NoError(t, a.Reserve(t.Context(), session, "r1/1", 10, time.Now().Add(time.Minute)))
		time.Sleep(10 * time.Minute)
		require.NoError(t, a.Reserve(t.Context(), session, "r1/2", 10, time.Now().Add(time.Minute)))
		require.NoError(t, a.Settle(t.Context(), session, "r1/1", 990))
		require.NoError(t, a.Settle(t.Context(), session, "r1/1", 990), "twice")
		require.ErrorAs(t, a.Reserve(t.Context(), session, "r1/3", 1, time.Now().Add(time.Minute)), new(*admission.FullError))
	})
}

// A turn that takes longer than its reservation is kept does not escape the budget: it counts at its estimate.
func TestReservationThatIsGoneCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(t, table.NewMemory(nil), &admission.Options{Tokens: 1000, Period: 24 * time.Hour})
		session := newSession(t, newUser(t, "acme", "ann"))
		minute := func() time.Time { return time.Now().Add(time.Minute) }
		time.Sleep(time.Until(time.Now().Truncate(24 * time.Hour).Add(24 * time.Hour))) // a period begins
		for i := range 3 {
			turn := fmt.Sprintf("long/%d", i)
			require.NoError(t, a.Reserve(t.Context(), session, turn, 300, minute()))
			time.Sleep(2 * time.Hour)
			require.NoError(t, a.Reserve(t.Context(), session, "short", 0, minute()))
			require.NoError(t, a.Settle(t.Context(), session, turn, 300), "too late")
		}
		var full *admission.FullError
		require.ErrorAs(t, a.Reserve(t.Context(), session, "rest", 101, minute()), &full, "900 of 1000 are used")
		require.Greater(t, full.RetryAfter, time.Hour)
		require.NoError(t, a.Reserve(t.Context(), session, "rest", 100, minute()))
	})
}

func TestBudgetOfManyProcesses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		var granted atomic.Int64
		var group sync.WaitGroup
		for i := range 32 {
			a := newAdmission(t, d, &admission.Options{Tokens: 1000})
			session := newSession(t, newUser(t, "acme", fmt.Sprint("u", i)))
			group.Go(func() {
				if a.Reserve(t.Context(), session, fmt.Sprint(i), 100, time.Now().Add(time.Hour)) == nil {
					granted.Add(1)
				}
			})
		}
		group.Wait()
		assert.EqualValues(t, 10, granted.Load())
	})
}

func TestFairServesTenantsInTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, err := admission.NewFair(2, 2)
		require.NoError(t, err)
		var group sync.WaitGroup
		var mu sync.Mutex
		var last [2]time.Duration
		began := time.Now()
		work := func(tenant int, user scope.Scope) {
			group.Go(func() {
				release, err := f.Acquire(t.Context(), user, 1)
				if err != nil {
					t.Errorf("acquire: %v", err)
					return
				}
				time.Sleep(time.Second)
				mu.Lock()
				last[tenant] = max(last[tenant], time.Since(began))
				mu.Unlock()
				release()
				release()
			})
		}
		for range 50 {
			work(0, newUser(t, "acme", "ann"))
		}
		synctest.Wait()
		work(1, newUser(t, "globex", "ben"))
		group.Wait()
		assert.LessOrEqual(t, last[1], 2*time.Second)
		assert.Equal(t, 26*time.Second, last[0].Round(time.Second))
	})
}

func TestFairKeepsAShareFree(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, err := admission.NewFair(10, 6)
		require.NoError(t, err)
		acme, globex := newUser(t, "acme", "ann"), newUser(t, "globex", "ann")
		acquire := func(s scope.Scope, n int64) (func(), error) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			return f.Acquire(ctx, s, n)
		}
		six, err := acquire(acme, 6)
		require.NoError(t, err)
		_, err = acquire(acme, 1)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		four, err := acquire(globex, 4)
		require.NoError(t, err)
		_, err = acquire(globex, 1)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_, err = acquire(acme, 7)
		require.ErrorIs(t, err, admission.ErrInvalid)
		_, err = acquire(scope.Scope{}, 1)
		require.ErrorIs(t, err, scope.ErrDenied)
		six()
		four()
		six, err = acquire(globex, 6)
		require.NoError(t, err, "requests that gave up hold nothing")
		six()
	})
}

func TestFairServesALargeRequestAmongSmallOnes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, err := admission.NewFair(4, 0)
		require.NoError(t, err)
		var group sync.WaitGroup
		began, served := time.Now(), time.Duration(0)
		for i := range 40 {
			user := newUser(t, fmt.Sprint("t", i%4), "u")
			group.Go(func() {
				release, err := f.Acquire(t.Context(), user, 1)
				if err != nil {
					t.Errorf("acquire: %v", err)
					return
				}
				time.Sleep(time.Duration(1000+i) * time.Millisecond)
				release()
			})
		}
		synctest.Wait()
		group.Go(func() {
			release, err := f.Acquire(t.Context(), newUser(t, "large", "u"), 4)
			if err != nil {
				t.Errorf("acquire: %v", err)
				return
			}
			served = time.Since(began)
			release()
		})
		group.Wait()
		assert.Less(t, served, 5*time.Second)
	})
}
