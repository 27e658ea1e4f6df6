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

// bench is a driver, and tenants of its own for one check. Its methods end the
// check where something goes wrong: they panic with a failed, which try turns
// into an error. They belong to the check's own goroutine.
type bench struct {
	ctx    context.Context
	d      table.Driver
	t      *table.Table
	o      Options
	run    string // in the names of the tenants
	put    map[place]bool
	closed bool // by the check itself
}

// place is where a row was put.
type place struct {
	s    scope.Scope
	sort string
}

type failed struct{ err error }

func newBench(ctx context.Context, d table.Driver, o Options) *bench {
	return &bench{ctx: ctx, d: d, t: table.New(d, nil), o: o, run: uuid.NewString()[:18], put: map[place]bool{}}
}

func (b *bench) try(run func(*bench)) (err error) {
	defer func() {
		if p := recover(); p != nil {
			f, ok := p.(failed)
			if !ok {
				panic(p)
			}
			err = f.err
		}
	}()
	run(b)
	return nil
}

func (b *bench) fail(format string, args ...any) { panic(failed{fmt.Errorf(format, args...)}) }

func (b *bench) must(err error, doing string) {
	if err != nil {
		b.fail("%s: %w", doing, err)
	}
}

func (b *bench) want(what string, got, want any) {
	if !reflect.DeepEqual(got, want) {
		b.fail("%s: got %.500s, want %.500s", what, show(got), show(want))
	}
}

func show(v any) string {
	if it, ok := v.(*table.Item); ok && it != nil {
		return fmt.Sprintf("%+v", *it)
	}
	return fmt.Sprintf("%+v", v)
}

func (b *bench) wantErr(what string, err, want error) {
	if !errors.Is(err, want) {
		b.fail("%s: got error %q, want %q", what, fmt.Sprint(err), want)
	}
}

// at returns the scope of a path such as "acme", "acme/shared", "acme/u1" or
// "acme/u1/3". The tenants of two benches are not the same.
func (b *bench) at(path string) scope.Scope {
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
	b.must(err, "scope of "+path)
	return s
}

func (b *bench) view(s scope.Scope) *table.View {
	v, err := b.t.In(s)
	b.must(err, "view")
	return v
}

func (b *bench) in(path string) *table.View { return b.view(b.at(path)) }

// store puts an item where its version says.
func (b *bench) store(v *table.View, it table.Item) table.Item {
	c := table.Absent()
	if it.Version > 0 {
		c = table.Version(it.Version)
	}
	stored, err := b.write(v, it, c)
	b.must(err, fmt.Sprintf("put %.40q with %s", it.Sort, c))
	return stored
}

// write puts an item and remembers to remove it.
func (b *bench) write(v *table.View, it table.Item, c table.Cond) (table.Item, error) {
	b.put[place{v.Scope(), it.Sort}] = true
	return v.Put(b.ctx, it, c)
}

// conflict returns the current item of a conflict.
func (b *bench) conflict(what string, err error) *table.Item {
	c, ok := errors.AsType[*table.ConflictError](err)
	if !ok {
		b.fail("%s: got error %q, want a conflict", what, fmt.Sprint(err))
	}
	return c.Current
}

// all reads every page of a query; one of the base table consistently.
func (b *bench) all(v *table.View, q table.Query) []table.Found {
	q.Consistent = q.Slot == 0
	return b.pages(v, q)
}

func (b *bench) pages(v *table.View, q table.Query) []table.Found {
	out := []table.Found{}
	for pages := 0; ; pages++ {
		if pages > 1000 {
			b.fail("%+v: a listing without end", q)
		}
		page, err := v.Query(b.ctx, q)
		b.must(err, fmt.Sprintf("query %+v", q))
		if q.Limit > 0 && len(page.Items) > q.Limit {
			b.fail("query %+v: a page of %d items", q, len(page.Items))
		}
		out = append(out, page.Items...)
		if page.Next == "" {
			return out
		}
		q.Cursor = page.Next
	}
}

// names returns a name a row.
func (b *bench) names(found []table.Found) []string {
	out := []string{}
	for _, f := range found {
		out = append(out, b.name(f.Scope, f.Item.Sort))
	}
	return out
}

func (b *bench) name(s scope.Scope, sort string) string { return s.Partition() + " " + sort }

func (b *bench) count(v *table.View, q table.Query) int {
	q.Consistent = q.Slot == 0
	n, capped, err := v.Count(b.ctx, q)
	b.must(err, fmt.Sprintf("count %+v", q))
	if capped {
		b.fail("count %+v: capped", q)
	}
	return n
}

// eventually runs a check of an index until it holds or the lag is over.
func (b *bench) eventually(check func()) {
	over := time.Now().Add(b.o.Lag)
	for {
		err := b.try(func(*bench) { check() })
		if err == nil {
			return
		}
		if !time.Now().Before(over) {
			panic(failed{err})
		}
		b.wait(b.o.Lag / 50)
	}
}

func (b *bench) wait(d time.Duration) {
	select {
	case <-b.ctx.Done():
		panic(failed{b.ctx.Err()})
	case <-time.After(d):
	}
}

// listed returns what an index shows of an item.
func (b *bench) listed(it table.Item, slot table.Slot) table.Item {
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

// clean deletes what the check put.
func (b *bench) clean() error {
	return b.try(func(*bench) {
		for p := range b.put {
			v := b.view(p.s)
			err := v.Delete(b.ctx, p.sort, table.Version(1))
			for range 3 {
				c, ok := errors.AsType[*table.ConflictError](err)
				if !ok {
					break
				}
				if c.Current != nil {
					err = v.Delete(b.ctx, p.sort, table.Version(c.Current.Version))
				} else if _, err = v.Put(b.ctx, table.Item{Sort: p.sort}, table.Absent()); err == nil { // gone, or expired
					err = v.Delete(b.ctx, p.sort, table.Version(1))
				}
			}
			b.must(err, "clean up")
		}
	})
}
