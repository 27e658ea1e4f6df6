package tabletest

import (
	"fmt"
	"time"

	"github.com/carrel-go/carrel/scope/table"
)

// some puts 18 rows of which every third has expired.
func (b *bench) some(v *table.View) (live int) {
	for i := range 18 {
		it := table.Item{Sort: fmt.Sprintf("%02d", i), Index: []table.Entry{{Slot: table.I1, Level: v.Scope().Level(), Class: "c", Sort: fmt.Sprintf("%02d", i)}}}
		if i%3 == 0 {
			it.Expires = time.Now().Add(-time.Hour)
		} else {
			live++
		}
		b.store(v, it)
	}
	return live
}

func counts(b *bench) {
	v := b.in("acme/u1")
	b.want("count of nothing", b.count(v, table.Query{}), 0)
	live := b.some(v)
	b.want("count", b.count(v, table.Query{}), live)
	b.want("count of a range", b.count(v, table.Query{From: "03", To: "06"}), 2)
	b.eventually(func() {
		b.want("count of the index", b.count(v, table.Query{Slot: table.I1, Class: "c"}), live)
		b.want("count of a range of the index", b.count(v, table.Query{Slot: table.I1, Class: "c", From: "03", To: "06"}), 2)
	})
	b.want("count of another class", b.count(v, table.Query{Slot: table.I1, Class: "d"}), 0)
	b.want("count of another index", b.count(v, table.Query{Slot: table.I2, Class: "c"}), 0)
}

func foreignCount(b *bench) {
	want := b.forge()
	b.eventually(func() {
		b.want("count", b.count(b.in("acme/u1"), table.Query{Slot: table.I1, Class: "c"}), len(want))
	})
}

// countLimit: the limit is of what counts, not of what was looked at.
func countLimit(b *bench) {
	v := b.in("acme/u1")
	live := b.some(v)
	k, _ := b.key(v, "00", table.Item{})
	for _, q := range []table.DriverQuery{{Key: k, Consistent: true}, {Key: b.indexKey(v, "c"), Slot: table.I1}} {
		q.CountOnly = true
		for _, limit := range []int{1, live - 1, live, live + 1, 18, 100} {
			q.Limit = limit
			b.eventually(func() {
				page, err := b.d.Query(b.ctx, q)
				b.must(err, "count")
				b.want(fmt.Sprintf("slot %d: count up to %d", q.Slot, limit), page.Count, min(limit, live))
				b.want("rows of a count", len(page.Rows), 0)
				b.want("more of a count", page.More, false)
			})
		}
	}
}
