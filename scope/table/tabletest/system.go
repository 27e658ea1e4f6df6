package tabletest

import (
	"fmt"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// shards lists what lies in no scope's index, across scopes.
func shards(b *bench) {
	class := "due" + b.run[:8]
	sys := table.NewSystem(b.t)
	want := []string{}
	for i, path := range []string{"acme/u1/1", "globex/u2/2", "acme", "acme/shared", "globex/u1"} {
		for n := range 2 {
			name := fmt.Sprintf("meta%d", n)
			b.store(b.in(path), table.Item{Sort: name, Attr: map[string]table.Value{"a": "x"}, Index: []table.Entry{
				{Slot: table.I3, Level: scope.None, Class: class, Shard: 3 + 8*n, Sort: fmt.Sprintf("2026-0%d", i+1)},
			}})
			if n == 0 {
				want = append(want, b.name(b.at(path), name))
			}
		}
	}
	b.store(b.in("acme/u1"), table.Item{Sort: "gone", Expires: time.Now().Add(-time.Hour), Index: []table.Entry{
		{Slot: table.I3, Level: scope.None, Class: class, Shard: 3, Sort: "2026-01"},
	}})
	list := func(shard int, q table.Query) []string {
		q.Slot, q.Class = table.I3, class
		got := []string{}
		for {
			page, err := sys.Query(b.ctx, shard, q)
			b.must(err, "query of a shard")
			for _, f := range page.Items {
				got = append(got, b.name(f.Scope, f.Item.Sort))
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				return got
			}
		}
	}
	b.eventually(func() { b.want("a shard", list(3, table.Query{}), want) })
	b.want("a shard, row by row", list(3, table.Query{Limit: 1}), want)
	b.want("a shard up to a time", list(3, table.Query{To: "2026-03"}), want[:2])
	b.eventually(func() { b.want("another shard", len(list(11, table.Query{})), len(want)) })
	b.want("a shard that nothing is in", list(4, table.Query{}), []string{})
	b.want("the shard as a class of a tenant's", len(b.all(b.in("acme"), table.Query{Slot: table.I3, Class: class})), 0)

	page, err := sys.Query(b.ctx, 3, table.Query{Slot: table.I3, Class: class, Limit: 2})
	b.must(err, "query of a shard")
	for what, q := range map[string]table.Query{
		"no index": {Class: class}, "no class": {Slot: table.I3}, "consistent": {Slot: table.I3, Class: class, Consistent: true},
	} {
		if _, err := sys.Query(b.ctx, 3, q); err == nil {
			b.fail("a query of a shard with %s is let through", what)
		}
	}
	_, err = sys.Query(b.ctx, 11, table.Query{Slot: table.I3, Class: class, Limit: 2, Cursor: page.Next})
	b.wantErr("a cursor of another shard", err, table.ErrCursor)
}

// purges removes what has expired and nothing else, where the driver does that.
func purges(b *bench) {
	if _, ok := b.d.(table.Purger); !ok {
		return
	}
	sys := table.NewSystem(b.t)
	purge := func(limit int) int {
		n, err := sys.Purge(b.ctx, limit)
		b.must(err, "purge")
		return n
	}
	for purge(1000) == 1000 { // what others have left
	}
	v := b.in("acme/u1")
	past, later := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	entry := []table.Entry{{Slot: table.I1, Level: scope.UserLevel, Class: "c", Sort: "1"}}
	stays := []table.Item{b.store(v, table.Item{Sort: "later", Expires: later, Index: entry}), b.store(v, table.Item{Sort: "never"})}
	for i := range 5 {
		b.store(v, table.Item{Sort: fmt.Sprint("gone", i), Expires: past, Index: entry})
	}
	renewed := b.store(v, table.Item{Sort: "renewed", Expires: later})
	renewed.Expires = time.Time{}
	stays = append(stays, b.store(v, renewed))

	b.want("the first purge", purge(2), 2)
	b.want("the second", purge(1000), 3)
	b.want("a third", purge(1000), 0)
	for _, it := range stays {
		got, err := v.Get(b.ctx, it.Sort)
		b.must(err, "get of what has not expired")
		b.want("what has not expired", got, it)
	}
	b.eventually(func() {
		b.want("the index", b.names(b.all(v, table.Query{Slot: table.I1, Class: "c"})), []string{b.name(v.Scope(), "later")})
	})
	b.store(v, table.Item{Sort: "gone0"}) // the place is free
	b.want("a purge of what was put anew", purge(1000), 0)
}
