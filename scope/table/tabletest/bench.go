package tabletest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// bench is a driver with the tenants of one check. Its methods end the check if
// something goes wrong, so only the goroutine of the check may call them.
type bench struct {
	tester
	ctx     context.Context
	d       table.Driver
	t       *table.Table
	o       Options
	run     string         // part of the names of the tenants
	written map[place]bool // rows to remove
	closed  bool           // the check has closed the driver
}

// place is the scope and the sort key of a row.
type place struct {
	s    scope.Scope
	sort string
}

func newBench(t tester, d table.Driver, o Options) *bench {
	b := &bench{tester: t, ctx: t.Context(), d: d, o: o, run: uuid.NewString()[:18], written: map[place]bool{}}
	b.t = b.newTable(d)
	return b
}

func (b *bench) newTable(d table.Driver) *table.Table {
	b.Helper()
	t, err := table.New(d, nil)
	b.requireNoError(err, "table")
	return t
}

func (b *bench) failf(format string, args ...any) {
	b.Helper()
	b.Errorf(format, args...)
	b.FailNow()
}

func (b *bench) requireNoError(err error, doing string) {
	b.Helper()
	if err != nil {
		b.failf("%s: %v", doing, err)
	}
}

func (b *bench) requireEqual(what string, got, want any) {
	b.Helper()
	if !reflect.DeepEqual(got, want) {
		b.failf("%s: got %.500s, want %.500s", what, formatValue(got), formatValue(want))
	}
}

func formatValue(v any) string {
	if it, ok := v.(*table.Item); ok && it != nil {
		return fmt.Sprintf("%+v", *it)
	}
	return fmt.Sprintf("%+v", v)
}

func (b *bench) requireErrorIs(what string, err, want error) {
	b.Helper()
	if !errors.Is(err, want) {
		b.failf("%s: got error %q, want %q", what, fmt.Sprint(err), want)
	}
}

// requireConflict returns the current item of a conflict.
func (b *bench) requireConflict(what string, err error) *table.Item {
	b.Helper()
	c, ok := errors.AsType[*table.ConflictError](err)
	if !ok {
		b.failf("%s: got error %q, want a conflict", what, fmt.Sprint(err))
	}
	return c.Current
}

// scopeAt returns the scope of a path such as "acme", "acme/shared", "acme/u1" or
// "acme/u1/3". Each bench has different tenants.
func (b *bench) scopeAt(path string) scope.Scope {
	b.Helper()
	parts := strings.Split(path, "/")
	s, err := scope.Tenant("T" + b.run + "-" + parts[0])
	if len(parts) > 1 && parts[1] == "shared" {
		s, err = s.Shared()
	} else if len(parts) > 1 {
		s, err = s.User(parts[1])
	}
	if len(parts) > 2 {
		s, err = s.Session("0199a1b2-c3d4-7e5f-8a9b-" + strings.Repeat("0", 12-len(parts[2])) + parts[2])
	}
	b.requireNoError(err, "scope of "+path)
	return s
}

func (b *bench) viewOf(s scope.Scope) *table.View {
	b.Helper()
	v, err := b.t.In(s)
	b.requireNoError(err, "view")
	return v
}

func (b *bench) viewAt(path string) *table.View { return b.viewOf(b.scopeAt(path)) }

// putItem puts an item with the condition that its version requires.
func (b *bench) putItem(v *table.View, it table.Item) table.Item {
	b.Helper()
	c := table.Absent()
	if it.Version > 0 {
		c = table.Version(it.Version)
	}
	stored, err := b.tryPut(v, it, c)
	b.requireNoError(err, fmt.Sprintf("put %.40q with %s", it.Sort, c))
	return stored
}

// tryPut puts an item and registers it for cleanUp.
func (b *bench) tryPut(v *table.View, it table.Item, c table.Cond) (table.Item, error) {
	b.written[place{v.Scope(), it.Sort}] = true
	return v.Put(b.ctx, it, c)
}

// queryAll reads all pages of a query. It reads the base table consistently.
func (b *bench) queryAll(v *table.View, q table.Query) []table.Found {
	b.Helper()
	q.Consistent = q.Slot == 0
	return b.queryPages(v, q)
}

func (b *bench) queryPages(v *table.View, q table.Query) []table.Found {
	b.Helper()
	out := []table.Found{}
	for pages := 0; ; pages++ {
		if pages > 1000 {
			b.failf("query %+v: more than 1,000 pages", q)
		}
		page, err := v.Query(b.ctx, q)
		b.requireNoError(err, fmt.Sprintf("query %+v", q))
		if q.Limit > 0 && len(page.Items) > q.Limit {
			b.failf("query %+v: a page of %d items", q, len(page.Items))
		}
		out = append(out, page.Items...)
		if page.Next == "" {
			return out
		}
		q.Cursor = page.Next
	}
}

func (b *bench) namesOf(found []table.Found) []string {
	out := []string{}
	for _, f := range found {
		out = append(out, b.nameOf(f.Scope, f.Item.Sort))
	}
	return out
}

func (b *bench) nameOf(s scope.Scope, sort string) string { return s.Partition() + " " + sort }

func (b *bench) countItems(v *table.View, q table.Query) int {
	b.Helper()
	q.Consistent = q.Slot == 0
	n, capped, err := v.Count(b.ctx, q)
	b.requireNoError(err, fmt.Sprintf("count %+v", q))
	if capped {
		b.failf("count %+v: capped", q)
	}
	return n
}

// eventually repeats a check of an index until it passes or the lag has passed. The
// check must use the bench that it receives.
func (b *bench) eventually(run func(*bench)) {
	b.Helper()
	if b.o.Lag == 0 {
		run(b)
		return
	}
	deadline := time.Now().Add(b.o.Lag)
	for {
		r := record(b.ctx, func(r *recorder) {
			attempt := *b
			attempt.tester = r
			run(&attempt)
		})
		if !r.Failed() {
			return
		}
		if !time.Now().Before(deadline) {
			b.failf("after a lag of %v: %s", b.o.Lag, r.text())
		}
		b.sleep(b.o.Lag / 50)
	}
}

func (b *bench) sleep(d time.Duration) {
	b.Helper()
	select {
	case <-b.ctx.Done():
		b.failf("%v", b.ctx.Err())
	case <-time.After(d):
	}
}

// projectItem returns the part of an item that an index contains.
func (b *bench) projectItem(it table.Item, slot table.Slot) table.Item {
	if b.o.Listed == nil {
		return it
	}
	out := table.Item{Sort: it.Sort, Expires: it.Expires, Attr: map[string]table.Value{}}
	for _, name := range b.o.Listed {
		if v, ok := it.Attr[name]; ok {
			out.Attr[name] = v
		}
	}
	for _, e := range it.Index {
		if e.Slot == slot {
			out.Index = append(out.Index, e)
		}
	}
	return out
}

// cleanUp deletes the items that the check put.
func (b *bench) cleanUp() error {
	for p := range b.written {
		v, err := b.t.In(p.s)
		if err != nil {
			return err
		}
		if err := deleteItem(b.ctx, v, p.sort); err != nil {
			return fmt.Errorf("delete %.40q: %w", p.sort, err)
		}
	}
	return nil
}

// deleteItem deletes an item of any version, if it exists.
func deleteItem(ctx context.Context, v *table.View, sort string) error {
	err := v.Delete(ctx, sort, table.Version(1))
	for range 3 {
		c, ok := errors.AsType[*table.ConflictError](err)
		if !ok {
			break
		}
		if c.Current != nil {
			err = v.Delete(ctx, sort, table.Version(c.Current.Version))
			continue
		}
		var it table.Item
		if it, err = v.Put(ctx, table.Item{Sort: sort}, table.Absent()); err == nil { // it was absent or had expired
			err = v.Delete(ctx, sort, table.Version(it.Version))
		}
	}
	return err
}
