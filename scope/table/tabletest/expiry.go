package tabletest

import (
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// checkExpired puts an item that has expired. The store may keep it, but each call must
// treat it as absent.
func checkExpired(b *bench) {
	v := b.viewAt("acme/u1")
	entry := []table.Entry{{Slot: table.I1, Level: scope.UserLevel, Class: "c", Sort: "1"}}
	past := time.Now().Add(-time.Hour)
	first := b.putItem(v, table.Item{Sort: "slot", Expires: past, Index: entry,
		Attr: map[string]table.Value{"a": "first"}})
	b.putItem(v, table.Item{Sort: "stays",
		Index: []table.Entry{{Slot: table.I1, Level: scope.UserLevel, Class: "c", Sort: "2"}}})

	b.requireAbsent(v, first)
	b.eventually(func(b *bench) {
		b.requireEqual("in the index", b.namesOf(b.queryAll(v, table.Query{Slot: table.I1, Class: "c"})),
			[]string{b.nameOf(v.Scope(), "stays")})
		b.requireEqual("count of the index", b.countItems(v, table.Query{Slot: table.I1, Class: "c"}), 1)
	})
	b.requireEqual("in the table", b.namesOf(b.queryAll(v, table.Query{})), []string{b.nameOf(v.Scope(), "stays")})
	b.requireEqual("count", b.countItems(v, table.Query{}), 1)

	second := b.putItem(v, table.Item{Sort: "slot", Attr: map[string]table.Value{"b": "second"}})
	got, err := v.Get(b.ctx, "slot")
	b.requireNoError(err, "get of the next")
	b.requireEqual("the next", got, second)
	b.eventually(func(b *bench) {
		b.requireEqual("in the index, after the first item was replaced",
			b.namesOf(b.queryAll(v, table.Query{Slot: table.I1, Class: "c"})), []string{b.nameOf(v.Scope(), "stays")})
	})
}

// requireAbsent checks that every call treats an expired item as absent.
func (b *bench) requireAbsent(v *table.View, it table.Item) {
	_, err := v.Get(b.ctx, it.Sort)
	b.requireErrorIs("get of what expired", err, table.ErrNotFound)
	_, err = b.tryPut(v, it, table.Version(it.Version))
	b.requireEqual("conflict of a change of what expired", b.requireConflict("a change of what expired", err),
		(*table.Item)(nil))
	b.requireEqual("conflict of a delete of what expired",
		b.requireConflict("a delete of what expired",
			v.Delete(b.ctx, it.Sort, table.Version(it.Version))), (*table.Item)(nil))
}

// checkExpires waits for an item to expire.
func checkExpires(b *bench) {
	v := b.viewAt("acme/u1")
	index := table.Query{Slot: table.I1, Class: "c"}
	entry := []table.Entry{{Slot: table.I1, Level: scope.UserLevel, Class: "c", Sort: "1"}}
	later := time.Now().Add(time.Hour)
	it := b.putItem(v, table.Item{Sort: "x", Expires: later, Index: entry})
	other := b.putItem(v, table.Item{Sort: "y", Expires: later})
	b.eventually(func(b *bench) {
		b.requireEqual("in the index", len(b.queryAll(v, index)), 1)
		b.requireEqual("count of the index", b.countItems(v, index), 1)
	})
	it.Expires = time.Now().Add(time.Second)
	it = b.putItem(v, it)
	for _, want := range []table.Item{it, other} {
		got, err := v.Get(b.ctx, want.Sort)
		b.requireNoError(err, "get before the expiry")
		b.requireEqual("the item", got, want)
	}
	b.sleep(time.Until(it.Expires))
	b.requireAbsent(v, it)
	b.requireEqual("in the table", b.namesOf(b.queryAll(v, table.Query{})), []string{b.nameOf(v.Scope(), "y")})
	b.requireEqual("count", b.countItems(v, table.Query{}), 1)
	b.eventually(func(b *bench) {
		b.requireEqual("in the index", len(b.queryAll(v, index)), 0)
		b.requireEqual("count of the index", b.countItems(v, index), 0)
	})
}
