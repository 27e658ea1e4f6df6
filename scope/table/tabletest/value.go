package tabletest

import (
	"math"
	"strings"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

func checkValues(b *bench) {
	attr := map[string]table.Value{
		"null": nil, "true": true, "false": false,
		"empty": "", "text": "a\u2028<\"é\U0001F4DA", "bytes": []byte{0, 0xff}, "no bytes": []byte{},
		"max": int64(math.MaxInt64), "min": int64(math.MinInt64), "int": int64(5), "nothing": int64(0),
		"float": 5.0, "big": 1e125, "small": -1e-130, "third": 1.0 / 3, "zero": 0.0,
		"beyond": float64(1 << 60), "longest": -1.7976931348623157e-100, "fraction": 0.1,
		"list": []table.Value{}, "map": map[string]table.Value{},
		"deep": map[string]table.Value{"v": []table.Value{int64(1), 1.0, nil, map[string]table.Value{"pk": "x"}}},
		// Names with a meaning in stores.
		"size": "s", "name with spaces": "s", "#n": "s", ":v": "s", "a.b": "s", "a[0]": "s",
		"S": map[string]table.Value{"N": "1"},
	}
	v := b.viewAt("acme/u1")
	stored := b.putItem(v, table.Item{Sort: "é#1", Attr: attr})
	b.requireEqual("what Put returned", stored.Attr, attr)
	got, err := v.Get(b.ctx, "é#1")
	b.requireNoError(err, "get")
	for name, want := range attr { // one by one, for the message
		b.requireEqual("attribute "+name, got.Attr[name], want)
	}
	b.requireEqual("what Get returned", got, stored)
	page := b.queryAll(v, table.Query{})
	b.requireEqual("what Query returned", page, []table.Found{{Scope: v.Scope(), Item: stored}})
	_, err = b.tryPut(v, table.Item{Sort: "é#1"}, table.Absent())
	b.requireEqual("what the conflict held", b.requireConflict("a second put", err), &stored)
}

// checkLimits puts an item that is just within the limits of package table.
func checkLimits(b *bench) {
	v := b.viewAt("acme/u1/1")
	var deep table.Value = "x"
	for range 30 {
		deep = map[string]table.Value{"m": deep}
	}
	stored := b.putItem(v, table.Item{
		Sort:    strings.Repeat("é", table.MaxSort/2),
		Expires: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		Index: []table.Entry{
			{Slot: table.I3, Level: scope.SessionLevel, Class: strings.Repeat("c", 64),
				Sort: strings.Repeat("s", table.MaxSort)},
		},
		Attr: map[string]table.Value{
			strings.Repeat("n", 255): strings.Repeat("x", table.MaxItem-4096),
			"deep":                   deep, "pk2": "not reserved",
		},
	})
	got, err := v.Get(b.ctx, stored.Sort)
	b.requireNoError(err, "get")
	b.requireEqual("what was put", got, stored)
	b.eventually(func(b *bench) {
		q := table.Query{Slot: table.I3, Class: strings.Repeat("c", 64)}
		b.requireEqual("found in the index", b.namesOf(b.queryAll(v, q)), []string{b.nameOf(v.Scope(), stored.Sort)})
	})
}

// checkSharing changes arguments and results after calls: stored rows must not change.
func checkSharing(b *bench) {
	v := b.viewAt("acme")
	mine := map[string]table.Value{"a": []byte("first"), "b": []table.Value{"first"}}
	want := map[string]table.Value{"a": []byte("first"), "b": []table.Value{"first"}}
	spoil := func(attr map[string]table.Value) {
		attr["a"].([]byte)[0] = 'X'
		attr["b"].([]table.Value)[0] = "spoilt"
		attr["new"] = true
	}
	entry := []table.Entry{{Slot: table.I1, Level: scope.TenantLevel, Class: "c", Sort: "x"}}
	k, r := b.probeKey(v, "x", table.Item{Attr: mine, Index: entry})
	b.requireNoError(b.d.Put(b.ctx, k, r, table.Absent()), "put")
	spoil(r.Attr)
	q := table.DriverQuery{Key: k, Consistent: true, Limit: 9}
	index := table.DriverQuery{Key: b.probeIndexKey(v, "c"), Slot: table.I1, Limit: 9}
	for range 2 {
		got, err := b.d.Get(b.ctx, k)
		b.requireNoError(err, "get")
		b.requireEqual("what Get returned", got.Attr, want)
		spoil(got.Attr)
		page, err := b.d.Query(b.ctx, q)
		b.requireNoError(err, "query")
		b.requireEqual("how many", len(page.Rows), 1)
		b.requireEqual("what Query returned", page.Rows[0].Attr, want)
		spoil(page.Rows[0].Attr)
		_, err = b.tryPut(v, table.Item{Sort: "x"}, table.Absent())
		current := b.requireConflict("a second put", err)
		if current == nil {
			b.failf("a conflict without its item")
		}
		b.requireEqual("what the conflict held", current.Attr, want)
		spoil(current.Attr)
		if b.o.Listed != nil {
			continue
		}
		b.eventually(func(b *bench) {
			page, err := b.d.Query(b.ctx, index)
			b.requireNoError(err, "query of the index")
			b.requireEqual("how many in the index", len(page.Rows), 1)
			b.requireEqual("what the index returned", page.Rows[0].Attr, want)
			spoil(page.Rows[0].Attr)
		})
	}
}

func checkScopesApart(b *bench) {
	paths := []string{"acme", "acme/shared", "acme/u1", "acme/u1/1", "acme/u1/2", "acme/u2", "acme/u", "acm", "globex/u1"}
	for _, p := range paths {
		b.putItem(b.viewAt(p), table.Item{Sort: "same", Attr: map[string]table.Value{"of": p}})
	}
	for _, p := range paths {
		v := b.viewAt(p)
		it, err := v.Get(b.ctx, "same")
		b.requireNoError(err, "get in "+p)
		b.requireEqual("whose item it is", it.Attr["of"], table.Value(p))
		b.requireEqual("rows in "+p, b.namesOf(b.queryAll(v, table.Query{})), []string{b.nameOf(v.Scope(), "same")})
		b.requireEqual("count in "+p, b.countItems(v, table.Query{}), 1)
	}
}
