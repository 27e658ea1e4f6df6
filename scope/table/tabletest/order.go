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

func sorts() []string {
	s := []string{"a", "a!", "a#1", "a#10", "a#2", "a$", "b", "é", "😀", "\uFFFD", "\uE000", strings.Repeat("a", table.MaxSort)}
	slices.Sort(s) // by bytes
	return s
}

func ranges(b *bench) {
	v := b.in("acme")
	for _, s := range sorts() {
		b.store(v, table.Item{Sort: s})
	}
	b.ranges(v, table.Query{})
	b.eventually(func() { // as a query that need not be consistent has it
		b.want("all", len(b.pages(v, table.Query{Limit: 4})), len(sorts()))
	})
}

func indexRanges(b *bench) {
	v := b.in("acme")
	for i, s := range sorts() {
		entry := table.Entry{Slot: table.I2, Level: scope.TenantLevel, Class: "c", Sort: s}
		b.store(v, table.Item{Sort: fmt.Sprint(i), Index: []table.Entry{entry}})
	}
	b.eventually(func() {
		b.want("all", len(b.all(v, table.Query{Slot: table.I2, Class: "c"})), len(sorts()))
	})
	b.ranges(v, table.Query{Slot: table.I2, Class: "c"})
}

func (b *bench) ranges(v *table.View, q table.Query) {
	for _, limit := range []int{0, 1, 3} {
		for _, r := range bounds {
			for _, desc := range []bool{false, true} {
				q.Limit, q.Desc, q.From, q.To = limit, desc, r[0], r[1]
				want := []string{}
				for _, s := range sorts() {
					if s >= q.From && (q.To == "" || s < q.To) {
						want = append(want, s)
					}
				}
				if limit == 0 && !desc {
					b.want(fmt.Sprintf("count from %q to %q", q.From, q.To), b.count(v, q), len(want))
				}
				if desc {
					slices.Reverse(want)
				}
				got := []string{}
				for _, f := range b.all(v, q) {
					got = append(got, sortIn(q.Slot, f.Item))
				}
				b.want(fmt.Sprintf("%+v", q), got, want)
			}
		}
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

// largePages lists more than stores return at once (DynamoDB: 1 MB).
func largePages(b *bench) {
	v := b.in("acme")
	const n = 7
	for i := range n {
		entry := table.Entry{Slot: table.I3, Level: scope.TenantLevel, Class: "c", Sort: fmt.Sprint(i)}
		attr := map[string]table.Value{"a": strings.Repeat("x", 300<<10), "n": int64(i)}
		b.store(v, table.Item{Sort: fmt.Sprint(i), Index: []table.Entry{entry}, Attr: attr})
	}
	b.eventually(func() {
		for _, q := range []table.Query{{}, {Desc: true}, {Limit: n}, {Limit: 5}, {Slot: table.I3, Class: "c"}, {Slot: table.I3, Class: "c", Desc: true}} {
			want := []string{}
			for i := range n {
				want = append(want, b.name(v.Scope(), fmt.Sprint(i)))
			}
			if q.Desc {
				slices.Reverse(want)
			}
			b.want(fmt.Sprintf("%+v", q), b.names(b.all(v, q)), want)
			q.Desc, q.Limit = false, 0
			b.want(fmt.Sprintf("count of %+v", q), b.count(v, q), n)
		}
	})
}

// movingPages: what does not move is listed exactly once.
func movingPages(b *bench) {
	v := b.in("acme")
	const n = 20
	for i := range n {
		b.store(v, table.Item{Sort: fmt.Sprintf("%02d", i)})
	}
	seen := []string{}
	q := table.Query{Limit: 3, Desc: true, Consistent: true}
	for i := 0; ; i++ {
		page, err := v.Query(b.ctx, q)
		b.must(err, "query")
		for _, f := range page.Items {
			seen = append(seen, f.Item.Sort)
		}
		if page.Next == "" {
			break
		}
		if i > n {
			b.fail("a listing without end")
		}
		q.Cursor = page.Next
		b.store(v, table.Item{Sort: fmt.Sprintf("new %d", i)})
		if i == 1 { // the very row that the cursor stands on
			last := page.Items[len(page.Items)-1].Item
			b.must(v.Delete(b.ctx, last.Sort, table.Version(last.Version)), "delete")
		}
	}
	want := []string{}
	for i := range n {
		want = append(want, fmt.Sprintf("%02d", n-1-i))
	}
	b.want("listed", seen, want)
}
