package tabletest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

func checkIndexes(b *bench) {
	s1, s2 := b.scopeAt("acme/u1/1"), b.scopeAt("acme/u2/2")
	tenant, user := b.viewAt("acme"), b.viewAt("acme/u1")
	entries := func(sort string) []table.Entry {
		return []table.Entry{
			{Slot: table.I1, Level: scope.UserLevel, Class: "active", Sort: sort},
			{Slot: table.I2, Level: scope.TenantLevel, Class: "active", Sort: sort},
			{Slot: table.I3, Level: scope.None, Class: "due" + b.run[:8], Shard: 11, Sort: sort},
		}
	}
	attr := map[string]table.Value{"a": "shown", "b": int64(1), "c": "more"}
	one := b.putItem(b.viewOf(s1), table.Item{Sort: "meta", Index: entries("a"), Attr: attr})
	two := b.putItem(b.viewOf(s2), table.Item{Sort: "meta", Index: entries("b"), Attr: attr})
	b.requireEqual("entries", one.Index, entries("a"))
	found := func(v *table.View, slot table.Slot, class string, want ...table.Item) {
		b.eventually(func(b *bench) {
			got := []table.Item{}
			for _, f := range b.queryAll(v, table.Query{Slot: slot, Class: class, Desc: true}) {
				got = append(got, f.Item)
			}
			for i := range want {
				want[i] = b.projectItem(want[i], slot)
			}
			b.requireEqual(fmt.Sprintf("index %d, class %s", slot, class), got, append([]table.Item{}, want...))
			b.requireEqual(fmt.Sprintf("count of index %d, class %s", slot, class),
				b.countItems(v, table.Query{Slot: slot, Class: class}), len(want))
		})
	}
	found(tenant, table.I2, "active", two, one)
	found(user, table.I1, "active", one)
	found(user, table.I2, "active")
	found(tenant, table.I1, "active")
	found(b.viewAt("globex"), table.I2, "active")

	// A Put keeps the entries of the item that was read, and other entries move it.
	one.Attr = map[string]table.Value{"a": "shown", "b": int64(2)}
	one = b.putItem(b.viewOf(s1), one)
	b.requireEqual("entries after a change", one.Index, entries("a"))
	found(tenant, table.I2, "active", two, one)
	one.Index = []table.Entry{{Slot: table.I2, Level: scope.TenantLevel, Class: "success", Sort: "a"}}
	one = b.putItem(b.viewOf(s1), one)
	found(user, table.I1, "active")
	found(tenant, table.I2, "active", two)
	found(tenant, table.I2, "success", one)
	one.Index[0].Sort = "z"
	one = b.putItem(b.viewOf(s1), one)
	found(tenant, table.I2, "success", one)
	got, err := b.viewOf(s1).Get(b.ctx, "meta")
	b.requireNoError(err, "get")
	b.requireEqual("the item", got, one)

	b.requireNoError(b.viewOf(s1).Delete(b.ctx, "meta", table.Version(one.Version)), "delete")
	found(tenant, table.I2, "success")
}

// checkTies checks that rows with equal sort keys in an index are each listed once.
func checkTies(b *bench) {
	v := b.viewAt("acme")
	want := []string{}
	for i := range 9 {
		s := b.scopeAt(fmt.Sprintf("acme/u%d/%d", i%2, i))
		for _, name := range []string{"meta", "other"} {
			b.putItem(b.viewOf(s), table.Item{Sort: name, Index: []table.Entry{
				{Slot: table.I1, Level: scope.TenantLevel, Class: "c", Sort: []string{"same", "same2"}[i/7]},
			}})
			want = append(want, b.nameOf(s, name))
		}
	}
	slices.Sort(want)
	q := table.Query{Slot: table.I1, Class: "c"}
	b.eventually(func(b *bench) { b.requireEqual("all", len(b.queryAll(v, q)), len(want)) })
	for _, q.Desc = range []bool{false, true} {
		for q.Limit = 1; q.Limit <= len(want)+1; q.Limit++ {
			for _, r := range [][2]string{{"", ""}, {"s", "t"}} {
				q.From, q.To = r[0], r[1]
				got := b.namesOf(b.queryAll(v, q))
				slices.Sort(got)
				b.requireEqual(fmt.Sprintf("%+v", q), got, want)
			}
		}
	}
}

// forger is a driver that puts the given index attributes on each row, as IAM allows.
type forger struct {
	table.Driver
	index [3][2]string
}

func (f *forger) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	r.Index = f.index
	return f.Driver.Put(ctx, k, r, c)
}

// forgeRows puts rows of other scopes into class c of the first index of acme/u1, and
// two rows of that scope between them. It returns the names of these two.
func (b *bench) forgeRows() []string {
	target, err := b.scopeAt("acme/u1").Index(scope.UserLevel, "c")
	b.requireNoError(err, "index")
	forge := func(path, name, sort string) {
		v, err := b.newTable(&forger{b.d, [3][2]string{{target, sort}}}).In(b.scopeAt(path))
		b.requireNoError(err, "view")
		b.putItem(v, table.Item{Sort: name})
	}
	own := b.viewAt("acme/u1/1")
	for _, e := range [][2]string{{"one", "b"}, {"two", "f"}} {
		b.putItem(own, table.Item{Sort: e[0],
			Index: []table.Entry{{Slot: table.I1, Level: scope.UserLevel, Class: "c", Sort: e[1]}}})
	}
	for i, path := range []string{"globex/u1", "globex", "acme/u2", "acme", "acme/u2/7", "acme/shared", "acme/u11"} {
		forge(path, "x", "a")
		forge(path, "y", "b")
		forge(path, "z", fmt.Sprintf("d%d", i))
		forge(path, "odd", "g\x01")
		forge(path, "long", strings.Repeat("z", table.MaxSort))
	}
	return []string{b.nameOf(own.Scope(), "one"), b.nameOf(own.Scope(), "two")}
}

func checkForeignRows(b *bench) {
	want := b.forgeRows()
	v := b.viewAt("acme/u1")
	q := table.Query{Slot: table.I1, Class: "c"}
	b.eventually(func(b *bench) { b.requireEqual("own rows", b.namesOf(b.queryAll(v, q)), want) })
	for q.Limit = 1; q.Limit < 30; q.Limit += 4 {
		q.Desc = false
		b.requireEqual(fmt.Sprintf("%+v", q), b.namesOf(b.queryAll(v, q)), want)
		q.Desc = true
		b.requireEqual(fmt.Sprintf("%+v", q), b.namesOf(b.queryAll(v, q)), []string{want[1], want[0]})
	}
	// The forger's row does not show the forged entry, and the next Put removes it.
	mine := b.viewAt("globex/u1")
	it, err := mine.Get(b.ctx, "x")
	b.requireNoError(err, "get")
	b.requireEqual("entries", len(it.Index), 0)
	b.putItem(mine, it)
}
