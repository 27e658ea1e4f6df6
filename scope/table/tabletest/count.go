package tabletest

import (
	"fmt"
	"time"

	"github.com/carrel-go/carrel/scope/table"
)

// putSome puts 18 rows, of which every third has expired, and returns the number of the
// others.
func (b *bench) putSome(v *table.View) (live int) {
	for i := range 18 {
		it := table.Item{Sort: fmt.Sprintf("%02d", i),
			Index: []table.Entry{{Slot: table.I1, Level: v.Scope().Level(), Class: "c", Sort: fmt.Sprintf("%02d", i)}}}
		if i%3 == 0 {
			it.Expires = time.Now().Add(-time.Hour)
		} else {
			live++
		}
		b.putItem(v, it)
	}
	return live
}

func checkCounts(b *bench) {
	v := b.viewAt("acme/u1")
	b.requireEqual("count of nothing", b.countItems(v, table.Query{}), 0)
	live := b.putSome(v)
	b.requireEqual("count", b.countItems(v, table.Query{}), live)
	b.requireEqual("count of a range", b.countItems(v, table.Query{From: "03", To: "06"}), 2)
	b.eventually(func(b *bench) {
		b.requireEqual("count of the index", b.countItems(v, table.Query{Slot: table.I1, Class: "c"}), live)
		b.requireEqual("count of a range of the index",
			b.countItems(v, table.Query{Slot: table.I1, Class: "c", From: "03", To: "06"}), 2)
	})
	b.requireEqual("count of another class", b.countItems(v, table.Query{Slot: table.I1, Class: "d"}), 0)
	b.requireEqual("count of another index", b.countItems(v, table.Query{Slot: table.I2, Class: "c"}), 0)
}

func checkForeignCount(b *bench) {
	want := b.forgeRows()
	b.eventually(func(b *bench) {
		b.requireEqual("count", b.countItems(b.viewAt("acme/u1"), table.Query{Slot: table.I1, Class: "c"}), len(want))
	})
}

// checkCountLimit checks that the limit applies to counted rows, not to examined ones.
func checkCountLimit(b *bench) {
	v := b.viewAt("acme/u1")
	live := b.putSome(v)
	k, _ := b.probeKey(v, "00", table.Item{})
	for _, q := range []table.DriverQuery{{Key: k, Consistent: true}, {Key: b.probeIndexKey(v, "c"), Slot: table.I1}} {
		q.CountOnly = true
		for _, limit := range []int{1, live - 1, live, live + 1, 18, 100} {
			q.Limit = limit
			b.eventually(func(b *bench) {
				page, err := b.d.Query(b.ctx, q)
				b.requireNoError(err, "count")
				b.requireEqual(fmt.Sprintf("slot %d: count up to %d", q.Slot, limit), page.Count, min(limit, live))
				b.requireEqual("rows of a count", len(page.Rows), 0)
				b.requireEqual("more of a count", page.More, false)
			})
		}
	}
}
