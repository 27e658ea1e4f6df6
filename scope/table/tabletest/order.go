package tabletest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

var bounds = [][2]string{
	{"", ""}, {"a#", "a$"}, {"a#10", ""}, {"", "a#10"}, {"a", "b"}, {"a#1", "a#10"}, {"a#1", "a#2"},
	{"zz", "é"}, {"zz", "zzz"}, {"b", "é\u00e9"}, {"", "\uFFFD"}, {"😀", ""}, {"a", "a "}, {"\uE000", "\uFFFD"},
}

func testSorts() []string {
	s := []string{"a", "a!", "a#1", "a#10", "a#2", "a$", "b", "é", "😀", "\uFFFD", "\uE000",
		strings.Repeat("a", table.MaxSort)}
	slices.Sort(s) // by bytes
	return s
}

func checkRanges(b *bench) {
	v := b.viewAt("acme")
	for _, s := range testSorts() {
		b.putItem(v, table.Item{Sort: s})
	}
	b.checkAllRanges(v, table.Query{})
	b.eventually(func(b *bench) { // of a query that is not consistent
		b.requireEqual("all", len(b.queryPages(v, table.Query{Limit: 4})), len(testSorts()))
	})
}

func checkIndexRanges(b *bench) {
	v := b.viewAt("acme")
	for i, s := range testSorts() {
		entry := table.Entry{Slot: table.I2, Level: scope.TenantLevel, Class: "c", Sort: s}
		b.putItem(v, table.Item{Sort: fmt.Sprint(i), Index: []table.Entry{entry}})
	}
	b.eventually(func(b *bench) {
		b.requireEqual("all", len(b.queryAll(v, table.Query{Slot: table.I2, Class: "c"})), len(testSorts()))
	})
	b.checkAllRanges(v, table.Query{Slot: table.I2, Class: "c"})
}

// checkAllRanges queries all bounds, in both orders and with several limits.
func (b *bench) checkAllRanges(v *table.View, q table.Query) {
	for _, q.Limit = range []int{0, 1, 3} {
		for _, r := range bounds {
			q.From, q.To = r[0], r[1]
			b.checkRange(v, q)
		}
	}
}

func (b *bench) checkRange(v *table.View, q table.Query) {
	want := []string{}
	for _, s := range testSorts() {
		if s >= q.From && (q.To == "" || s < q.To) {
			want = append(want, s)
		}
	}
	if q.Limit == 0 {
		b.requireEqual(fmt.Sprintf("count from %q to %q", q.From, q.To), b.countItems(v, q), len(want))
	}
	for _, q.Desc = range []bool{false, true} {
		if q.Desc {
			slices.Reverse(want)
		}
		got := []string{}
		for _, f := range b.queryAll(v, q) {
			got = append(got, sortIn(q.Slot, f.Item))
		}
		b.requireEqual(fmt.Sprintf("%+v", q), got, want)
	}
}

// sortIn returns the sort key that an item has in an index, or in the table.
func sortIn(slot table.Slot, it table.Item) string {
	for _, e := range it.Index {
		if e.Slot == slot {
			return e.Sort
		}
	}
	return it.Sort
}

// checkLargePages lists more than stores return at once (DynamoDB: 1 MB).
func checkLargePages(b *bench) {
	v := b.viewAt("acme")
	const n = 7
	for i := range n {
		entry := table.Entry{Slot: table.I3, Level: scope.TenantLevel, Class: "c", Sort: fmt.Sprint(i)}
		attr := map[string]table.Value{"a": strings.Repeat("x", 300<<10), "n": int64(i)}
		b.putItem(v, table.Item{Sort: fmt.Sprint(i), Index: []table.Entry{entry}, Attr: attr})
	}
	b.eventually(func(b *bench) {
		for _, q := range []table.Query{{}, {Desc: true}, {Limit: n}, {Limit: 5}, {Slot: table.I3, Class: "c"},
			{Slot: table.I3, Class: "c", Desc: true}} {
			want := []string{}
			for i := range n {
				want = append(want, b.nameOf(v.Scope(), fmt.Sprint(i)))
			}
			if q.Desc {
				slices.Reverse(want)
			}
			b.requireEqual(fmt.Sprintf("%+v", q), b.namesOf(b.queryAll(v, q)), want)
			q.Desc, q.Limit = false, 0
			b.requireEqual(fmt.Sprintf("count of %+v", q), b.countItems(v, q), n)
		}
	})
}

// checkMovingPages checks that rows that do not change are listed exactly once.
func checkMovingPages(b *bench) {
	v := b.viewAt("acme")
	const n = 20
	for i := range n {
		b.putItem(v, table.Item{Sort: fmt.Sprintf("%02d", i)})
	}
	seen := []string{}
	q := table.Query{Limit: 3, Desc: true, Consistent: true}
	for i := 0; ; i++ {
		page, err := v.Query(b.ctx, q)
		b.requireNoError(err, "query")
		for _, f := range page.Items {
			seen = append(seen, f.Item.Sort)
		}
		if page.Next == "" {
			break
		}
		if i > n {
			b.failf("more pages than items")
		}
		q.Cursor = page.Next
		b.putItem(v, table.Item{Sort: fmt.Sprintf("new %d", i)})
		if i == 1 { // the row at the cursor
			last := page.Items[len(page.Items)-1].Item
			b.requireNoError(v.Delete(b.ctx, last.Sort, table.Version(last.Version)), "delete")
		}
	}
	want := []string{}
	for i := range n {
		want = append(want, fmt.Sprintf("%02d", n-1-i))
	}
	b.requireEqual("listed", seen, want)
}
