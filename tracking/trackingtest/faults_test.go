package trackingtest

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/faultytable"
	"github.com/carrel-go/carrel/scope/table"
)

// stageOf returns the attributes of a stage in a row, or nil.
func stageOf(r *table.Row, name string) map[string]table.Value {
	stages, _ := r.Attr["stages"].(map[string]table.Value)
	st, _ := stages[name].(map[string]table.Value)
	return st
}

// firstSeen keeps the first value of each partition.
type firstSeen[T any] struct{ m sync.Map }

func (f *firstSeen[T]) loadFirst(k table.Key, v T) T {
	first, _ := f.m.LoadOrStore(k.Partition(), v)
	return first.(T)
}

// counter counts the writes of each record.
type counter struct{ m sync.Map }

func (c *counter) increment(partition string) int64 {
	n, _ := c.m.LoadOrStore(partition, new(atomic.Int64))
	return n.(*atomic.Int64).Add(1)
}

// faults are drivers with one promise broken. Each is made anew for each check.
var faults = map[string]struct {
	driver func() faultytable.Driver
	found  string // a property that must not hold on it
	passes string // one that must; empty: none need
}{
	"a put without its condition": {func() faultytable.Driver {
		return faultytable.Driver{OnPut: faultytable.PutUnconditionally}
	}, propNoLost, propTenants},
	"a condition checked beforehand": {func() faultytable.Driver {
		return faultytable.Driver{OnPut: faultytable.CheckThenPut}
	}, propNoLost, propTenants},
	"a write that is confirmed and not done": {func() faultytable.Driver {
		writes := &counter{}
		return faultytable.Driver{OnPut: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
			if writes.increment(k.Partition())%7 == 6 {
				return nil
			}
			return d.Put(ctx, k, r, c)
		}}
	}, propNoLost, propListing},
	"a put that is done, and answered as a conflict with what was": {func() faultytable.Driver {
		writes := &counter{}
		return faultytable.Driver{OnPut: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
			old, _ := d.Get(ctx, k)
			err := d.Put(ctx, k, r, c)
			if err == nil && writes.increment(k.Partition()) == 5 {
				return &table.RowConflictError{Current: &old}
			}
			return err
		}}
	}, propAnswers, propListing},
	"a conflict without its item": {func() faultytable.Driver {
		return faultytable.Driver{OnPut: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
			return faultytable.DropCurrent(d.Put(ctx, k, r, c))
		}}
	}, propReplay, propTenants},
	"a read of the first version": {func() faultytable.Driver {
		old := &firstSeen[table.Row]{}
		return faultytable.Driver{OnGet: func(ctx context.Context, d table.Driver, k table.Key) (table.Row, error) {
			r, err := d.Get(ctx, k)
			if err != nil {
				return r, err
			}
			return old.loadFirst(k, r).Clone(), nil
		}}
	}, propNoLost, ""},
	"a put that merges": {func() faultytable.Driver {
		return faultytable.Driver{OnPut: faultytable.MergePut}
	}, propNoLost, propListing},
	"a record that goes back": {func() faultytable.Driver {
		return faultytable.ChangeRow(func(r *table.Row) {
			if st := stageOf(r, "enrichment"); st != nil && st["attempt"] == int64(2) {
				st["attempt"] = int64(1)
			}
		})
	}, propNoLost, propListing},
	"rows that go missing from the index": {func() faultytable.Driver {
		return faultytable.ChangeRow(func(r *table.Row) {
			if strings.HasSuffix(r.Index[0][0], "success") {
				r.Index[0] = [2]string{}
			}
		})
	}, propListing, propReplay},
	"an index that shows what was": {func() faultytable.Driver { // entries of an item's old place stay
		old := &firstSeen[[3][2]string]{}
		return faultytable.Driver{OnPut: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
			r = r.Clone()
			r.Index = old.loadFirst(k, r.Index)
			return d.Put(ctx, k, r, c)
		}}
	}, propDueIndex, propTenants},
	"a due index that lists nothing": {func() faultytable.Driver {
		return faultytable.ChangePage(func(q table.DriverQuery, p *table.DriverPage) {
			if q.Slot == table.I3 {
				p.Rows, p.More = nil, false
			}
		})
	}, propCrash, propConvergence},
	"a record that forgets its arrival": {func() faultytable.Driver {
		writes := &counter{}
		return faultytable.ChangeRow(func(r *table.Row) {
			if st := stageOf(r, "user_upload"); st != nil && writes.increment(r.Partition) == 3 {
				delete(st, "destination")
			}
		})
	}, propConvergence, propTenants},
	"an order that is ignored": {func() faultytable.Driver {
		return faultytable.ChangeQuery(func(q *table.DriverQuery) { q.Desc = false })
	}, propListing, propReplay},
	"an end that is ignored": {func() faultytable.Driver { return faultytable.ChangeQuery(func(q *table.DriverQuery) { q.To = "" }) }, propListing, propReplay},
	"the last page too early": {func() faultytable.Driver {
		return faultytable.ChangePage(func(_ table.DriverQuery, p *table.DriverPage) { p.Rows, p.More = p.Rows[:min(2, len(p.Rows))], false })
	}, propListing, propReplay},
	"a row twice": {func() faultytable.Driver {
		return faultytable.ChangePage(func(_ table.DriverQuery, p *table.DriverPage) {
			if len(p.Rows) > 2 {
				p.Rows[1] = p.Rows[0].Clone()
			}
		})
	}, propListing, propReplay},
	"a count of foreign rows": {func() faultytable.Driver {
		return faultytable.CountRows(func(table.Row) bool { return false })
	}, propTenants, propListing},
	"an index of all tenants": {func() faultytable.Driver { // whose row says whose it is not
		return faultytable.ChangePage(func(q table.DriverQuery, p *table.DriverPage) {
			own, _ := q.Key.Within()
			for i, r := range p.Rows {
				if !q.Key.Contains(r.Partition) {
					_, id, _ := strings.Cut(r.Partition, "#s#")
					p.Rows[i].Partition = own + "#u#u#s#" + id
					p.Rows[i].Index[q.Slot-1][1] = id
				}
			}
		})
	}, propTenants, propReplay},
}

func TestFindsFaults(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("all checks on each of twenty broken drivers")
	}
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				failed := map[string]bool{}
				for _, c := range allChecks() {
					d := f.driver()
					d.Driver = table.NewMemory(nil)
					for property := range recordCheck(t, &d, c) {
						failed[property] = true
					}
				}
				require.Contains(t, failed, f.found)
				require.NotContains(t, failed, f.passes, "a property that holds")
			})
		})
	}
}

// recordCheck returns the properties for which a check fails.
func recordCheck(t *testing.T, d table.Driver, c check) map[string]bool {
	r := &recordingTester{ctx: t.Context()}
	seen := map[string]bool{}
	var wg sync.WaitGroup
	wg.Go(func() {
		found := &findings{t: r, seen: seen}
		runCheck(found, d, Options{}, c)
	})
	wg.Wait()
	return seen
}

// recordingTester is a tester whose failures do not fail the test.
type recordingTester struct {
	ctx    context.Context
	failed atomic.Bool
}

func (r *recordingTester) Helper()                  {}
func (r *recordingTester) Context() context.Context { return r.ctx }
func (r *recordingTester) Failed() bool             { return r.failed.Load() }
func (r *recordingTester) Errorf(string, ...any)    { r.failed.Store(true) }
func (r *recordingTester) FailNow()                 { r.failed.Store(true); runtime.Goexit() }
