package tabletest

import (
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// expired puts what has expired already. Whether it is still stored is the
// store's matter; it must be as if absent for every call.
func expired(b *bench) {
	v := b.in("acme/u1")
	entry := []table.Entry{{Slot: table.I1, Level: scope.UserLevel, Class: "c", Sort: "1"}}
	past := time.Now().Add(-time.Hour)
	first := b.store(v, table.Item{Sort: "slot", Expires: past, Index: entry, Attr: map[string]table.Value{"a": "first"}})
	b.store(v, table.Item{Sort: "stays", Index: []table.Entry{{Slot: table.I1, Level: scope.UserLevel, Class: "c", Sort: "2"}}})

	b.absent(v, first)
	b.eventually(func() {
		b.want("in the index", b.names(b.all(v, table.Query{Slot: table.I1, Class: "c"})), []string{b.name(v.Scope(), "stays")})
		b.want("count of the index", b.count(v, table.Query{Slot: table.I1, Class: "c"}), 1)
	})
	b.want("in the table", b.names(b.all(v, table.Query{})), []string{b.name(v.Scope(), "stays")})
	b.want("count", b.count(v, table.Query{}), 1)

	second := b.store(v, table.Item{Sort: "slot", Attr: map[string]table.Value{"b": "second"}})
	b.want("version of the next", second.Version, int64(1))
	got, err := v.Get(b.ctx, "slot")
	b.must(err, "get of the next")
	b.want("the next", got, second)
	b.eventually(func() {
		b.want("in the index, whose entry went with the first",
			b.names(b.all(v, table.Query{Slot: table.I1, Class: "c"})), []string{b.name(v.Scope(), "stays")})
	})
}

// absent checks that no call takes an expired item for one that is there.
func (b *bench) absent(v *table.View, it table.Item) {
	_, err := v.Get(b.ctx, it.Sort)
	b.wantErr("get of what expired", err, table.ErrNotFound)
	_, err = b.write(v, it, table.Version(it.Version))
	b.want("conflict of a change of what expired", b.conflict("a change of what expired", err), (*table.Item)(nil))
	b.want("conflict of a delete of what expired",
		b.conflict("a delete of what expired", v.Delete(b.ctx, it.Sort, table.Version(it.Version))), (*table.Item)(nil))
}

// expires sees an item go.
func expires(b *bench) {
	v := b.in("acme/u1")
	index := table.Query{Slot: table.I1, Class: "c"}
	entry := []table.Entry{{Slot: table.I1, Level: scope.UserLevel, Class: "c", Sort: "1"}}
	later := time.Now().Add(time.Hour)
	it := b.store(v, table.Item{Sort: "x", Expires: later, Index: entry})
	other := b.store(v, table.Item{Sort: "y", Expires: later})
	b.eventually(func() {
		b.want("in the index", len(b.all(v, index)), 1)
		b.want("count of the index", b.count(v, index), 1)
	})
	it.Expires = time.Now().Add(time.Second)
	it = b.store(v, it)
	for _, want := range []table.Item{it, other} {
		got, err := v.Get(b.ctx, want.Sort)
		b.must(err, "get before the expiry")
		b.want("the item", got, want)
	}
	b.wait(time.Until(it.Expires))
	b.absent(v, it)
	b.want("in the table", b.names(b.all(v, table.Query{})), []string{b.name(v.Scope(), "y")})
	b.want("count", b.count(v, table.Query{}), 1)
	b.eventually(func() {
		b.want("in the index", len(b.all(v, index)), 0)
		b.want("count of the index", b.count(v, index), 0)
	})
}
