package table_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/bolt"
)

// bundle is a driver with a table on it, in a bubble of its own.
type bundle struct {
	driver table.Driver
	table  *table.Table
	settle func() // waits until the indexes show every write
}

const indexDelay = 3 * time.Second

// each runs a test on every driver.
func each(t *testing.T, test func(t *testing.T, b *bundle)) {
	run := func(name string, settle func(), open func(t *testing.T) table.Driver) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := open(t)
				test(t, &bundle{driver: d, table: table.New(d, nil), settle: settle})
			})
		})
	}
	run("memory", func() {}, func(*testing.T) table.Driver { return table.NewMemory(nil) })
	run("delayed", func() { time.Sleep(indexDelay) }, func(*testing.T) table.Driver {
		return table.NewMemory(&table.MemoryOptions{IndexDelay: indexDelay})
	})
	run("bolt", func() {}, func(t *testing.T) table.Driver {
		d, err := bolt.Open(t.TempDir())
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, d.Close()) })
		return d
	})
}

func (b *bundle) in(t testing.TB, s scope.Scope) *table.View {
	v, err := b.table.In(s)
	require.NoError(t, err)
	return v
}

// at returns the scope of a path such as "acme", "acme/shared", "acme/u1" or "acme/u1/3".
func at(t testing.TB, path string) scope.Scope {
	t.Helper()
	parts := strings.Split(path, "/")
	s, err := scope.Tenant(parts[0])
	if len(parts) > 1 && parts[1] == "shared" {
		s, err = s.Shared()
	} else if len(parts) > 1 {
		s, err = s.User(parts[1])
	}
	if len(parts) > 2 {
		s, err = s.Session("0199a1b2-c3d4-7e5f-8a9b-" + strings.Repeat("0", 12-len(parts[2])) + parts[2])
	}
	require.NoError(t, err)
	return s
}

func put(t testing.TB, v *table.View, it table.Item) table.Item {
	t.Helper()
	c := table.Absent()
	if it.Version > 0 {
		c = table.Version(it.Version)
	}
	stored, err := v.Put(t.Context(), it, c)
	require.NoError(t, err)
	return stored
}

// all reads every page of a query, and returns "partition sort" a row.
func all(t testing.TB, v *table.View, q table.Query) []string {
	t.Helper()
	out := []string{}
	for pages := 0; ; pages++ {
		require.Less(t, pages, 1000, "a listing without end")
		page, err := v.Query(t.Context(), q)
		require.NoError(t, err)
		if q.Limit > 0 {
			require.LessOrEqual(t, len(page.Items), q.Limit)
		}
		for _, f := range page.Items {
			out = append(out, f.Scope.Partition()+" "+f.Item.Sort)
		}
		if page.Next == "" {
			return out
		}
		q.Cursor = page.Next
	}
}

func conflict(t testing.TB, err error) *table.Item {
	t.Helper()
	var c *table.ConflictError
	require.ErrorAs(t, err, &c)
	return c.Current
}

func TestConditions(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		v := b.in(t, at(t, "acme/u1/1"))

		_, err := v.Get(ctx, "meta")
		require.ErrorIs(t, err, table.ErrNotFound)
		_, err = v.Put(ctx, table.Item{Sort: "meta", Version: 1}, table.Version(1))
		require.Nil(t, conflict(t, err))
		require.Nil(t, conflict(t, v.Delete(ctx, "meta", table.Version(1))))

		one := put(t, v, table.Item{Sort: "meta", Attr: map[string]table.Value{"a": "1", "unknown": int64(7)}})
		require.EqualValues(t, 1, one.Version)
		got, err := v.Get(ctx, "meta")
		require.NoError(t, err)
		require.Equal(t, one, got)

		_, err = v.Put(ctx, table.Item{Sort: "meta"}, table.Absent())
		require.Equal(t, &one, conflict(t, err))

		got.Attr["a"] = "2"
		two := put(t, v, got)
		require.EqualValues(t, 2, two.Version)
		require.EqualValues(t, 7, two.Attr["unknown"])

		_, err = v.Put(ctx, one, table.Version(1))
		require.Equal(t, &two, conflict(t, err))
		require.Equal(t, &two, conflict(t, v.Delete(ctx, "meta", table.Version(1))))
		require.NoError(t, v.Delete(ctx, "meta", table.Version(2)))
		_, err = v.Get(ctx, "meta")
		require.ErrorIs(t, err, table.ErrNotFound)
		require.EqualValues(t, 1, put(t, v, table.Item{Sort: "meta"}).Version)
	})
}

func TestScopesAreApart(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		paths := []string{"acme", "acme/shared", "acme/u1", "acme/u1/1", "acme/u1/2", "acme/u2", "acme/u", "acm", "globex/u1"}
		for _, p := range paths {
			put(t, b.in(t, at(t, p)), table.Item{Sort: "same", Attr: map[string]table.Value{"of": p}})
		}
		for _, p := range paths {
			v := b.in(t, at(t, p))
			it, err := v.Get(t.Context(), "same")
			require.NoError(t, err)
			require.Equal(t, p, it.Attr["of"])
			require.Equal(t, []string{at(t, p).Partition() + " same"}, all(t, v, table.Query{}))
		}
	})
}

func TestValuesKeepTheirTypes(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		attr := map[string]table.Value{
			"null": nil, "true": true, "false": false,
			"empty": "", "text": "a\u2028<\"é\U0001F4DA", "bytes": []byte{0, 0xff}, "no bytes": []byte{},
			"max": int64(math.MaxInt64), "min": int64(math.MinInt64), "int": int64(5),
			"float": 5.0, "big": 1e125, "small": -1e-130, "third": 1.0 / 3, "zero": 0.0,
			"list": []table.Value{}, "map": map[string]table.Value{},
			"deep": map[string]table.Value{"v": []table.Value{int64(1), 1.0, nil, map[string]table.Value{"pk": "x"}}},
		}
		v := b.in(t, at(t, "acme/u1"))
		stored := put(t, v, table.Item{Sort: "é#1", Attr: attr})
		require.Equal(t, attr, stored.Attr)
		got, err := v.Get(t.Context(), "é#1")
		require.NoError(t, err)
		require.Equal(t, attr, got.Attr)

		// The documented normal forms.
		it, err := v.Put(t.Context(), table.Item{Sort: "n", Attr: map[string]table.Value{
			"z": math.Copysign(0, -1), "b": []byte(nil), "l": []table.Value(nil), "m": map[string]table.Value(nil),
		}}, table.Absent())
		require.NoError(t, err)
		got, err = v.Get(t.Context(), "n")
		require.NoError(t, err)
		require.Equal(t, it, got)
		require.False(t, math.Signbit(got.Attr["z"].(float64)))
		require.Equal(t, []byte{}, got.Attr["b"])
		require.Equal(t, []table.Value{}, got.Attr["l"])
		require.Equal(t, map[string]table.Value{}, got.Attr["m"])
	})
}

func TestNothingIsShared(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		v := b.in(t, at(t, "acme"))
		deep := []table.Value{"first"}
		mine := map[string]table.Value{"b": []byte("first"), "l": deep}
		stored := put(t, v, table.Item{Sort: "x", Attr: mine, Index: []table.Entry{{Slot: table.I1, Level: scope.TenantLevel, Class: "c", Sort: "x"}}})
		spoil := func(attr map[string]table.Value) {
			attr["b"].([]byte)[0] = 'X'
			attr["l"].([]table.Value)[0] = "spoilt"
			attr["new"] = true
		}
		spoil(mine)
		spoil(stored.Attr)
		b.settle()
		for range 2 {
			got, err := v.Get(t.Context(), "x")
			require.NoError(t, err)
			_, err = v.Put(t.Context(), table.Item{Sort: "x"}, table.Absent())
			page, qerr := v.Query(t.Context(), table.Query{})
			require.NoError(t, qerr)
			index, qerr := v.Query(t.Context(), table.Query{Slot: table.I1, Class: "c"})
			require.NoError(t, qerr)
			for _, it := range []table.Item{got, *conflict(t, err), page.Items[0].Item, index.Items[0].Item} {
				require.Equal(t, map[string]table.Value{"b": []byte("first"), "l": []table.Value{"first"}}, it.Attr)
				spoil(it.Attr)
			}
		}
	})
}

func TestManyWritersOneWinner(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		v := b.in(t, at(t, "acme/u1/1"))
		it := put(t, v, table.Item{Sort: "meta"})
		const writers = 64
		results := make(chan error, writers)
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				mine := it
				mine.Attr = map[string]table.Value{"writer": int64(i)}
				_, err := v.Put(t.Context(), mine, table.Version(it.Version))
				results <- err
			})
		}
		wg.Wait()
		now, err := v.Get(t.Context(), "meta")
		require.NoError(t, err)
		require.EqualValues(t, 2, now.Version)
		won := 0
		for range writers {
			if err := <-results; err == nil {
				won++
			} else {
				require.Equal(t, &now, conflict(t, err))
			}
		}
		require.Equal(t, 1, won)
	})
}

// TestNoUpdateIsLost has every writer read and retry until it has counted.
func TestNoUpdateIsLost(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		v := b.in(t, at(t, "acme/u1/1"))
		it := put(t, v, table.Item{Sort: "n", Attr: map[string]table.Value{"n": int64(0)}})
		const writers, rounds = 8, 4
		var wg sync.WaitGroup
		errs := make(chan error, writers*rounds)
		for range writers {
			wg.Go(func() {
				mine := it
				for range rounds {
					for {
						mine.Attr = map[string]table.Value{"n": mine.Attr["n"].(int64) + 1}
						next, err := v.Put(t.Context(), mine, table.Version(mine.Version))
						if err == nil {
							mine = next
							break
						}
						c, ok := errors.AsType[*table.ConflictError](err)
						if !ok || c.Current == nil {
							errs <- err
							return
						}
						mine = *c.Current
					}
				}
			})
		}
		wg.Wait()
		close(errs)
		for err := range errs {
			require.NoError(t, err)
		}
		got, err := v.Get(t.Context(), "n")
		require.NoError(t, err)
		require.EqualValues(t, writers*rounds, got.Attr["n"])
		require.EqualValues(t, writers*rounds+1, got.Version)
	})
}

func TestExpiry(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		v := b.in(t, at(t, "acme/u1"))
		entry := []table.Entry{{Slot: table.I1, Level: scope.UserLevel, Class: "c", Sort: "1"}}
		soon := time.Now().Add(10*time.Second + time.Millisecond)
		first := put(t, v, table.Item{Sort: "slot", Expires: soon, Index: entry, Attr: map[string]table.Value{"who": "a"}})
		require.Equal(t, soon.UTC().Truncate(time.Second).Add(time.Second), first.Expires, "rounded up")
		put(t, v, table.Item{Sort: "stays"})
		b.settle()

		count := func() int {
			n, capped, err := v.Count(ctx, table.Query{Slot: table.I1, Class: "c"})
			require.NoError(t, err)
			require.False(t, capped)
			return n
		}
		time.Sleep(time.Until(first.Expires) - time.Nanosecond)
		_, err := v.Get(ctx, "slot")
		require.NoError(t, err)
		require.Equal(t, 1, count())

		time.Sleep(time.Nanosecond)
		_, err = v.Get(ctx, "slot")
		require.ErrorIs(t, err, table.ErrNotFound)
		require.Len(t, all(t, v, table.Query{}), 1)
		require.Empty(t, all(t, v, table.Query{Slot: table.I1, Class: "c"}))
		require.Zero(t, count())
		n, _, err := v.Count(ctx, table.Query{})
		require.NoError(t, err)
		require.Equal(t, 1, n)

		// It is as if absent, for every condition.
		_, err = v.Put(ctx, first, table.Version(first.Version))
		require.Nil(t, conflict(t, err))
		require.Nil(t, conflict(t, v.Delete(ctx, "slot", table.Version(1))))
		second := put(t, v, table.Item{Sort: "slot", Attr: map[string]table.Value{"who": "b"}})
		require.EqualValues(t, 1, second.Version)
		b.settle()
		require.Empty(t, all(t, v, table.Query{Slot: table.I1, Class: "c"}), "the old entry is gone")
		require.Len(t, all(t, v, table.Query{}), 2)
	})
}

func TestIndexes(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		s1, s2 := at(t, "acme/u1/1"), at(t, "acme/u2/2")
		entries := func(class, sort string) []table.Entry {
			return []table.Entry{
				{Slot: table.I1, Level: scope.UserLevel, Class: class, Sort: sort},
				{Slot: table.I2, Level: scope.TenantLevel, Class: class, Sort: sort},
				{Slot: table.I3, Level: scope.None, Class: "due", Shard: 11, Sort: sort},
			}
		}
		one := put(t, b.in(t, s1), table.Item{Sort: "meta", Index: entries("active", "a")})
		two := put(t, b.in(t, s2), table.Item{Sort: "meta", Index: entries("active", "b")})
		b.settle()
		require.Equal(t, entries("active", "a"), one.Index)

		tenant, user := b.in(t, at(t, "acme")), b.in(t, at(t, "acme/u1"))
		page, err := tenant.Query(ctx, table.Query{Slot: table.I2, Class: "active", Desc: true})
		require.NoError(t, err)
		require.Equal(t, []table.Found{{Scope: s2, Item: two}, {Scope: s1, Item: one}}, page.Items)
		require.Empty(t, page.Next)
		require.Len(t, all(t, user, table.Query{Slot: table.I1, Class: "active"}), 1)
		require.Empty(t, all(t, user, table.Query{Slot: table.I2, Class: "active"}), "of the tenant's index")
		require.Empty(t, all(t, tenant, table.Query{Slot: table.I1, Class: "active"}), "of the users' indexes")
		require.Empty(t, all(t, b.in(t, at(t, "globex")), table.Query{Slot: table.I2, Class: "active"}))

		// What was read keeps its entries when it is put again; others move it.
		one = put(t, b.in(t, s1), one)
		require.Equal(t, entries("active", "a"), one.Index)
		one.Index = []table.Entry{{Slot: table.I2, Level: scope.TenantLevel, Class: "success", Sort: "a"}}
		one = put(t, b.in(t, s1), one)
		b.settle()
		require.Empty(t, all(t, user, table.Query{Slot: table.I1, Class: "active"}))
		require.Equal(t, []string{s2.Partition() + " meta"}, all(t, tenant, table.Query{Slot: table.I2, Class: "active"}))
		require.Equal(t, []string{s1.Partition() + " meta"}, all(t, tenant, table.Query{Slot: table.I2, Class: "success"}))

		require.NoError(t, b.in(t, s1).Delete(ctx, "meta", table.Version(one.Version)))
		b.settle()
		require.Empty(t, all(t, tenant, table.Query{Slot: table.I2, Class: "success"}))
	})
}

func TestDelayedIndexLags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bundle{table: table.New(table.NewMemory(&table.MemoryOptions{IndexDelay: time.Second}), nil)}
		v := b.in(t, at(t, "acme"))
		entry := []table.Entry{{Slot: table.I1, Level: scope.TenantLevel, Class: "c", Sort: "x"}}
		seen := func() []int64 {
			page, err := v.Query(t.Context(), table.Query{Slot: table.I1, Class: "c"})
			require.NoError(t, err)
			versions := []int64{}
			for _, f := range page.Items {
				versions = append(versions, f.Item.Version)
			}
			return versions
		}
		it := put(t, v, table.Item{Sort: "x", Index: entry})
		require.Empty(t, seen())
		require.Len(t, all(t, v, table.Query{Consistent: true}), 1)
		time.Sleep(time.Second)
		require.Equal(t, []int64{1}, seen())
		it = put(t, v, it)
		require.Equal(t, []int64{1}, seen(), "stale")
		time.Sleep(time.Second / 2)
		require.NoError(t, v.Delete(t.Context(), "x", table.Version(it.Version)))
		time.Sleep(time.Second / 2)
		require.Equal(t, []int64{2}, seen(), "deleted, and still listed")
		time.Sleep(time.Second / 2)
		require.Empty(t, seen())
	})
}

func TestCountIsCapped(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		v := b.in(t, at(t, "acme"))
		count := func(q table.Query) (int, bool) {
			n, capped, err := v.Count(t.Context(), q)
			require.NoError(t, err)
			return n, capped
		}
		for i := range table.MaxCount {
			put(t, v, table.Item{Sort: fmt.Sprintf("%04d", i)})
		}
		n, capped := count(table.Query{})
		require.Equal(t, table.MaxCount, n)
		require.False(t, capped)
		n, capped = count(table.Query{From: "0100", To: "0200"})
		require.Equal(t, 100, n)
		require.False(t, capped)

		put(t, v, table.Item{Sort: "one more"})
		n, capped = count(table.Query{})
		require.Equal(t, table.MaxCount, n)
		require.True(t, capped)
	})
}

func TestDoneContext(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		v := b.in(t, at(t, "acme"))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := v.Put(ctx, table.Item{Sort: "x"}, table.Absent())
		require.ErrorIs(t, err, context.Canceled)
		_, err = v.Get(ctx, "x")
		require.ErrorIs(t, err, context.Canceled)
		_, err = v.Query(ctx, table.Query{})
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, v.Delete(ctx, "x", table.Version(1)), context.Canceled)
		_, err = v.Get(t.Context(), "x")
		require.ErrorIs(t, err, table.ErrNotFound)
	})
}

func TestZeroKey(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		var k table.Key
		_, scoped := k.Scope()
		require.False(t, scoped)
		_, err := b.driver.Get(t.Context(), k)
		require.ErrorIs(t, err, table.ErrScope)
		require.ErrorIs(t, b.driver.Put(t.Context(), k, table.Row{}, table.Absent()), table.ErrScope)
		require.ErrorIs(t, b.driver.Delete(t.Context(), k, table.Version(1)), table.ErrScope)
		_, err = b.driver.Query(t.Context(), table.DriverQuery{Limit: 1})
		require.ErrorIs(t, err, table.ErrScope)
	})
}
