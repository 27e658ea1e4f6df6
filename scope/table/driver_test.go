package table_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/tabletest"
)

// Package tabletest tests drivers. The other tests here are about the View, on a driver
// in memory.

func TestMemoryConforms(t *testing.T) {
	t.Parallel()
	const delay = 3 * time.Second
	for name, c := range map[string]struct {
		memory table.MemoryOptions
		suite  tabletest.Options
	}{
		"default":         {},
		"delayed indexes": {table.MemoryOptions{IndexDelay: delay}, tabletest.Options{Lag: 2 * delay}},
		"lists little":    {table.MemoryOptions{Listed: []string{"a", "z"}}, tabletest.Options{Listed: []string{"a", "z"}}},
		"lists nothing":   {table.MemoryOptions{Listed: []string{}}, tabletest.Options{Listed: []string{}}},
	} {
		c.suite.Run = synctest.Test // waiting is instant
		t.Run(name, func(t *testing.T) {
			tabletest.Test(t, func(*testing.T) table.Driver { return table.NewMemory(&c.memory) }, &c.suite)
		})
	}
}

func in(t testing.TB, d table.Driver, s scope.Scope) *table.View {
	t.Helper()
	v, err := must.Get(table.New(d, nil)).In(s)
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

func TestValuesAreReadInNormalForm(t *testing.T) {
	t.Parallel()
	v := in(t, table.NewMemory(nil), at(t, "acme"))
	it, err := v.Put(t.Context(), table.Item{Sort: "n", Attr: map[string]table.Value{
		"z": math.Copysign(0, -1), "b": []byte(nil), "l": []table.Value(nil), "m": map[string]table.Value(nil),
	}}, table.Absent())
	require.NoError(t, err)
	got, err := v.Get(t.Context(), "n")
	require.NoError(t, err)
	require.Equal(t, it, got)
	require.False(t, math.Signbit(got.Attr["z"].(float64)))
	require.Equal(t, []byte{}, got.Attr["b"])
	require.Equal(t, []table.Value{}, got.Attr["l"])
	require.Equal(t, map[string]table.Value{}, got.Attr["m"])
}

// Neither the argument nor the result of Put shares memory with the stored item.
func TestPutCopies(t *testing.T) {
	t.Parallel()
	v := in(t, table.NewMemory(nil), at(t, "acme"))
	mine := map[string]table.Value{"b": []byte("first"), "l": []table.Value{"first"}}
	stored := put(t, v, table.Item{Sort: "x", Attr: mine})
	for _, attr := range []map[string]table.Value{mine, stored.Attr} {
		attr["b"].([]byte)[0] = 'X'
		attr["l"].([]table.Value)[0] = "spoilt"
		attr["new"] = true
	}
	got, err := v.Get(t.Context(), "x")
	require.NoError(t, err)
	require.Equal(t, map[string]table.Value{"b": []byte("first"), "l": []table.Value{"first"}}, got.Attr)
}

// An expiry is rounded up to a second, at which the item expires.
func TestExpiryIsRoundedUpToASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := in(t, table.NewMemory(nil), at(t, "acme"))
		soon := time.Now().Add(10*time.Second + time.Millisecond)
		it := put(t, v, table.Item{Sort: "slot", Expires: soon})
		require.Equal(t, soon.UTC().Truncate(time.Second).Add(time.Second), it.Expires)
		count := func() int {
			n, _, err := v.Count(t.Context(), table.Query{})
			require.NoError(t, err)
			return n
		}
		time.Sleep(time.Until(it.Expires) - time.Nanosecond)
		_, err := v.Get(t.Context(), "slot")
		require.NoError(t, err)
		require.Equal(t, 1, count())
		time.Sleep(time.Nanosecond)
		_, err = v.Get(t.Context(), "slot")
		require.ErrorIs(t, err, table.ErrNotFound)
		require.Zero(t, count())
	})
}

func TestDelayedIndexLags(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := in(t, table.NewMemory(&table.MemoryOptions{IndexDelay: time.Second}), at(t, "acme"))
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
		page, err := v.Query(t.Context(), table.Query{Consistent: true})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		time.Sleep(time.Second)
		first := it.Version
		require.Equal(t, []int64{first}, seen())
		it = put(t, v, it)
		require.Equal(t, []int64{first}, seen(), "stale")
		time.Sleep(time.Second / 2)
		require.NoError(t, v.Delete(t.Context(), "x", table.Version(it.Version)))
		time.Sleep(time.Second / 2)
		require.Equal(t, []int64{first + 1}, seen(), "deleted, and still listed")
		time.Sleep(time.Second / 2)
		require.Empty(t, seen())
	})
}

func TestCountIsCapped(t *testing.T) {
	t.Parallel()
	v := in(t, table.NewMemory(nil), at(t, "acme"))
	for i := range table.MaxCount {
		put(t, v, table.Item{Sort: fmt.Sprintf("%04d", i)})
	}
	n, capped, err := v.Count(t.Context(), table.Query{})
	require.NoError(t, err)
	require.Equal(t, table.MaxCount, n)
	require.False(t, capped)
	put(t, v, table.Item{Sort: "one more"})
	n, capped, err = v.Count(t.Context(), table.Query{})
	require.NoError(t, err)
	require.Equal(t, table.MaxCount, n)
	require.True(t, capped)
}

// Key.Within, which stores evaluate, agrees with Key.Contains.
func TestWithinAgreesWithContains(t *testing.T) {
	t.Parallel()
	paths := []string{"acme", "acme/shared", "acme/u1", "acme/u1/1", "acme/u1/2", "acme/u2", "acme/u", "acm", "acme-1", "globex/u1", "globex/s/1"}
	for _, p := range paths {
		k := keyOf(t, at(t, p))
		own, below := k.Within()
		for _, o := range paths {
			other := at(t, o).Partition()
			require.Equal(t, k.Contains(other), other == own || strings.HasPrefix(other, below), "%s, %s", p, o)
			require.Equal(t, at(t, p).Contains(at(t, o)), k.Contains(other), "%s, %s", p, o)
		}
	}
}

// keys records the key that a view passes to its driver.
type keys struct {
	table.Driver
	last table.Key
}

func (d *keys) Delete(_ context.Context, k table.Key, _ table.Cond) error { d.last = k; return nil }

func keyOf(t *testing.T, s scope.Scope) table.Key {
	var d keys
	require.NoError(t, in(t, &d, s).Delete(t.Context(), "x", table.Version(1)))
	return d.last
}
