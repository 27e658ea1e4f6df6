package table_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// model is what a table does, as a plain map.
type model map[modelKey]table.Item

type modelKey struct {
	s    scope.Scope
	sort string
}

func (m model) live(k modelKey) (table.Item, bool) {
	it, ok := m[k]
	if ok && !it.Expires.IsZero() && !it.Expires.After(time.Now()) {
		return table.Item{}, false
	}
	return it, ok
}

// list returns "sort key, partition, sort" of what a query finds, in order.
func (m model) list(s scope.Scope, q table.Query) []string {
	type place struct{ at, partition, sort string }
	var places []place
	for k := range maps.Keys(m) {
		it, ok := m.live(k)
		if !ok {
			continue
		}
		if q.Slot == 0 && k.s == s {
			places = append(places, place{k.sort, s.Partition(), k.sort})
		}
		for _, e := range it.Index {
			if e.Slot == q.Slot && e.Level == s.Level() && e.Class == q.Class && s.Contains(k.s) {
				places = append(places, place{e.Sort, k.s.Partition(), k.sort})
			}
		}
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.partition, b.partition), cmp.Compare(a.sort, b.sort))
	})
	out := []string{}
	for _, p := range places {
		if p.at >= q.From && (q.To == "" || p.at < q.To) {
			out = append(out, p.partition+" "+p.sort)
		}
	}
	if q.Desc {
		slices.Reverse(out)
	}
	return out
}

// TestAgainstModel does random operations on a driver and on the model, and
// compares every answer.
func TestAgainstModel(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			each(t, func(t *testing.T, b *bundle) { againstModel(t, b, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func againstModel(t *testing.T, b *bundle, r *rand.Rand) {
	ctx := t.Context()
	paths := []string{"acme", "acme/shared", "acme/u1", "acme/u1/1", "acme/u1/2", "acme/u2/3", "globex/u1", "globex/u1/1"}
	sorts := []string{"a", "a#1", "a#1#", "a$", "b", "ü"}
	classes := []string{"c", "c-", "d"}
	m := model{}
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	fill := func(s scope.Scope, it *table.Item) {
		it.Attr[pick([]string{"x", "y", "z"})] = r.Int64()
		it.Expires = time.Time{}
		if r.IntN(5) == 0 {
			it.Expires = time.Now().UTC().Truncate(time.Second).Add(time.Duration(r.IntN(5)-1) * time.Second)
		}
		it.Index = nil
		for slot := table.I1; slot <= table.I3; slot++ {
			e := table.Entry{Slot: slot, Level: []scope.Level{scope.None, scope.TenantLevel, scope.UserLevel, s.Level()}[r.IntN(4)], Class: pick(classes), Sort: pick(sorts)}
			if e.Level == scope.None {
				e.Shard = r.IntN(16)
			} else if _, err := s.Index(e.Level, e.Class); err != nil || r.IntN(3) == 0 {
				continue
			}
			it.Index = append(it.Index, e)
		}
	}
	// check compares the outcome of a write with what the model says of its condition.
	check := func(k modelKey, holds bool, err error) {
		t.Helper()
		if holds {
			require.NoError(t, err)
			return
		}
		var c *table.ConflictError
		require.ErrorAs(t, err, &c)
		now, ok := m.live(k)
		require.Equal(t, ok, c.Current != nil)
		if ok {
			require.Equal(t, now, *c.Current)
		}
	}
	for range 600 {
		s := at(t, pick(paths))
		v := b.in(t, s)
		k := modelKey{s, pick(sorts)}
		now, ok := m.live(k)
		switch r.IntN(8) {
		case 0:
			time.Sleep(time.Duration(r.IntN(1500)) * time.Millisecond)
		case 1, 2:
			it := table.Item{Sort: k.sort, Attr: map[string]table.Value{}}
			fill(s, &it)
			stored, err := v.Put(ctx, it, table.Absent())
			check(k, !ok, err)
			if err == nil {
				it.Version = 1
				require.Equal(t, it, stored)
				m[k] = stored
			}
		case 3, 4:
			it, err := v.Get(ctx, k.sort)
			if !ok {
				require.ErrorIs(t, err, table.ErrNotFound)
				it = table.Item{Sort: k.sort, Version: 1 + r.Int64N(3), Attr: map[string]table.Value{}}
			} else {
				require.NoError(t, err)
				require.Equal(t, now, it)
				it.Version += r.Int64N(2)
			}
			version := it.Version
			fill(s, &it)
			stored, err := v.Put(ctx, it, table.Version(version))
			check(k, ok && now.Version == version, err)
			if err == nil {
				it.Version++
				require.Equal(t, it, stored)
				m[k] = stored
			}
		case 5:
			version := max(1, now.Version+r.Int64N(2))
			err := v.Delete(ctx, k.sort, table.Version(version))
			check(k, ok && now.Version == version, err)
			if err == nil {
				delete(m, k)
			}
		default:
			b.settle()
			q := table.Query{Slot: table.Slot(r.IntN(4)), Desc: r.IntN(2) == 0, Limit: 1 + r.IntN(5)}
			if q.Slot != 0 {
				q.Class = pick(classes)
			}
			if q.From = pick(append(sorts, "")); r.IntN(2) == 0 {
				if q.To = pick(sorts); q.From >= q.To {
					q.From = ""
				}
			}
			want := m.list(s, q)
			require.Equal(t, want, all(t, v, q), "%+v", q)
			q.Desc, q.Limit = false, 0
			n, capped, err := v.Count(ctx, q)
			require.NoError(t, err)
			require.Equal(t, len(want), n)
			require.False(t, capped)
		}
	}
}
