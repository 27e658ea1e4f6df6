package tabletest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/tabletest"
)

// broken is a good driver with one promise broken.
type broken struct {
	table.Driver
	get   func(context.Context, table.Driver, table.Key) (table.Row, error)
	put   func(context.Context, table.Driver, table.Key, table.Row, table.Cond) error
	query func(context.Context, table.Driver, table.DriverQuery) (table.DriverPage, error)
	del   func(context.Context, table.Driver, table.Key, table.Cond) error
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

func (b *broken) Delete(ctx context.Context, k table.Key, c table.Cond) error {
	if b.del != nil {
		return b.del(ctx, b.Driver, k, c)
	}
	return b.Driver.Delete(ctx, k, c)
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

func overwrite(ctx context.Context, d table.Driver, k table.Key, r table.Row) error {
	old, err := d.Get(ctx, k)
	switch {
	case errors.Is(err, table.ErrNotFound):
		return d.Put(ctx, k, r, table.Absent())
	case err != nil:
		return err
	case old.Expired(time.Now()):
		return d.Put(ctx, k, r, table.Absent())
	}
	return d.Put(ctx, k, r, table.Version(old.Version))
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

func noCurrent(err error) error {
	if _, ok := errors.AsType[*table.RowConflictError](err); ok {
		return &table.RowConflictError{}
	}
	return err
}

var faults = map[string]struct {
	driver broken
	found  string // a check that must find it
	passes string // one that must not
}{
	"a condition that is not evaluated": {
		broken{put: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, _ table.Cond) error {
			return overwrite(ctx, d, k, r)
		}}, "conditions", "ranges and order",
	},
	"a condition checked beforehand": {broken{put: checkThenAct}, "many writers, one winner", "conditions"},
	"an update that is lost":         {broken{put: checkThenAct}, "no update is lost", "conditions"},
	"a conflict without its item": {
		broken{put: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
			return noCurrent(d.Put(ctx, k, r, c))
		}}, "conditions", "count",
	},
	"a delete's conflict without its item": {
		broken{del: func(ctx context.Context, d table.Driver, k table.Key, c table.Cond) error {
			return noCurrent(d.Delete(ctx, k, c))
		}}, "conditions", "ranges and order",
	},
	"a delete that does nothing": {
		broken{del: func(context.Context, table.Driver, table.Key, table.Cond) error { return nil }}, "conditions", "values keep their types",
	},
	"a put that merges": {
		broken{put: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
			old, err := d.Get(ctx, k)
			if err == nil {
				r = r.Clone()
				for name, v := range old.Attr {
					if _, ok := r.Attr[name]; !ok {
						r.Attr[name] = v
					}
				}
			}
			return d.Put(ctx, k, r, c)
		}}, "replaces all", "values keep their types",
	},
	"5.0 that comes back as 5": {
		stores(func(r *table.Row) {
			for name, v := range r.Attr {
				if f, ok := v.(float64); ok && f == float64(int64(f)) {
					r.Attr[name] = int64(f)
				}
			}
		}), "values keep their types", "conditions",
	},
	"no bytes that come back as nothing": {
		stores(func(r *table.Row) {
			for name, v := range r.Attr {
				if b, ok := v.([]byte); ok && len(b) == 0 {
					delete(r.Attr, name)
				}
			}
		}), "values keep their types", "conditions",
	},
	"an expiry that is not kept": {stores(func(r *table.Row) { r.Expires = time.Time{} }), "expired is absent", "conditions"},
	"a smaller size": {
		broken{put: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
			if s, ok := r.Attr[strings.Repeat("n", 255)].(string); ok && len(s) > 350<<10 {
				return table.ErrTooLarge
			}
			return d.Put(ctx, k, r, c)
		}}, "limits can be reached", "pages of large items",
	},
	"expired rows that are there for conditions": {
		broken{put: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
			if old, err := d.Get(ctx, k); err == nil && c.Absent() {
				return &table.RowConflictError{Current: &old}
			}
			return d.Put(ctx, k, r, c)
		}}, "expired is absent", "ranges and order",
	},
	"a limit that is ignored":  {asks(func(q *table.DriverQuery) { q.Limit = 1000 }), "ranges and order", "conditions"},
	"an order that is ignored": {asks(func(q *table.DriverQuery) { q.Desc = false }), "ranges and order", "conditions"},
	"a start that is ignored":  {asks(func(q *table.DriverQuery) { q.From = "" }), "ranges and order", "conditions"},
	"an end that is included": {
		asks(func(q *table.DriverQuery) {
			if q.To != "" && q.Slot == 0 {
				q.To += "\x01"
			}
		}), "ranges and order", "indexes",
	},
	"an end of an index that is included": {
		asks(func(q *table.DriverQuery) {
			if q.To != "" && q.Slot != 0 {
				q.To += "\x01"
			}
		}), "ranges and order in an index", "ranges and order",
	},
	"the last page too early": {answers(func(_ table.DriverQuery, p *table.DriverPage) { p.More = false }), "ranges and order", "conditions"},
	"a page that begins with the last one's end": {
		broken{query: func(ctx context.Context, d table.Driver, q table.DriverQuery) (table.DriverPage, error) {
			if q.After != nil && !q.Desc && q.Slot == 0 {
				q.From, q.After = q.After.Sort, nil
			}
			return d.Query(ctx, q)
		}}, "ranges and order", "indexes",
	},
	"pages that know the sort key alone": {
		broken{query: func(ctx context.Context, d table.Driver, q table.DriverQuery) (table.DriverPage, error) {
			if p := q.After; p != nil && q.Slot != 0 && !q.Desc {
				q.After = &table.Position{Index: p.Index, Partition: "~", Sort: "~"}
			}
			return d.Query(ctx, q)
		}}, "ties in an index", "ranges and order in an index",
	},
	"a page cut by size that is taken for the last": {
		answers(func(_ table.DriverQuery, p *table.DriverPage) {
			size := 0
			for i, r := range p.Rows {
				if s, ok := r.Attr["a"].(string); ok {
					size += len(s)
				}
				if size > 1<<20 {
					p.Rows, p.More = p.Rows[:i], false
					return
				}
			}
		}), "pages of large items", "ranges and order",
	},
	"a count that includes what expired": {
		broken{query: func(ctx context.Context, d table.Driver, q table.DriverQuery) (table.DriverPage, error) {
			if !q.CountOnly {
				return d.Query(ctx, q)
			}
			q.CountOnly = false
			p, err := d.Query(ctx, q)
			return table.DriverPage{Count: len(p.Rows)}, err
		}}, "count", "ranges and order",
	},
	"a count that includes foreign rows": {
		broken{query: func(ctx context.Context, d table.Driver, q table.DriverQuery) (table.DriverPage, error) {
			if !q.CountOnly {
				return d.Query(ctx, q)
			}
			q.CountOnly = false
			p, err := d.Query(ctx, q)
			p.Rows = slices.DeleteFunc(p.Rows, func(r table.Row) bool { return r.Expired(time.Now()) })
			return table.DriverPage{Count: len(p.Rows)}, err
		}}, "count of foreign rows", "count",
	},
	"a count whose limit is of what was looked at": {
		broken{query: func(ctx context.Context, d table.Driver, q table.DriverQuery) (table.DriverPage, error) {
			p, err := d.Query(ctx, q)
			if q.CountOnly && q.Limit < 18 {
				p.Count = min(p.Count, q.Limit*2/3)
			}
			return p, err
		}}, "count up to the limit", "count",
	},
	"index rows without their keys": {
		answers(func(q table.DriverQuery, p *table.DriverPage) {
			for i := range p.Rows {
				p.Rows[i].Index = [3][2]string{}
			}
		}), "indexes", "conditions",
	},
	"an index that is read consistently": {asks(func(q *table.DriverQuery) { q.Consistent = q.Slot == 0 && q.Consistent }), "bad query", "indexes"},
	"a shard that knows one tenant": {
		broken{query: func(ctx context.Context, d table.Driver, q table.DriverQuery) (table.DriverPage, error) {
			p, err := d.Query(ctx, q)
			if _, scoped := q.Key.Scope(); !scoped && len(p.Rows) > 0 {
				first := p.Rows[0].Partition
				p.Rows = slices.DeleteFunc(p.Rows, func(r table.Row) bool { return r.Partition != first })
			}
			return p, err
		}}, "shards", "indexes",
	},
	"a batch that fails with one of its writes": {
		broken{put: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
			err := d.Put(ctx, k, r, c)
			if k.Sort() == "0" && c.Version() > 0 && err == nil {
				return &table.RowConflictError{}
			}
			return err
		}}, "a conflict is its own", "conditions",
	},
	"a context that is not looked at": {
		broken{put: func(_ context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
			return d.Put(context.Background(), k, r, c)
		}}, "done context", "conditions",
	},
	"the zero key": {
		broken{get: func(ctx context.Context, d table.Driver, k table.Key) (table.Row, error) {
			if k.Partition() == "" {
				return table.Row{}, table.ErrNotFound
			}
			return d.Get(ctx, k)
		}}, "zero key", "conditions",
	},
}

func TestFindsFaults(t *testing.T) {
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			err := run(t, func() (table.Driver, error) {
				d := f.driver
				d.Driver = table.NewMemory(nil)
				return &d, nil
			}, nil)
			failed := failures(t, err)
			require.Contains(t, failed, f.found)
			require.NotContains(t, failed, f.passes, "what is not broken passes")
		})
	}
}

// A driver that keeps what it is handed, and hands out what it keeps.
func TestFindsSharing(t *testing.T) {
	err := run(t, func() (table.Driver, error) {
		last := map[table.Key]table.Row{}
		var mu sync.Mutex
		return &broken{
			Driver: table.NewMemory(nil),
			put: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
				mu.Lock()
				defer mu.Unlock()
				err := d.Put(ctx, k, r, c)
				if err == nil {
					last[k] = r
				}
				return err
			},
			get: func(ctx context.Context, d table.Driver, k table.Key) (table.Row, error) {
				mu.Lock()
				defer mu.Unlock()
				r, err := d.Get(ctx, k)
				if kept, ok := last[k]; ok && err == nil && kept.Version == r.Version {
					return kept, nil
				}
				return r, err
			},
		}, nil
	}, nil)
	failed := failures(t, err)
	require.Contains(t, failed, "nothing is shared")
	require.NotContains(t, failed, "conditions")
}

// purger is a good driver whose Purge is not.
type purger struct {
	*table.Memory
	purge func(context.Context, *table.Memory, time.Time, int) (int, error)
}

func (p purger) Purge(ctx context.Context, now time.Time, limit int) (int, error) {
	return p.purge(ctx, p.Memory, now, limit)
}

func TestFindsBadPurges(t *testing.T) {
	for name, purge := range map[string]func(context.Context, *table.Memory, time.Time, int) (int, error){
		"too early": func(ctx context.Context, m *table.Memory, now time.Time, limit int) (int, error) {
			return m.Purge(ctx, now.Add(2*time.Hour), limit)
		},
		"too late": func(ctx context.Context, m *table.Memory, now time.Time, limit int) (int, error) {
			return m.Purge(ctx, now.Add(-2*time.Hour), limit)
		},
		"no limit": func(ctx context.Context, m *table.Memory, now time.Time, _ int) (int, error) {
			return m.Purge(ctx, now, 1000)
		},
		"nothing": func(_ context.Context, _ *table.Memory, _ time.Time, limit int) (int, error) {
			return limit % 1000, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			open := func() (table.Driver, error) { return purger{table.NewMemory(nil), purge}, nil }
			require.Equal(t, []string{"purge"}, failures(t, run(t, open, nil)))
		})
	}
}

// A driver that answers after its Close, as if nothing had happened.
func TestFindsUseAfterClose(t *testing.T) {
	err := run(t, func() (table.Driver, error) { return closing{table.NewMemory(nil)}, nil }, nil)
	require.Equal(t, []string{"after close"}, failures(t, err))
}

type closing struct{ table.Driver }

func (closing) Close() error { return nil }

// Indexes that lag more than was said.
func TestFindsLag(t *testing.T) {
	open := func() (table.Driver, error) {
		return table.NewMemory(&table.MemoryOptions{IndexDelay: 2 * time.Second}), nil
	}
	failed := failures(t, run(t, open, &tabletest.Options{Lag: time.Second}))
	require.Contains(t, failed, "indexes")
	require.NotContains(t, failed, "ranges and order")
}

func TestCannotOpen(t *testing.T) {
	no := errors.New("no driver")
	err := tabletest.Test(t.Context(), func() (table.Driver, error) { return nil, no }, nil)
	require.ErrorIs(t, err, no)
}

// It leaves nothing behind, so that a real table may be tested.
func TestCleansUp(t *testing.T) {
	m := &tally{Driver: table.NewMemory(nil), rows: map[table.Key]bool{}}
	require.NoError(t, run(t, func() (table.Driver, error) { return m, nil }, nil))
	require.Empty(t, m.rows)
	require.Greater(t, m.puts, 400)
}

// tally knows which rows there are.
type tally struct {
	table.Driver
	mu   sync.Mutex
	rows map[table.Key]bool
	puts int
}

func (d *tally) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.Driver.Put(ctx, k, r, c)
	if err == nil {
		d.rows[k] = true
		d.puts++
	}
	return err
}

func (d *tally) Delete(ctx context.Context, k table.Key, c table.Cond) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.Driver.Delete(ctx, k, c)
	if err == nil {
		delete(d.rows, k)
	}
	return err
}

// run runs the suite in a bubble, so that waiting takes no time.
func run(t *testing.T, open func() (table.Driver, error), o *tabletest.Options) (err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { err = tabletest.Test(t.Context(), open, o) })
	return err
}

// failures returns the names of the checks that failed.
func failures(t *testing.T, err error) []string {
	t.Helper()
	all, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok, "nothing was found: %v", err)
	var names []string
	for _, err := range all.Unwrap() {
		f, ok := errors.AsType[*tabletest.CheckError](err)
		require.True(t, ok)
		require.True(t, strings.HasPrefix(f.Error(), "tabletest: "+f.Check+": "))
		names = append(names, f.Check)
	}
	return names
}
