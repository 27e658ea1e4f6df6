package tabletest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// model is what a table does, as a plain map.
type model map[place]table.Item

func (m model) live(p place) (table.Item, bool) {
	it, ok := m[p]
	if ok && !it.Expires.IsZero() && !it.Expires.After(time.Now()) {
		return table.Item{}, false
	}
	return it, ok
}

// listing is a row of a query: its sort key there, and its base key.
type listing struct{ at, partition, sort string }

func (l listing) compare(o listing) int {
	return cmp.Or(cmp.Compare(l.at, o.at), cmp.Compare(l.partition, o.partition), cmp.Compare(l.sort, o.sort))
}

// list returns what a query finds, in order; the base key decides among those
// of equal sort key.
func (m model) list(s scope.Scope, q table.Query) []listing {
	out := []listing{}
	add := func(at string, p place) {
		if at >= q.From && (q.To == "" || at < q.To) {
			out = append(out, listing{at, p.s.Partition(), p.sort})
		}
	}
	for p := range maps.Keys(m) {
		it, ok := m.live(p)
		if !ok {
			continue
		}
		if q.Slot == 0 && p.s == s {
			add(p.sort, p)
		}
		for _, e := range it.Index {
			if e.Slot == q.Slot && e.Level == s.Level() && e.Class == q.Class && s.Contains(p.s) {
				add(e.Sort, p)
			}
		}
	}
	slices.SortFunc(out, listing.compare)
	return out
}

// walk does random operations on a driver and on the model.
type walk struct {
	*bench
	r *rand.Rand
	m model
}

// random compares every answer with the model's. The operations are the same
// in every run.
func random(b *bench) {
	w := walk{b, rand.New(rand.NewPCG(3, 1)), model{}} //nolint:gosec // operations that can be repeated, no secrets
	paths := []string{"acme", "acme/shared", "acme/u1", "acme/u1/1", "acme/u1/2", "acme/u2/3", "globex/u1", "globex/u1/1"}
	for range 800 {
		v := b.in(w.pick(paths))
		p := place{v.Scope(), w.pick(randomSorts)}
		switch w.r.IntN(7) {
		case 0, 1:
			w.create(v, p)
		case 2, 3:
			w.change(v, p)
		case 4:
			w.remove(v, p)
		default:
			w.list(v)
		}
	}
}

var (
	randomSorts   = []string{"a", "a#1", "a#1#", "a$", "b", "ü"}
	randomClasses = []string{"c", "c-", "d"}
)

func (w *walk) pick(from []string) string { return from[w.r.IntN(len(from))] }

func (w *walk) fill(s scope.Scope, it *table.Item) {
	it.Attr[w.pick([]string{"a", "b", "c"})] = w.r.Int64()
	it.Expires = time.Time{}
	switch now := time.Now().UTC().Truncate(time.Second); w.r.IntN(8) {
	case 0:
		it.Expires = now.Add(-time.Hour)
	case 1:
		it.Expires = now.Add(24 * time.Hour)
	}
	it.Index = nil
	for slot := table.I1; slot <= table.I3; slot++ {
		levels := []scope.Level{scope.None, scope.TenantLevel, scope.UserLevel, s.Level()}
		e := table.Entry{Slot: slot, Level: levels[w.r.IntN(4)], Class: w.pick(randomClasses), Sort: w.pick(randomSorts)}
		if e.Level == scope.None {
			e.Class, e.Shard = e.Class+w.run, w.r.IntN(16)
		} else if _, err := s.Index(e.Level, e.Class); err != nil || w.r.IntN(3) == 0 {
			continue
		}
		it.Index = append(it.Index, e)
	}
}

// outcome compares that of a write with what the model says of its condition.
func (w *walk) outcome(what string, p place, holds bool, err error) {
	if holds {
		w.must(err, what)
		return
	}
	current := w.conflict(what, err)
	now, ok := w.m.live(p)
	if !ok {
		w.want("conflict of "+what, current, (*table.Item)(nil))
		return
	}
	w.want("conflict of "+what, current, &now)
}

func (w *walk) create(v *table.View, p place) {
	_, there := w.m.live(p)
	it := table.Item{Sort: p.sort, Attr: map[string]table.Value{}}
	w.fill(p.s, &it)
	stored, err := w.write(v, it, table.Absent())
	w.outcome("create", p, !there, err)
	if err == nil {
		it.Version = 1
		w.want("what create returned", stored, it)
		w.m[p] = stored
	}
}

func (w *walk) change(v *table.View, p place) {
	now, there := w.m.live(p)
	it, err := v.Get(w.ctx, p.sort)
	if there {
		w.must(err, "get")
		w.want("what get returned", it, now)
		it.Version += w.r.Int64N(2)
	} else {
		w.wantErr("get", err, table.ErrNotFound)
		it = table.Item{Sort: p.sort, Version: 1 + w.r.Int64N(3), Attr: map[string]table.Value{}}
	}
	version := it.Version
	w.fill(p.s, &it)
	stored, err := w.write(v, it, table.Version(version))
	w.outcome("change", p, there && now.Version == version, err)
	if err == nil {
		it.Version++
		w.want("what change returned", stored, it)
		w.m[p] = stored
	}
}

func (w *walk) remove(v *table.View, p place) {
	now, there := w.m.live(p)
	version := max(1, now.Version+w.r.Int64N(2))
	err := v.Delete(w.ctx, p.sort, table.Version(version))
	w.outcome("delete", p, there && now.Version == version, err)
	if err == nil {
		delete(w.m, p)
	}
}

func (w *walk) list(v *table.View) {
	q := table.Query{Slot: table.Slot(w.r.IntN(4)), Desc: w.r.IntN(2) == 0, Limit: 1 + w.r.IntN(5)}
	if q.Slot != 0 {
		q.Class = w.pick(randomClasses)
	}
	if q.From = w.pick(append([]string{""}, randomSorts...)); w.r.IntN(2) == 0 {
		if q.To = w.pick(randomSorts); q.From >= q.To {
			q.From = ""
		}
	}
	want := w.m.list(v.Scope(), q)
	w.eventually(func() {
		got, err := w.listings(v, q)
		w.must(err, fmt.Sprintf("%+v", q))
		w.want(fmt.Sprintf("%+v", q), got, want)
		all := q
		all.Desc, all.Limit = false, 0
		w.want(fmt.Sprintf("count of %+v", q), w.count(v, all), len(want))
	})
}

// listings reads all pages, checks their order and returns them as the model
// does: which of two rows with the same key comes first is the driver's.
func (w *walk) listings(v *table.View, q table.Query) ([]listing, error) {
	out := []listing{}
	for _, f := range w.all(v, q) {
		out = append(out, listing{sortIn(q.Slot, f.Item), f.Scope.Partition(), f.Item.Sort})
	}
	ordered := slices.Clone(out)
	if q.Desc {
		slices.Reverse(ordered)
	}
	if !slices.IsSortedFunc(ordered, func(a, b listing) int { return cmp.Compare(a.at, b.at) }) {
		return nil, errors.New("not in order")
	}
	slices.SortFunc(out, listing.compare)
	return out, nil
}
