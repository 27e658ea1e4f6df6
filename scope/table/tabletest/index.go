package tabletest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

func indexes(b *bench) {
	s1, s2 := b.at("acme/u1/1"), b.at("acme/u2/2")
	tenant, user := b.in("acme"), b.in("acme/u1")
	entries := func(sort string) []table.Entry {
		return []table.Entry{
			{Slot: table.I1, Level: scope.UserLevel, Class: "active", Sort: sort},
			{Slot: table.I2, Level: scope.TenantLevel, Class: "active", Sort: sort},
			{Slot: table.I3, Level: scope.None, Class: "due" + b.run[:8], Shard: 11, Sort: sort},
		}
	}
	attr := map[string]table.Value{"a": "shown", "b": int64(1), "c": "more"}
	one := b.store(b.view(s1), table.Item{Sort: "meta", Index: entries("a"), Attr: attr})
	two := b.store(b.view(s2), table.Item{Sort: "meta", Index: entries("b"), Attr: attr})
	b.want("entries", one.Index, entries("a"))
	found := func(v *table.View, slot table.Slot, class string, want ...table.Item) {
		b.eventually(func() {
			got := []table.Item{}
			for _, f := range b.all(v, table.Query{Slot: slot, Class: class, Desc: true}) {
				got = append(got, f.Item)
			}
			for i := range want {
				want[i] = b.listed(want[i], slot)
			}
			b.want(fmt.Sprintf("index %d, class %s", slot, class), got, append([]table.Item{}, want...))
			b.want(fmt.Sprintf("count of index %d, class %s", slot, class), b.count(v, table.Query{Slot: slot, Class: class}), len(want))
		})
	}
	found(tenant, table.I2, "active", two, one)
	found(user, table.I1, "active", one)
	found(user, table.I2, "active")
	found(tenant, table.I1, "active")
	found(b.in("globex"), table.I2, "active")

	// What was read keeps its entries when it is put again; others move it.
	one.Attr = map[string]table.Value{"a": "shown", "b": int64(2)}
	one = b.store(b.view(s1), one)
	b.want("entries after a change", one.Index, entries("a"))
	found(tenant, table.I2, "active", two, one)
	one.Index = []table.Entry{{Slot: table.I2, Level: scope.TenantLevel, Class: "success", Sort: "a"}}
	one = b.store(b.view(s1), one)
	found(user, table.I1, "active")
	found(tenant, table.I2, "active", two)
	found(tenant, table.I2, "success", one)
	one.Index[0].Sort = "z"
	one = b.store(b.view(s1), one)
	found(tenant, table.I2, "success", one)
	got, err := b.view(s1).Get(b.ctx, "meta")
	b.must(err, "get")
	b.want("the item", got, one)

	b.must(b.view(s1).Delete(b.ctx, "meta", table.Version(one.Version)), "delete")
	found(tenant, table.I2, "success")
}

// ties: rows that have the same sort key in an index are each listed once.
func ties(b *bench) {
	v := b.in("acme")
	want := []string{}
	for i := range 9 {
		s := b.at(fmt.Sprintf("acme/u%d/%d", i%2, i))
		for _, name := range []string{"meta", "other"} {
			b.store(b.view(s), table.Item{Sort: name, Index: []table.Entry{
				{Slot: table.I1, Level: scope.TenantLevel, Class: "c", Sort: []string{"same", "same2"}[i/7]},
			}})
			want = append(want, b.name(s, name))
		}
	}
	slices.Sort(want)
	q := table.Query{Slot: table.I1, Class: "c"}
	b.eventually(func() { b.want("all", len(b.all(v, q)), len(want)) })
	for _, q.Desc = range []bool{false, true} {
		for q.Limit = 1; q.Limit <= len(want)+1; q.Limit++ {
			for _, r := range [][2]string{{"", ""}, {"s", "t"}} {
				q.From, q.To = r[0], r[1]
				got := b.names(b.all(v, q))
				slices.Sort(got)
				b.want(fmt.Sprintf("%+v", q), got, want)
			}
		}
	}
}

// forger is a driver for a writer who puts any index attributes on their own
// rows, as IAM lets them.
type forger struct {
	table.Driver
	index [3][2]string
}

func (f *forger) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	r.Index = f.index
	return f.Driver.Put(ctx, k, r, c)
}

// forge puts rows of other scopes, and a row of the scope's own between them,
// into class c of the first index of acme/u1. It returns the names of the own.
func (b *bench) forge() []string {
	target, err := b.at("acme/u1").Index(scope.UserLevel, "c")
	b.must(err, "index")
	forge := func(path, name, sort string) {
		v, err := table.New(&forger{b.d, [3][2]string{{target, sort}}}, nil).In(b.at(path))
		b.must(err, "view")
		b.store(v, table.Item{Sort: name})
	}
	own := b.in("acme/u1/1")
	for _, e := range [][2]string{{"one", "b"}, {"two", "f"}} {
		b.store(own, table.Item{Sort: e[0], Index: []table.Entry{{Slot: table.I1, Level: scope.UserLevel, Class: "c", Sort: e[1]}}})
	}
	for i, path := range []string{"globex/u1", "globex", "acme/u2", "acme", "acme/u2/7", "acme/shared", "acme/u11"} {
		forge(path, "x", "a")
		forge(path, "y", "b")
		forge(path, "z", fmt.Sprintf("d%d", i))
		forge(path, "odd", "g\x01")
		forge(path, "long", strings.Repeat("z", table.MaxSort))
	}
	return []string{b.name(own.Scope(), "one"), b.name(own.Scope(), "two")}
}

func foreignRows(b *bench) {
	want := b.forge()
	v := b.in("acme/u1")
	q := table.Query{Slot: table.I1, Class: "c"}
	b.eventually(func() { b.want("own rows", b.names(b.all(v, q)), want) })
	for q.Limit = 1; q.Limit < 30; q.Limit += 4 {
		q.Desc = false
		b.want(fmt.Sprintf("%+v", q), b.names(b.all(v, q)), want)
		q.Desc = true
		b.want(fmt.Sprintf("%+v", q), b.names(b.all(v, q)), []string{want[1], want[0]})
	}
	// The forger's own row shows no entry that it could not have, and the next
	// honest Put takes the forged one away.
	mine := b.in("globex/u1")
	it, err := mine.Get(b.ctx, "x")
	b.must(err, "get")
	b.want("entries", len(it.Index), 0)
	b.store(mine, it)
}
