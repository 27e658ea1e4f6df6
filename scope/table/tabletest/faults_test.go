package tabletest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/faultytable"
	"github.com/carrel-go/carrel/scope/table"
)

var faults = map[string]struct {
	driver faultytable.Driver
	found  string // a check that must fail
	passes string // a check that must pass
}{
	"a condition that is not evaluated": {
		faultytable.Driver{OnPut: faultytable.PutUnconditionally}, "conditions", "ranges and order",
	},
	"a condition checked beforehand": {faultytable.Driver{OnPut: faultytable.CheckThenPut}, "many writers, one winner", "conditions"},
	"an update that is lost":         {faultytable.Driver{OnPut: faultytable.CheckThenPut}, "no update is lost", "conditions"},
	"a conflict without its item": {
		faultytable.Driver{OnPut: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
			return faultytable.DropCurrent(d.Put(ctx, k, r, c))
		}}, "conditions", "count",
	},
	"a delete's conflict without its item": {
		faultytable.Driver{OnDelete: func(ctx context.Context, d table.Driver, k table.Key, c table.Cond) error {
			return faultytable.DropCurrent(d.Delete(ctx, k, c))
		}}, "conditions", "ranges and order",
	},
	"a delete that does nothing": {
		faultytable.Driver{OnDelete: func(context.Context, table.Driver, table.Key, table.Cond) error { return nil }}, "conditions", "values keep their types",
	},
	"a put that merges": {faultytable.Driver{OnPut: faultytable.MergePut}, "replaces all", "values keep their types"},
	"5.0 that comes back as 5": {
		faultytable.ChangeRow(func(r *table.Row) {
			for name, v := range r.Attr {
				if f, ok := v.(float64); ok && f == float64(int64(f)) {
					r.Attr[name] = int64(f)
				}
			}
		}), "values keep their types", "conditions",
	},
	"no bytes that come back as nothing": {
		faultytable.ChangeRow(func(r *table.Row) {
			for name, v := range r.Attr {
				if b, ok := v.([]byte); ok && len(b) == 0 {
					delete(r.Attr, name)
				}
			}
		}), "values keep their types", "conditions",
	},
	"an expiry that is not kept": {faultytable.ChangeRow(func(r *table.Row) { r.Expires = time.Time{} }), "expired is absent", "conditions"},
	"a smaller size": {
		faultytable.Driver{OnPut: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
			if s, ok := r.Attr[strings.Repeat("n", 255)].(string); ok && len(s) > 350<<10 {
				return table.ErrTooLarge
			}
			return d.Put(ctx, k, r, c)
		}}, "limits can be reached", "pages of large items",
	},
	"expired rows that are there for conditions": {
		faultytable.Driver{OnPut: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
			if old, err := d.Get(ctx, k); err == nil && c.Absent() {
				return &table.RowConflictError{Current: &old}
			}
			return d.Put(ctx, k, r, c)
		}}, "expired is absent", "ranges and order",
	},
	"a limit that is ignored":  {faultytable.ChangeQuery(func(q *table.DriverQuery) { q.Limit = 1000 }), "ranges and order", "conditions"},
	"an order that is ignored": {faultytable.ChangeQuery(func(q *table.DriverQuery) { q.Desc = false }), "ranges and order", "conditions"},
	"a start that is ignored":  {faultytable.ChangeQuery(func(q *table.DriverQuery) { q.From = "" }), "ranges and order", "conditions"},
	"an end that is included": {
		faultytable.ChangeQuery(func(q *table.DriverQuery) {
			if q.To != "" && q.Slot == 0 {
				q.To += "\x01"
			}
		}), "ranges and order", "indexes",
	},
	"an end of an index that is included": {
		faultytable.ChangeQuery(func(q *table.DriverQuery) {
			if q.To != "" && q.Slot != 0 {
				q.To += "\x01"
			}
		}), "ranges and order in an index", "ranges and order",
	},
	"the last page too early": {faultytable.ChangePage(func(_ table.DriverQuery, p *table.DriverPage) { p.More = false }), "ranges and order", "conditions"},
	"a page that begins with the last one's end": {
		faultytable.Driver{OnQuery: func(ctx context.Context, d table.Driver, q table.DriverQuery) (table.DriverPage, error) {
			if q.After != nil && !q.Desc && q.Slot == 0 {
				q.From, q.After = q.After.Sort, nil
			}
			return d.Query(ctx, q)
		}}, "ranges and order", "indexes",
	},
	"pages that know the sort key alone": {
		faultytable.Driver{OnQuery: func(ctx context.Context, d table.Driver, q table.DriverQuery) (table.DriverPage, error) {
			if p := q.After; p != nil && q.Slot != 0 && !q.Desc {
				q.After = &table.Position{Index: p.Index, Partition: "~", Sort: "~"}
			}
			return d.Query(ctx, q)
		}}, "ties in an index", "ranges and order in an index",
	},
	"a page cut by size that is taken for the last": {
		faultytable.ChangePage(func(_ table.DriverQuery, p *table.DriverPage) {
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
		faultytable.CountRows(func(table.Row) bool { return false }), "count", "ranges and order",
	},
	"a count that includes foreign rows": {
		faultytable.CountRows(func(r table.Row) bool { return r.Expired(time.Now()) }), "count of foreign rows", "count",
	},
	"a count whose limit is of what was looked at": {
		faultytable.Driver{OnQuery: func(ctx context.Context, d table.Driver, q table.DriverQuery) (table.DriverPage, error) {
			p, err := d.Query(ctx, q)
			if q.CountOnly && q.Limit < 18 {
				p.Count = min(p.Count, q.Limit*2/3)
			}
			return p, err
		}}, "count up to the limit", "count",
	},
	"index rows without their keys": {
		faultytable.ChangePage(func(q table.DriverQuery, p *table.DriverPage) {
			for i := range p.Rows {
				p.Rows[i].Index = [3][2]string{}
			}
		}), "indexes", "conditions",
	},
	"an index that is read consistently": {faultytable.ChangeQuery(func(q *table.DriverQuery) { q.Consistent = q.Slot == 0 && q.Consistent }), "bad query", "indexes"},
	"a shard that knows one tenant": {
		faultytable.Driver{OnQuery: func(ctx context.Context, d table.Driver, q table.DriverQuery) (table.DriverPage, error) {
			p, err := d.Query(ctx, q)
			if _, scoped := q.Key.Scope(); !scoped && len(p.Rows) > 0 {
				first := p.Rows[0].Partition
				p.Rows = slices.DeleteFunc(p.Rows, func(r table.Row) bool { return r.Partition != first })
			}
			return p, err
		}}, "shards", "indexes",
	},
	"a batch that fails with one of its writes": {
		faultytable.Driver{OnPut: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
			err := d.Put(ctx, k, r, c)
			if k.Sort() == "0" && c.Version() > 0 && err == nil {
				return &table.RowConflictError{}
			}
			return err
		}}, "a conflict is its own", "conditions",
	},
	"a context that is not looked at": {
		faultytable.Driver{OnPut: func(_ context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
			return d.Put(context.Background(), k, r, c)
		}}, "done context", "conditions",
	},
	"the zero key": {
		faultytable.Driver{OnGet: func(ctx context.Context, d table.Driver, k table.Key) (table.Row, error) {
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
