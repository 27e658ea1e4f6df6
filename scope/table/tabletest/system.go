package tabletest

import (
	"fmt"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// checkShards lists shards, which lie outside all scopes.
func checkShards(b *bench) {
	class := "due" + b.run[:8]
	sys := b.t.System()
	want := []string{}
	for i, path := range []string{"acme/u1/1", "globex/u2/2", "acme", "acme/shared", "globex/u1"} {
		for n := range 2 {
			name := fmt.Sprintf("meta%d", n)
			b.putItem(b.viewAt(path), table.Item{Sort: name, Attr: map[string]table.Value{"a": "x"}, Index: []table.Entry{
				{Slot: table.I3, Level: scope.None, Class: class, Shard: 3 + 8*n, Sort: fmt.Sprintf("2026-0%d", i+1)},
			}})
			if n == 0 {
				want = append(want, b.nameOf(b.scopeAt(path), name))
			}
		}
	}
	b.putItem(b.viewAt("acme/u1"), table.Item{Sort: "gone", Expires: time.Now().Add(-time.Hour), Index: []table.Entry{
		{Slot: table.I3, Level: scope.None, Class: class, Shard: 3, Sort: "2026-01"},
	}})
	list := func(b *bench, shard int, q table.Query) []string {
		q.Slot, q.Class = table.I3, class
		got := []string{}
		for {
			page, err := sys.Query(b.ctx, shard, q)
			b.requireNoError(err, "query of a shard")
			for _, f := range page.Items {
				got = append(got, b.nameOf(f.Scope, f.Item.Sort))
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				return got
			}
		}
	}
	b.eventually(func(b *bench) { b.requireEqual("a shard", list(b, 3, table.Query{}), want) })
	b.requireEqual("a shard, row by row", list(b, 3, table.Query{Limit: 1}), want)
	b.requireEqual("a shard up to a time", list(b, 3, table.Query{To: "2026-03"}), want[:2])
	b.eventually(func(b *bench) { b.requireEqual("another shard", len(list(b, 11, table.Query{})), len(want)) })
	b.requireEqual("a shard that nothing is in", list(b, 4, table.Query{}), []string{})
	b.requireEqual("the shard as a class of a tenant's",
		len(b.queryAll(b.viewAt("acme"), table.Query{Slot: table.I3, Class: class})), 0)

	page, err := sys.Query(b.ctx, 3, table.Query{Slot: table.I3, Class: class, Limit: 2})
	b.requireNoError(err, "query of a shard")
	for what, q := range map[string]table.Query{
		"no index": {Class: class}, "no class": {Slot: table.I3}, "consistent": {Slot: table.I3, Class: class,
			Consistent: true},
	} {
		if _, err := sys.Query(b.ctx, 3, q); err == nil {
			b.failf("a query of a shard with %s: no error", what)
		}
	}
	_, err = sys.Query(b.ctx, 11, table.Query{Slot: table.I3, Class: class, Limit: 2, Cursor: page.Next})
	b.requireErrorIs("a cursor of another shard", err, table.ErrCursor)
}

// checkPurges checks that a [table.Purger] removes expired items only.
func checkPurges(b *bench) {
	if _, ok := b.d.(table.Purger); !ok {
		return
	}
	sys := b.t.System()
	purge := func(limit int) int {
		n, err := sys.Purge(b.ctx, limit)
		b.requireNoError(err, "purge")
		return n
	}
	for purge(1000) == 1000 { // the items of other tests
	}
	v := b.viewAt("acme/u1")
	past, later := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	entry := []table.Entry{{Slot: table.I1, Level: scope.UserLevel, Class: "c", Sort: "1"}}
	stays := []table.Item{b.putItem(v, table.Item{Sort: "later", Expires: later, Index: entry}),
		b.putItem(v, table.Item{Sort: "never"})}
	for i := range 5 {
		b.putItem(v, table.Item{Sort: fmt.Sprint("gone", i), Expires: past, Index: entry})
	}
	renewed := b.putItem(v, table.Item{Sort: "renewed", Expires: later})
	renewed.Expires = time.Time{}
	stays = append(stays, b.putItem(v, renewed))

	b.requireEqual("the first purge", purge(2), 2)
	b.requireEqual("the second", purge(1000), 3)
	b.requireEqual("a third", purge(1000), 0)
	for _, it := range stays {
		got, err := v.Get(b.ctx, it.Sort)
		b.requireNoError(err, "get of what has not expired")
		b.requireEqual("what has not expired", got, it)
	}
	b.eventually(func(b *bench) {
		b.requireEqual("the index", b.namesOf(b.queryAll(v, table.Query{Slot: table.I1, Class: "c"})),
			[]string{b.nameOf(v.Scope(), "later")})
	})
	b.putItem(v, table.Item{Sort: "gone0"}) // the sort key is free
	b.requireEqual("a purge of what was put anew", purge(1000), 0)
}
