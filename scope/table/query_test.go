package table_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

func TestRangesAndOrder(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		v := b.in(t, at(t, "acme"))
		sorts := []string{"a", "a!", "a#1", "a#10", "a#2", "a$", "b", "é", "😀", "\uFFFD"}
		for _, s := range sorts {
			put(t, v, table.Item{Sort: s, Index: []table.Entry{{Slot: table.I2, Level: scope.TenantLevel, Class: "c", Sort: s}}})
		}
		b.settle()
		slices.Sort(sorts) // by bytes
		for _, slot := range []table.Slot{0, table.I2} {
			for _, limit := range []int{0, 1, 3} {
				for _, bounds := range [][2]string{{"", ""}, {"a#", "a$"}, {"a#10", ""}, {"", "a#10"}, {"a", "b"}, {"zz", "é"}, {"zz", "zzz"}} {
					for _, desc := range []bool{false, true} {
						want := []string{}
						for _, s := range sorts {
							if s >= bounds[0] && (bounds[1] == "" || s < bounds[1]) {
								want = append(want, "t#acme "+s)
							}
						}
						if desc {
							slices.Reverse(want)
						}
						q := table.Query{Slot: slot, From: bounds[0], To: bounds[1], Desc: desc, Limit: limit, Consistent: slot == 0}
						if slot != 0 {
							q.Class = "c"
						}
						require.Equal(t, want, all(t, v, q), "%+v", q)
					}
				}
			}
		}
	})
}

func TestPagingThroughTies(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		want := map[string]bool{}
		for i := range 9 {
			s := at(t, fmt.Sprintf("acme/u%d/%d", i%2, i))
			for _, name := range []string{"meta", "other"} {
				put(t, b.in(t, s), table.Item{Sort: name, Index: []table.Entry{
					{Slot: table.I1, Level: scope.TenantLevel, Class: "c", Sort: []string{"same", "same2"}[i/7]},
				}})
				want[s.Partition()+" "+name] = true
			}
		}
		b.settle()
		v := b.in(t, at(t, "acme"))
		for _, desc := range []bool{false, true} {
			for limit := 1; limit <= len(want)+1; limit++ {
				got := all(t, v, table.Query{Slot: table.I1, Class: "c", Desc: desc, Limit: limit})
				require.Len(t, got, len(want), "limit %d", limit)
				for _, row := range got {
					require.True(t, want[row], row)
				}
				slices.Sort(got)
				require.Len(t, slices.Compact(got), len(want))
			}
		}
	})
}

// TestPagingWhileOthersWrite: what does not move is listed exactly once.
func TestPagingWhileOthersWrite(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		v := b.in(t, at(t, "acme"))
		for i := range 20 {
			put(t, v, table.Item{Sort: fmt.Sprintf("%02d", i)})
		}
		seen := map[string]int{}
		q := table.Query{Limit: 3, Desc: true}
		for n := 0; ; n++ {
			page, err := v.Query(t.Context(), q)
			require.NoError(t, err)
			for _, f := range page.Items {
				seen[f.Item.Sort]++
			}
			if page.Next == "" {
				break
			}
			q.Cursor = page.Next
			put(t, v, table.Item{Sort: fmt.Sprintf("new %d", n)})
			if n == 1 { // the very row that the cursor stands on
				last := page.Items[len(page.Items)-1].Item
				require.NoError(t, v.Delete(t.Context(), last.Sort, table.Version(last.Version)))
			}
		}
		require.Len(t, seen, 20)
		for sort, n := range seen {
			require.Equal(t, 1, n, sort)
		}
	})
}

func TestCursorsFitOneQuery(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		paths := []string{"acme", "acme/u1", "globex"}
		base := table.Query{Slot: table.I1, Class: "c", From: "a", To: "z", Limit: 2}
		next := map[string]string{}
		for _, p := range paths {
			s := at(t, p)
			for _, sort := range []string{"k", "l", "m", "n"} {
				put(t, b.in(t, s), table.Item{Sort: sort, Index: []table.Entry{
					{Slot: table.I1, Level: s.Level(), Class: "c", Sort: sort},
					{Slot: table.I2, Level: s.Level(), Class: "c", Sort: sort},
				}})
			}
			b.settle()
			page, err := b.in(t, s).Query(ctx, base)
			require.NoError(t, err)
			require.NotEmpty(t, page.Next)
			next[p] = page.Next
		}
		v := b.in(t, at(t, "acme"))
		ask := func(change func(q *table.Query)) error {
			q := base
			q.Cursor = next["acme"]
			change(&q)
			_, err := v.Query(ctx, q)
			return err
		}
		require.NoError(t, ask(func(*table.Query) {}))
		require.NoError(t, ask(func(q *table.Query) { q.Limit = 7 }), "a page's size may change")
		for name, change := range map[string]func(q *table.Query){
			"of a user":      func(q *table.Query) { q.Cursor = next["acme/u1"] },
			"of a stranger":  func(q *table.Query) { q.Cursor = next["globex"] },
			"other slot":     func(q *table.Query) { q.Slot = table.I2 },
			"other class":    func(q *table.Query) { q.Class = "d" },
			"base table":     func(q *table.Query) { q.Slot, q.Class = 0, "" },
			"other from":     func(q *table.Query) { q.From = "b" },
			"other to":       func(q *table.Query) { q.To = "" },
			"other order":    func(q *table.Query) { q.Desc = true },
			"padding":        func(q *table.Query) { q.Cursor += "=" },
			"a line break":   func(q *table.Query) { q.Cursor = q.Cursor[:4] + "\n" + q.Cursor[4:] },
			"trailing bytes": func(q *table.Query) { q.Cursor += "AAAA" },
			"cut off":        func(q *table.Query) { q.Cursor = q.Cursor[:len(q.Cursor)-4] },
			"plain base64":   func(q *table.Query) { q.Cursor = "++++" },
			"too short":      func(q *table.Query) { q.Cursor = "AAAA" },
			"oversized":      func(q *table.Query) { q.Cursor = strings.Repeat("A", 1<<20) },
			"no cursor":      func(q *table.Query) { q.Cursor = "next please" },
		} {
			require.ErrorIs(t, ask(change), table.ErrCursor, name)
		}
		// Every single damaged bit.
		raw, err := base64.RawURLEncoding.DecodeString(next["acme"])
		require.NoError(t, err)
		for i := range raw {
			for bit := range 8 {
				raw[i] ^= 1 << bit
				damaged := base64.RawURLEncoding.EncodeToString(raw)
				raw[i] ^= 1 << bit
				require.ErrorIs(t, ask(func(q *table.Query) { q.Cursor = damaged }), table.ErrCursor)
			}
		}
	})
}

// forger is a driver for a writer who puts any index attributes on their own
// rows, as IAM lets them.
type forger struct {
	table.Driver
	index [3][2]string
}

func (f *forger) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	r.Index = f.index
	return f.Driver.Put(ctx, k, r, c)
}

func TestForgedIndexRowsAreDropped(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		victim := at(t, "acme/u1")
		target, err := victim.Index(scope.UserLevel, "c")
		require.NoError(t, err)
		forge := func(s scope.Scope, name, sort string) {
			forged := table.New(&forger{b.driver, [3][2]string{{target, sort}}}, nil)
			v, err := forged.In(s)
			require.NoError(t, err)
			put(t, v, table.Item{Sort: name})
		}
		own := func(name, sort string) {
			put(t, b.in(t, at(t, "acme/u1/1")), table.Item{Sort: name, Index: []table.Entry{
				{Slot: table.I1, Level: scope.UserLevel, Class: "c", Sort: sort},
			}})
		}
		own("one", "b")
		own("two", "f")
		for i, path := range []string{"globex/u1", "globex", "acme/u2", "acme", "acme/u2/7", "acme/shared", "acme/u11"} {
			forge(at(t, path), "x", "a")
			forge(at(t, path), "y", "b")
			forge(at(t, path), "z", fmt.Sprintf("d%d", i))
			forge(at(t, path), "odd", "g\x01")
			forge(at(t, path), "long", strings.Repeat("z", table.MaxSort))
		}
		b.settle()
		v := b.in(t, victim)
		want := []string{at(t, "acme/u1/1").Partition() + " one", at(t, "acme/u1/1").Partition() + " two"}
		for limit := 1; limit < 30; limit += 4 {
			q := table.Query{Slot: table.I1, Class: "c", Limit: limit}
			require.Equal(t, want, all(t, v, q), "limit %d", limit)
			q.Desc = true
			require.Equal(t, []string{want[1], want[0]}, all(t, v, q), "limit %d", limit)
		}
		n, _, err := v.Count(ctx, table.Query{Slot: table.I1, Class: "c"})
		require.NoError(t, err)
		require.Equal(t, 2, n)

		// The forger's own row shows no entry that it could not have, and the
		// next honest Put takes the forged one away.
		mine := b.in(t, at(t, "globex/u1"))
		it, err := mine.Get(ctx, "x")
		require.NoError(t, err)
		require.Empty(t, it.Index)
		put(t, mine, it)
	})
}

// liar is a driver that answers with rows that nobody asked for.
type liar struct {
	table.Driver
	row table.Row
}

func (l liar) Get(context.Context, table.Key) (table.Row, error) { return l.row, nil }
func (l liar) Put(context.Context, table.Key, table.Row, table.Cond) error {
	return &table.RowConflictError{Current: &l.row}
}
func (l liar) Query(context.Context, table.DriverQuery) (table.DriverPage, error) {
	return table.DriverPage{Rows: []table.Row{l.row}}, nil
}

func TestForeignRowsOfADriver(t *testing.T) {
	for _, row := range []table.Row{
		{Partition: "t#globex", Sort: "x", Version: 1},
		{Partition: "t#acme", Sort: "y", Version: 1},
		{Partition: "", Sort: "x", Version: 1},
	} {
		v, err := table.New(liar{row: row}, nil).In(at(t, "acme"))
		require.NoError(t, err)
		it, err := v.Get(t.Context(), "x")
		require.ErrorContains(t, err, "another row")
		require.Zero(t, it)
		_, err = v.Put(t.Context(), table.Item{Sort: "x"}, table.Absent())
		require.ErrorContains(t, err, "another row")
		page, err := v.Query(t.Context(), table.Query{From: "x", To: "x!"})
		require.NoError(t, err)
		for _, f := range page.Items {
			require.Equal(t, at(t, "acme"), f.Scope)
			require.NotEqual(t, "t#globex", row.Partition)
		}
	}
}
