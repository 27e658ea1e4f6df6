package tracking

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
)

// planter is a driver for a writer that puts any index attributes on its rows, as IAM
// allows.
type planter struct {
	table.Driver
	index [3][2]string
}

func (p *planter) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	r.Index = p.index
	return p.Driver.Put(ctx, k, r, c)
}

// plantRows puts n rows of another tenant into an index partition, at a sort key.
func (b *bundle) plantRows(t testing.TB, slot table.Slot, partition, sort string, n int) {
	t.Helper()
	p := &planter{Driver: b.driver.Driver}
	p.index[slot-1] = [2]string{partition, sort}
	view, err := must.Get(table.New(p, nil)).In(userOf(t, "globex", "eve"))
	require.NoError(t, err)
	for range n {
		b.planted++
		_, err := view.Put(t.Context(), table.Item{Sort: fmt.Sprint(b.planted)}, table.Absent())
		require.NoError(t, err)
	}
}

type reports []scope.Refusal

func (r *reports) Refused(_ context.Context, refusal scope.Refusal) { *r = append(*r, refusal) }

// newAuditedBundle returns a bundle whose table reports to the reports.
func newAuditedBundle(t testing.TB) (*bundle, *reports) {
	t.Helper()
	heard := &reports{}
	b := newBundle(t, nil)
	b.table = must.Get(table.New(b.driver, &table.Options{Audit: heard}))
	var err error
	b.Tracker, err = New(b.table, Uploads(), nil)
	require.NoError(t, err)
	return b, heard
}

func classPartition(t testing.TB, s scope.Scope, class Class) string {
	t.Helper()
	p, err := s.Index(s.Level(), string(class))
	require.NoError(t, err)
	return p
}

// walkPages follows the cursors to the end and checks the bounds of every page.
func (b *bundle) walkPages(t testing.TB, heard *reports, s scope.Scope, f Filter) (ids []string, pages int) {
	t.Helper()
	classes, err := f.selectClasses()
	require.NoError(t, err)
	for {
		b.driver.takeCalls()
		*heard = nil
		p, err := b.List(t.Context(), s, f)
		require.NoError(t, err)
		queries := b.driver.takeCalls()[2]
		require.LessOrEqual(t, queries, maxScanPages*len(classes))
		require.LessOrEqual(t, len(*heard), queries, "one report a page")
		require.LessOrEqual(t, len(p.Records), cmp.Or(f.Limit, defaultLimit))
		for _, r := range p.Records {
			ids = append(ids, r.Scope.SessionID())
		}
		pages++
		if f.Cursor = p.Next; f.Cursor == "" {
			return ids, pages
		}
	}
}

// Five thousand forged rows cost a page a few queries and reports, and hide nothing.
func TestListIsBoundedUnderForgedRows(t *testing.T) {
	t.Parallel()
	b, heard := newAuditedBundle(t)
	acme, err := scope.Tenant("acme")
	require.NoError(t, err)
	want := []string{}
	for n := range 30 {
		want = append(want, b.putRecord(t, b.user, n, []Class{ClassActive, ClassFailed, ClassSuccess}[n%3]).SessionID())
	}
	slices.Reverse(want)
	b.plantRows(t, table.I2, classPartition(t, acme, ClassActive), "f", 5000) // before all others

	p, err := b.List(t.Context(), acme, Filter{Limit: 10})
	require.NoError(t, err)
	require.Empty(t, p.Records, "a short page")
	require.NotEmpty(t, p.Next, "with a cursor")
	require.ErrorContains(t, (*heard)[1].Err, "1000 rows of other scopes in an index")
	for _, limit := range []int{10, 100} {
		got, pages := b.walkPages(t, heard, acme, Filter{Limit: limit})
		require.Equal(t, want, got)
		require.LessOrEqual(t, pages, 6)
	}
	got, _ := b.walkPages(t, heard, acme, Filter{Class: ClassActive, Limit: 10})
	require.Len(t, got, 10)
	got, pages := b.walkPages(t, heard, b.user, Filter{})
	require.Equal(t, want, got, "another index")
	require.Equal(t, 1, pages)
}

// With forged rows at any place, every page is bounded and all pages together are
// the exact list.
func TestListAmongForgedRows(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		rnd := rand.New(rand.NewPCG(seed, 21))
		b, heard := newAuditedBundle(t)
		acme, err := scope.Tenant("acme")
		require.NoError(t, err)
		classes := []Class{ClassActive, ClassFailed, ClassSuccess}
		want := []string{}
		for n := range 20 {
			want = append(want, b.putRecord(t, userOf(t, "acme", fmt.Sprint("u", n%2)), n, classes[rnd.IntN(3)]).SessionID())
		}
		slices.Reverse(want)
		places := append(slices.Clone(want), "0", "f", "g\x01", want[3][:30])
		for range 6 { // many at one place, in a few places
			partition := classPartition(t, acme, classes[rnd.IntN(3)])
			b.plantRows(t, table.I2, partition, fmt.Sprintf("%s%.*s", places[rnd.IntN(len(places))], rnd.IntN(2), "0"), 1+rnd.IntN(2500))
		}
		for _, limit := range []int{1, 7, 100} {
			got, pages := b.walkPages(t, heard, acme, Filter{Limit: limit})
			require.Equal(t, want, got, "seed %d, %d a page", seed, limit)
			require.LessOrEqual(t, pages, 20/limit+25)

			odd := func(id string) bool { return id[len(id)-1]%2 == 1 }
			got, pages = b.walkPages(t, heard, acme, Filter{Limit: limit, Match: func(s Summary) bool { return odd(s.Scope.SessionID()) }})
			require.Equal(t, slices.DeleteFunc(slices.Clone(want), func(id string) bool { return !odd(id) }), got)
			require.LessOrEqual(t, pages, 20/limit+25)
		}
	}
}

// A record that changes its class is listed at most once, also by pages that
// forged rows have shortened.
func TestShortPagesWhileClassesChange(t *testing.T) {
	t.Parallel()
	b, _ := newAuditedBundle(t)
	acme, err := scope.Tenant("acme")
	require.NoError(t, err)
	var sessions []scope.Scope
	for n := range 12 {
		sessions = append(sessions, b.putRecord(t, b.user, n, ClassActive))
	}
	b.plantRows(t, table.I2, classPartition(t, acme, ClassFailed), "f", 2500)
	b.plantRows(t, table.I2, classPartition(t, acme, ClassActive), sessions[6].SessionID(), 2500)
	seen := map[string]int{}
	f := Filter{Limit: 3}
	for turn := 0; ; turn++ {
		p, err := b.List(t.Context(), acme, f)
		require.NoError(t, err)
		for _, r := range p.Records {
			seen[r.Scope.SessionID()]++
		}
		if f.Cursor = p.Next; f.Cursor == "" {
			break
		}
		if turn < 6 {
			_, err := b.Cancel(t.Context(), sessions[11-turn])
			require.NoError(t, err)
		}
	}
	for id, times := range seen {
		require.Equal(t, 1, times, id)
	}
	for _, s := range sessions[:6] {
		require.Contains(t, seen, s.SessionID(), "it has kept its class")
	}
}

func TestFindIsBoundedUnderForgedRows(t *testing.T) {
	t.Parallel()
	b, heard := newAuditedBundle(t)
	acme, err := scope.Tenant("acme")
	require.NoError(t, err)
	some, many := b.putRecord(t, b.user, 1, ClassFailed), b.putRecord(t, b.user, 2, ClassFailed)
	b.plantRows(t, table.I2, classPartition(t, acme, ClassFailed), some.SessionID(), 1500)
	b.plantRows(t, table.I2, classPartition(t, acme, ClassFailed), many.SessionID(), 5000)
	r, err := b.Find(t.Context(), acme, some.SessionID())
	require.NoError(t, err)
	require.Equal(t, some, r.Scope)

	*heard = nil
	b.driver.takeCalls()
	r, err = b.Find(t.Context(), acme, many.SessionID())
	require.LessOrEqual(t, b.driver.takeCalls()[2], 1+maxScanPages)
	require.LessOrEqual(t, len(*heard), maxScanPages)
	if err == nil {
		require.Equal(t, many, r.Scope)
	} else {
		require.NotErrorIs(t, err, ErrNotFound, "nobody knows that")
	}
}

func TestCountIsBoundedUnderForgedRows(t *testing.T) {
	t.Parallel()
	b, _ := newAuditedBundle(t)
	acme, err := scope.Tenant("acme")
	require.NoError(t, err)
	for n := range 4 {
		b.putRecord(t, b.user, n, ClassActive)
	}
	b.plantRows(t, table.I2, classPartition(t, acme, ClassFailed), "0", table.MaxExamined)
	c, err := b.Count(t.Context(), acme)
	require.NoError(t, err)
	require.Equal(t, Counts{All: 4, Active: 4}, c)
	b.plantRows(t, table.I2, classPartition(t, acme, ClassFailed), "1", 1)
	c, err = b.Count(t.Context(), acme)
	require.NoError(t, err)
	require.Equal(t, Counts{All: 4, Active: 4, Capped: true}, c)
}

// One sweep reads a bounded number of pages, and the next continues where it stopped.
func TestSweepResumesAmongForgedRows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, heard := newAuditedBundle(t)
		for n := range 40 {
			b.withSession(t, sessionOf(t, b.user, n))
		}
		for shard := range 3 {
			b.plantRows(t, table.I3, scope.Shard(dueClass("uploads"), shard), "0", 6000)
		}
		time.Sleep(2 * time.Hour)
		abandoned, sweeps := 0, 0
		o := SweepOptions{}
		for {
			*heard = nil
			b.driver.takeCalls()
			res := b.sweepTable(t, &storage{}, o)
			queries := b.driver.takeCalls()[2]
			require.LessOrEqual(t, queries, maxSweepPages)
			require.LessOrEqual(t, len(*heard), queries)
			require.Equal(t, res.More, res.Next != "")
			abandoned += res.Abandoned
			sweeps++
			if o.Cursor = res.Next; o.Cursor == "" {
				break
			}
		}
		require.Equal(t, 40, abandoned)
		require.Equal(t, 2, sweeps)
	})
}

// A sweep that stopped at its limit is continued, also one of orphans, whose rows stay.
func TestSweepResumesAfterItsLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, nil)
		for n := range 100 {
			u := b.withSession(t, sessionOf(t, b.user, n))
			_, err := u.Observe(t.Context(), u.session, Observation{Stage: UserUpload})
			require.NoError(t, err)
			u.claimStage(t, "run")
		}
		o := SweepOptions{Orphans: true, Limit: 30}
		lost := []int{}
		for {
			res := b.sweepTable(t, &storage{}, o)
			lost = append(lost, res.Lost)
			if o.Cursor = res.Next; o.Cursor == "" {
				break
			}
			require.True(t, res.More)
		}
		require.Equal(t, []int{30, 30, 30, 10}, lost)
		b.driver.takeCalls()
		require.Zero(t, b.sweepTable(t, &storage{}, SweepOptions{Orphans: true}))
		require.Equal(t, [3]int{100, 0, Shards}, b.driver.takeCalls())

		// A sweep that its context ends returns its position.
		ctx, cancel := context.WithCancel(t.Context())
		time.Sleep(48 * time.Hour)
		read := 0
		system, look := b.table.System(), (&storage{}).lookFor
		b.driver.fault = func() (bool, bool) {
			if read++; read == 20 {
				cancel()
			}
			return false, false
		}
		res, err := b.Sweep(ctx, &SweepOptions{System: system, Look: look})
		require.ErrorIs(t, err, context.Canceled)
		require.NotEmpty(t, res.Next)
		done := res.Abandoned
		res, err = b.Sweep(t.Context(), &SweepOptions{System: system, Look: look, Cursor: res.Next})
		require.NoError(t, err)
		require.Equal(t, 100, done+res.Abandoned)
	})
}

func TestForeignSweepCursorsAreRejected(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	o := SweepOptions{System: b.table.System(), Look: func(context.Context, Record, Stage) (object.Ref, bool, error) {
		return object.Ref{}, false, nil
	}}
	good := sweepCursor{To: formatTime(epoch), Shards: []int{3, 4}}
	wrong := func(change func(c *sweepCursor)) string {
		c := good
		change(&c)
		return encodeCursor(c)
	}
	for name, cursor := range map[string]string{
		"no base64":          "!",
		"padded":             encodeCursor(good) + "=",
		"shorter":            encodeCursor(good)[:20],
		"of orphans":         wrong(func(c *sweepCursor) { c.To = "" }),
		"no time":            wrong(func(c *sweepCursor) { c.To = "soon" }),
		"no shard":           wrong(func(c *sweepCursor) { c.Shards = []int{16} }),
		"below the shards":   wrong(func(c *sweepCursor) { c.Shards = []int{-1} }),
		"too many shards":    wrong(func(c *sweepCursor) { c.Shards = make([]int, Shards+1) }),
		"a cursor elsewhere": wrong(func(c *sweepCursor) { c.Cursor = "AAAA" }),
	} {
		o.Cursor = cursor
		_, err := b.Sweep(t.Context(), &o)
		require.ErrorIs(t, err, ErrInvalid, name)
	}
	o.Cursor = encodeCursor(good)
	_, err := b.Sweep(t.Context(), &o)
	require.NoError(t, err)
	o.Orphans = true
	_, err = b.Sweep(t.Context(), &o)
	require.ErrorIs(t, err, ErrInvalid)
}
