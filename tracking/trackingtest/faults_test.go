package trackingtest

import (
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/table"
)

// broken is a good driver with one promise broken.
type broken struct {
	table.Driver
	get   func(context.Context, table.Driver, table.Key) (table.Row, error)
	put   func(context.Context, table.Driver, table.Key, table.Row, table.Cond) error
	query func(context.Context, table.Driver, table.DriverQuery) (table.DriverPage, error)
}

func (b *broken) Get(ctx context.Context, k table.Key) (table.Row, error) {
	if b.get != nil {
		return b.get(ctx, b.Driver, k)
	}
	return b.Driver.Get(ctx, k)
}

func (b *broken) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	if b.put != nil {
		return b.put(ctx, b.Driver, k, r, c)
	}
	return b.Driver.Put(ctx, k, r, c)
}

func (b *broken) Query(ctx context.Context, q table.DriverQuery) (table.DriverPage, error) {
	if b.query != nil {
		return b.query(ctx, b.Driver, q)
	}
	return b.Driver.Query(ctx, q)
}

// asks breaks what a query asks for.
func asks(change func(*table.DriverQuery)) broken {
	return broken{query: func(ctx context.Context, d table.Driver, q table.DriverQuery) (table.DriverPage, error) {
		change(&q)
		return d.Query(ctx, q)
	}}
}

// answers breaks the page that a query returns.
func answers(change func(table.DriverQuery, *table.DriverPage)) broken {
	return broken{query: func(ctx context.Context, d table.Driver, q table.DriverQuery) (table.DriverPage, error) {
		p, err := d.Query(ctx, q)
		change(q, &p)
		return p, err
	}}
}

// stores breaks the row that is put.
func stores(change func(*table.Row)) broken {
	return broken{put: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
		r = r.Clone()
		change(&r)
		return d.Put(ctx, k, r, c)
	}}
}

// overwrite puts whatever is there.
func overwrite(ctx context.Context, d table.Driver, k table.Key, r table.Row) error {
	for {
		old, err := d.Get(ctx, k)
		c := table.Version(old.Version)
		if errors.Is(err, table.ErrNotFound) {
			c = table.Absent()
		} else if err != nil {
			return err
		}
		err = d.Put(ctx, k, r, c)
		if _, ok := errors.AsType[*table.RowConflictError](err); !ok {
			return err
		}
	}
}

// checkThenAct evaluates conditions in a step of its own.
func checkThenAct(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
	old, err := d.Get(ctx, k)
	stored := &old
	if errors.Is(err, table.ErrNotFound) {
		stored = nil
	} else if err != nil {
		return err
	}
	if !c.Holds(stored, time.Now()) {
		return &table.RowConflictError{Current: stored}
	}
	time.Sleep(time.Millisecond) // of a bubble: everybody else checks meanwhile
	return overwrite(ctx, d, k, r)
}

// stage returns a stage's attributes of a row, to be changed; nil where there
// are none.
func stage(r *table.Row, name string) map[string]table.Value {
	stages, _ := r.Attr["stages"].(map[string]table.Value)
	st, _ := stages[name].(map[string]table.Value)
	return st
}

// memory of what a broken driver has seen.
type memory[T any] struct {
	mu sync.Mutex
	m  map[string]T
}

func (m *memory[T]) first(k table.Key, v T) T {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.m == nil {
		m.m = map[string]T{}
	}
	if _, ok := m.m[k.Partition()]; !ok {
		m.m[k.Partition()] = v
	}
	return m.m[k.Partition()]
}

// faults are drivers with one promise broken. Each is made anew for each check.
var faults = map[string]struct {
	driver func() broken
	found  string // a property that must not hold on it
	passes string // one that must; empty: none need
}{
	"a put without its condition": {func() broken {
		return broken{put: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, _ table.Cond) error {
			return overwrite(ctx, d, k, r)
		}}
	}, propNoLost, propSize},
	"a condition checked beforehand": {func() broken { return broken{put: checkThenAct} },
		propNoLost, propSize},
	"a write that is confirmed and not done": {func() broken {
		return broken{put: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
			if r.Version%7 == 6 {
				return nil
			}
			return d.Put(ctx, k, r, c)
		}}
	}, propNoLost, propListing},
	"a put that is done, and answered as a conflict with what was": {func() broken {
		return broken{put: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
			old, _ := d.Get(ctx, k)
			err := d.Put(ctx, k, r, c)
			if err == nil && r.Version == 5 {
				return &table.RowConflictError{Current: &old}
			}
			return err
		}}
	}, propAnswers, propListing},
	"a conflict without its item": {func() broken {
		return broken{put: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
			err := d.Put(ctx, k, r, c)
			if _, ok := errors.AsType[*table.RowConflictError](err); ok {
				return &table.RowConflictError{}
			}
			return err
		}}
	}, propReplay, propSize},
	"a read of the first version": {func() broken {
		old := &memory[table.Row]{}
		return broken{get: func(ctx context.Context, d table.Driver, k table.Key) (table.Row, error) {
			r, err := d.Get(ctx, k)
			if err != nil {
				return r, err
			}
			return old.first(k, r).Clone(), nil
		}}
	}, propNoLost, ""},
	"a put that merges": {func() broken {
		return broken{put: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
			if old, err := d.Get(ctx, k); err == nil {
				r = r.Clone()
				for name, v := range old.Attr {
					if _, ok := r.Attr[name]; !ok {
						r.Attr[name] = v
					}
				}
			}
			return d.Put(ctx, k, r, c)
		}}
	}, propNoLost, propListing},
	"attributes that are dropped": {func() broken {
		known := []string{"schema", "pipeline", "filename", "status", "reason", "terminal", "created", "updated", "due", "digest", "stages"}
		return stores(func(r *table.Row) {
			maps.DeleteFunc(r.Attr, func(name string, _ table.Value) bool { return !slices.Contains(known, name) })
		})
	}, propSchema, propReplay},
	"a schema that is not kept": {func() broken {
		return stores(func(r *table.Row) { r.Attr["schema"] = int64(1) })
	}, propSchema, propReplay},
	"a smaller size": {func() broken {
		return broken{put: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
			if stages, _ := r.Attr["stages"].(map[string]table.Value); len(stages) > 20 {
				return table.ErrTooLarge
			}
			return d.Put(ctx, k, r, c)
		}}
	}, propSize, propReplay},
	"a record that goes back": {func() broken {
		return stores(func(r *table.Row) {
			if st := stage(r, "enrichment"); st != nil && st["attempt"] == int64(2) {
				st["attempt"] = int64(1)
			}
		})
	}, propNoLost, propListing},
	"rows that go missing from the index": {func() broken {
		return stores(func(r *table.Row) {
			if strings.HasSuffix(r.Index[0][0], "success") {
				r.Index[0] = [2]string{}
			}
		})
	}, propListing, propReplay},
	"an index that shows what was": {func() broken { // entries of an item's old place stay
		old := &memory[[3][2]string]{}
		return broken{put: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
			r = r.Clone()
			r.Index = old.first(k, r.Index)
			return d.Put(ctx, k, r, c)
		}}
	}, propDueIndex, propSchema},
	"a due index that lists nothing": {func() broken {
		return answers(func(q table.DriverQuery, p *table.DriverPage) {
			if q.Slot == table.I3 {
				p.Rows, p.More = nil, false
			}
		})
	}, propCrash, propConvergence},
	"a record that forgets its arrival": {func() broken {
		return stores(func(r *table.Row) {
			if st := stage(r, "user_upload"); st != nil && r.Version == 3 {
				delete(st, "destination")
			}
		})
	}, propConvergence, propSize},
	"an order that is ignored": {func() broken { return asks(func(q *table.DriverQuery) { q.Desc = false }) }, propListing, propReplay},
	"an end that is ignored":   {func() broken { return asks(func(q *table.DriverQuery) { q.To = "" }) }, propListing, propReplay},
	"the last page too early": {func() broken {
		return answers(func(_ table.DriverQuery, p *table.DriverPage) { p.Rows, p.More = p.Rows[:min(2, len(p.Rows))], false })
	}, propListing, propReplay},
	"a row twice": {func() broken {
		return answers(func(_ table.DriverQuery, p *table.DriverPage) {
			if len(p.Rows) > 2 {
				p.Rows[1] = p.Rows[0].Clone()
			}
		})
	}, propListing, propReplay},
	"a count of foreign rows": {func() broken {
		return broken{query: func(ctx context.Context, d table.Driver, q table.DriverQuery) (table.DriverPage, error) {
			if !q.CountOnly {
				return d.Query(ctx, q)
			}
			q.CountOnly = false
			p, err := d.Query(ctx, q)
			return table.DriverPage{Count: len(p.Rows)}, err
		}}
	}, propTenants, propListing},
	"an index of all tenants": {func() broken { // whose row says whose it is not
		return answers(func(q table.DriverQuery, p *table.DriverPage) {
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
	if testing.Short() {
		t.Skip("all checks on each of twenty broken drivers")
	}
	t.Parallel()
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				failed := map[string]bool{}
				for _, c := range checks() {
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
