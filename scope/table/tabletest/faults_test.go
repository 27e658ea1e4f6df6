package tabletest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
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

// breakQuery returns a driver that changes queries.
func breakQuery(change func(*table.DriverQuery)) broken {
	return broken{query: func(ctx context.Context, d table.Driver, q table.DriverQuery) (table.DriverPage, error) {
		change(&q)
		return d.Query(ctx, q)
	}}
}

// breakPage returns a driver that changes pages.
func breakPage(change func(table.DriverQuery, *table.DriverPage)) broken {
	return broken{query: func(ctx context.Context, d table.Driver, q table.DriverQuery) (table.DriverPage, error) {
		p, err := d.Query(ctx, q)
		change(q, &p)
		return p, err
	}}
}

// breakRow returns a driver that changes rows before it stores them.
func breakRow(change func(*table.Row)) broken {
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

// checkThenAct evaluates conditions in a separate step.
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
	time.Sleep(time.Millisecond) // of a bubble: all others evaluate their conditions now
	return overwrite(ctx, d, k, r)
}

func dropCurrent(err error) error {
	if _, ok := errors.AsType[*table.RowConflictError](err); ok {
		return &table.RowConflictError{}
	}
	return err
}

var faults = map[string]struct {
	driver broken
	found  string // a check that must fail
	passes string // a check that must pass
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
			return dropCurrent(d.Put(ctx, k, r, c))
		}}, "conditions", "count",
	},
	"a delete's conflict without its item": {
		broken{del: func(ctx context.Context, d table.Driver, k table.Key, c table.Cond) error {
			return dropCurrent(d.Delete(ctx, k, c))
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
		breakRow(func(r *table.Row) {
			for name, v := range r.Attr {
				if f, ok := v.(float64); ok && f == float64(int64(f)) {
					r.Attr[name] = int64(f)
				}
			}
		}), "values keep their types", "conditions",
	},
	"no bytes that come back as nothing": {
		breakRow(func(r *table.Row) {
			for name, v := range r.Attr {
				if b, ok := v.([]byte); ok && len(b) == 0 {
					delete(r.Attr, name)
				}
			}
		}), "values keep their types", "conditions",
	},
	"an expiry that is not kept": {breakRow(func(r *table.Row) { r.Expires = time.Time{} }), "expired is absent", "conditions"},
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
	"a limit that is ignored":  {breakQuery(func(q *table.DriverQuery) { q.Limit = 1000 }), "ranges and order", "conditions"},
	"an order that is ignored": {breakQuery(func(q *table.DriverQuery) { q.Desc = false }), "ranges and order", "conditions"},
	"a start that is ignored":  {breakQuery(func(q *table.DriverQuery) { q.From = "" }), "ranges and order", "conditions"},
	"an end that is included": {
		breakQuery(func(q *table.DriverQuery) {
			if q.To != "" && q.Slot == 0 {
				q.To += "\x01"
			}
		}), "ranges and order", "indexes",
	},
	"an end of an index that is included": {
		breakQuery(func(q *table.DriverQuery) {
			if q.To != "" && q.Slot != 0 {
				q.To += "\x01"
			}
		}), "ranges and order in an index", "ranges and order",
	},
	"the last page too early": {breakPage(func(_ table.DriverQuery, p *table.DriverPage) { p.More = false }), "ranges and order", "conditions"},
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
		breakPage(func(_ table.DriverQuery, p *table.DriverPage) {
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
		breakPage(func(q table.DriverQuery, p *table.DriverPage) {
			for i := range p.Rows {
				p.Rows[i].Index = [3][2]string{}
			}
		}), "indexes", "conditions",
	},
	"an index that is read consistently": {breakQuery(func(q *table.DriverQuery) { q.Consistent = q.Slot == 0 && q.Consistent }), "bad query", "indexes"},
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
	t.Parallel()
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failed := failures(t, func() table.Driver {
				d := f.driver
				d.Driver = table.NewMemory(nil)
				return &d
			}, nil)
			require.Contains(t, failed, f.found)
			require.NotContains(t, failed, f.passes, "a promise that is kept")
		})
	}
}
