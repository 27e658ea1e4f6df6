package admission_test

import (
	"context"
	"errors"
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
	"github.com/carrel-go/carrel/scope/table/bolt"
)

// calls counts what a table is asked.
type calls struct {
	table.Driver

	reads, writes, rows atomic.Int64
}

func (c *calls) Get(ctx context.Context, k table.Key) (table.Row, error) {
	c.reads.Add(1)
	return c.Driver.Get(ctx, k)
}

func (c *calls) Query(ctx context.Context, q table.DriverQuery) (table.DriverPage, error) {
	c.reads.Add(1)
	page, err := c.Driver.Query(ctx, q)
	c.rows.Add(int64(len(page.Rows)))
	return page, err
}

func (c *calls) Put(ctx context.Context, k table.Key, r table.Row, cond table.Cond) error {
	c.writes.Add(1)
	return c.Driver.Put(ctx, k, r, cond)
}

func (c *calls) Delete(ctx context.Context, k table.Key, cond table.Cond) error {
	c.writes.Add(1)
	return c.Driver.Delete(ctx, k, cond)
}

func (c *calls) take() (reads, writes int64) { return c.reads.Swap(0), c.writes.Swap(0) }

func newAdmission(t *testing.T, d table.Driver, o *admission.Options) *admission.Admission {
	t.Helper()
	a, err := admission.New(newTable(t, d).System(), o)
	require.NoError(t, err)
	return a
}

func newTable(t *testing.T, d table.Driver) *table.Table {
	t.Helper()
	tb, err := table.New(d, nil)
	require.NoError(t, err)
	return tb
}

func newGrants(t *testing.T, d table.Driver, limit int) *admission.Admission {
	t.Helper()
	return newAdmission(t, d, &admission.Options{Grants: limit})
}

func newUser(t *testing.T, tenant, id string) scope.Scope {
	t.Helper()
	s, err := scope.Tenant(tenant)
	require.NoError(t, err)
	u, err := s.User(id)
	require.NoError(t, err)
	return u
}

func newSession(t *testing.T, user scope.Scope) scope.Scope {
	t.Helper()
	s, err := user.NewSession()
	require.NoError(t, err)
	return s
}

func TestGrantsUpToTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const limit = 500
		store := &calls{Driver: table.NewMemory(nil)}
		g := newGrants(t, store, limit)
		user := newUser(t, "acme", "ann")
		var open []scope.Scope
		for range limit {
			s := newSession(t, user)
			require.NoError(t, g.OpenGrant(t.Context(), s, time.Now().Add(15*time.Minute)))
			open = append(open, s)
			reads, writes := store.take()
			require.LessOrEqual(t, reads, int64(1))
			require.LessOrEqual(t, writes, int64(5))
		}
		time.Sleep(5 * time.Minute)
		err := g.OpenGrant(t.Context(), newSession(t, user), time.Now().Add(15*time.Minute))
		var full *admission.FullError
		require.ErrorAs(t, err, &full)
		require.Equal(t, &admission.FullError{Kind: "grants", Limit: limit, RetryAfter: 10 * time.Minute}, full)
		reads, writes := store.take()
		require.Equal(t, [2]int64{1, 4}, [2]int64{reads, writes}, "to be refused costs no more than to be admitted")
		require.NoError(t, g.OpenGrant(t.Context(), newSession(t, newUser(t, "acme", "ben")), time.Now().Add(time.Minute)), "another user")
		require.NoError(t, g.OpenGrant(t.Context(), newSession(t, newUser(t, "globex", "ann")), time.Now().Add(time.Minute)), "another tenant")

		for _, s := range []scope.Scope{open[0], open[len(open)-1]} {
			require.NoError(t, g.CloseGrant(t.Context(), s))
			require.NoError(t, g.CloseGrant(t.Context(), s), "an arrival may be told twice")
			require.NoError(t, g.OpenGrant(t.Context(), newSession(t, user), time.Now().Add(15*time.Minute)))
			require.ErrorAs(t, g.OpenGrant(t.Context(), newSession(t, user), time.Now().Add(15*time.Minute)), &full)
		}
		time.Sleep(10*time.Minute + time.Second)
		for range limit - 2 {
			require.NoError(t, g.OpenGrant(t.Context(), newSession(t, user), time.Now().Add(time.Minute)), "the first ones have expired")
		}
		require.ErrorAs(t, g.OpenGrant(t.Context(), newSession(t, user), time.Now().Add(time.Minute)), &full)
	})
}

func TestGrantCostsOneWrite(t *testing.T) {
	t.Parallel()
	store := &calls{Driver: table.NewMemory(nil)}
	g := newGrants(t, store, 500)
	s := newSession(t, newUser(t, "acme", "ann"))
	require.NoError(t, g.OpenGrant(t.Context(), s, time.Now().Add(time.Minute)))
	reads, writes := store.take()
	require.Equal(t, [2]int64{0, 1}, [2]int64{reads, writes})
	require.NoError(t, g.CloseGrant(t.Context(), s))
	reads, writes = store.take()
	require.Equal(t, [2]int64{1, 1}, [2]int64{reads, writes})
}

// A grant that was opened again when an earlier place of its had become free is closed as a whole.
func TestGrantThatWasOpenedTwiceIsClosedAtOnce(t *testing.T) {
	t.Parallel()
	const limit = 8
	g := newGrants(t, table.NewMemory(nil), limit)
	user := newUser(t, "acme", "ann")
	until := time.Now().Add(time.Hour)
	for range 20 {
		var others []scope.Scope
		for range limit - 1 {
			others = append(others, newSession(t, user))
			require.NoError(t, g.OpenGrant(t.Context(), others[len(others)-1], until))
		}
		twice := newSession(t, user)
		require.NoError(t, g.OpenGrant(t.Context(), twice, until))
		for _, s := range others {
			require.NoError(t, g.CloseGrant(t.Context(), s))
			require.NoError(t, g.OpenGrant(t.Context(), twice, until))
		}
		require.NoError(t, g.CloseGrant(t.Context(), twice))
		for range limit {
			others = append(others, newSession(t, user))
			require.NoError(t, g.OpenGrant(t.Context(), others[len(others)-1], until), "nothing is counted")
		}
		for _, s := range others {
			require.NoError(t, g.CloseGrant(t.Context(), s))
		}
	}
}

func TestGrantsOfManyProcesses(t *testing.T) {
	t.Parallel()
	const limit = 20
	d := table.NewMemory(nil)
	processes := []*admission.Admission{newGrants(t, d, limit), newGrants(t, d, limit), newGrants(t, d, limit)}
	user := newUser(t, "acme", "ann")
	var opened, refused atomic.Int64
	var wg sync.WaitGroup
	for i := range 3 * limit {
		s := newSession(t, user)
		wg.Go(func() {
			err := processes[i%len(processes)].OpenGrant(t.Context(), s, time.Now().Add(time.Minute))
			var full *admission.FullError
			switch {
			case err == nil:
				opened.Add(1)
			case errors.As(err, &full):
				refused.Add(1)
			default:
				assert.NoError(t, err)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, limit, opened.Load())
	require.EqualValues(t, 2*limit, refused.Load())
}

func TestGrantsOutliveTheProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	user := newUser(t, "acme", "ann")
	first := newSession(t, user)
	var full *admission.FullError
	for _, step := range []func(g *admission.Admission){
		func(g *admission.Admission) {
			require.NoError(t, g.OpenGrant(t.Context(), first, time.Now().Add(time.Hour)))
		},
		func(g *admission.Admission) {
			require.ErrorAs(t, g.OpenGrant(t.Context(), newSession(t, user), time.Now().Add(time.Hour)), &full)
			require.NoError(t, g.CloseGrant(t.Context(), first))
		},
		func(g *admission.Admission) {
			require.NoError(t, g.OpenGrant(t.Context(), newSession(t, user), time.Now().Add(time.Hour)))
		},
	} {
		d, err := bolt.Open(dir)
		require.NoError(t, err)
		step(newGrants(t, d, 1))
		require.NoError(t, d.Close())
	}
}

func TestLowerLimitCountsEarlierGrants(t *testing.T) {
	t.Parallel()
	d := table.NewMemory(nil)
	user := newUser(t, "acme", "ann")
	before := newGrants(t, d, 1000)
	for range 50 {
		require.NoError(t, before.OpenGrant(t.Context(), newSession(t, user), time.Now().Add(time.Hour)))
	}
	after, opened := newGrants(t, d, 10), 0
	for range 50 {
		if after.OpenGrant(t.Context(), newSession(t, user), time.Now().Add(time.Hour)) == nil {
			opened++
		}
	}
	require.LessOrEqual(t, opened, 10)
}

func TestScopesThatGrantsReject(t *testing.T) {
	t.Parallel()
	g := newGrants(t, table.NewMemory(nil), 1)
	for _, s := range []scope.Scope{{}, newUser(t, "acme", "ann")} {
		require.ErrorIs(t, g.OpenGrant(t.Context(), s, time.Now().Add(time.Hour)), scope.ErrDenied)
		require.ErrorIs(t, g.CloseGrant(t.Context(), s), scope.ErrDenied)
	}
	reader := newSession(t, newUser(t, "acme", "ann")).ReadOnly()
	require.ErrorIs(t, g.OpenGrant(t.Context(), reader, time.Now().Add(time.Hour)), scope.ErrReadOnly)
	require.ErrorIs(t, g.CloseGrant(t.Context(), reader), scope.ErrReadOnly)
}
