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

// model is a table as a plain map.
type model map[place]table.Item

func (m model) getLive(p place) (table.Item, bool) {
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

// listRows returns the rows of a query, ordered by sort key and then by base key.
func (m model) listRows(s scope.Scope, q table.Query) []listing {
	out := []listing{}
	add := func(at string, p place) {
		if at >= q.From && (q.To == "" || at < q.To) {
			out = append(out, listing{at, p.s.Partition(), p.sort})
		}
	}
	for p := range maps.Keys(m) {
		it, ok := m.getLive(p)
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

// walk applies random operations to a driver and to the model.
type walk struct {
	*bench
	r *rand.Rand
	m model
}

// checkRandom compares each answer with the model. Each run makes the same operations.
func checkRandom(b *bench) {
	w := walk{b, rand.New(rand.NewPCG(3, 1)), model{}} //nolint:gosec // repeatable, not secret
	paths := []string{"acme", "acme/shared", "acme/u1", "acme/u1/1", "acme/u1/2", "acme/u2/3", "globex/u1", "globex/u1/1"}
	for range 800 {
		v := b.viewAt(w.pickOne(paths))
		p := place{v.Scope(), w.pickOne(randomSorts)}
		switch w.r.IntN(7) {
		case 0, 1:
			w.createItem(v, p)
		case 2, 3:
			w.changeItem(v, p)
		case 4:
			w.removeItem(v, p)
		default:
			w.listItems(v)
		}
	}
}

var (
	randomSorts   = []string{"a", "a#1", "a#1#", "a$", "b", "ü"}
	randomClasses = []string{"c", "c-", "d"}
)

func (w *walk) pickOne(from []string) string { return from[w.r.IntN(len(from))] }

func (w *walk) fillRandomly(s scope.Scope, it *table.Item) {
	it.Attr[w.pickOne([]string{"a", "b", "c"})] = w.r.Int64()
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
		e := table.Entry{Slot: slot, Level: levels[w.r.IntN(4)], Class: w.pickOne(randomClasses),
			Sort: w.pickOne(randomSorts)}
		if e.Level == scope.None {
			e.Class, e.Shard = e.Class+w.run, w.r.IntN(16)
		} else if _, err := s.Index(e.Level, e.Class); err != nil || w.r.IntN(3) == 0 {
			continue
		}
		it.Index = append(it.Index, e)
	}
}

// checkOutcome compares the outcome of a write with the model.
func (w *walk) checkOutcome(what string, p place, holds bool, err error) {
	if holds {
		w.requireNoError(err, what)
		return
	}
	current := w.requireConflict(what, err)
	now, ok := w.m.getLive(p)
	if !ok {
		w.requireEqual("conflict of "+what, current, (*table.Item)(nil))
		return
	}
	w.requireEqual("conflict of "+what, current, &now)
}

func (w *walk) createItem(v *table.View, p place) {
	_, there := w.m.getLive(p)
	it := table.Item{Sort: p.sort, Attr: map[string]table.Value{}}
	w.fillRandomly(p.s, &it)
	stored, err := w.tryPut(v, it, table.Absent())
	w.checkOutcome("create", p, !there, err)
	if err == nil {
		it.Version = stored.Version
		w.requireEqual("what create returned", stored, it)
		w.m[p] = stored
	}
}

func (w *walk) changeItem(v *table.View, p place) {
	now, there := w.m.getLive(p)
	it, err := v.Get(w.ctx, p.sort)
	if there {
		w.requireNoError(err, "get")
		w.requireEqual("what get returned", it, now)
		it.Version += w.r.Int64N(2)
	} else {
		w.requireErrorIs("get", err, table.ErrNotFound)
		it = table.Item{Sort: p.sort, Version: 1 + w.r.Int64N(3), Attr: map[string]table.Value{}}
	}
	version := it.Version
	w.fillRandomly(p.s, &it)
	stored, err := w.tryPut(v, it, table.Version(version))
	w.checkOutcome("change", p, there && now.Version == version, err)
	if err == nil {
		it.Version++
		w.requireEqual("what change returned", stored, it)
		w.m[p] = stored
	}
}

func (w *walk) removeItem(v *table.View, p place) {
	now, there := w.m.getLive(p)
	version := max(1, now.Version+w.r.Int64N(2))
	err := v.Delete(w.ctx, p.sort, table.Version(version))
	w.checkOutcome("delete", p, there && now.Version == version, err)
	if err == nil {
		delete(w.m, p)
	}
}

func (w *walk) listItems(v *table.View) {
	q := table.Query{Slot: table.Slot(w.r.IntN(4)), Desc: w.r.IntN(2) == 0, Limit: 1 + w.r.IntN(5)}
	if q.Slot != 0 {
		q.Class = w.pickOne(randomClasses)
	}
	if q.From = w.pickOne(append([]string{""}, randomSorts...)); w.r.IntN(2) == 0 {
		if q.To = w.pickOne(randomSorts); q.From >= q.To {
			q.From = ""
		}
	}
	want := w.m.listRows(v.Scope(), q)
	w.eventually(func(b *bench) {
		w := walk{b, w.r, w.m}
		got, err := w.queryListings(v, q)
		w.requireNoError(err, fmt.Sprintf("%+v", q))
		w.requireEqual(fmt.Sprintf("%+v", q), got, want)
		all := q
		all.Desc, all.Limit = false, 0
		w.requireEqual(fmt.Sprintf("count of %+v", q), w.countItems(v, all), len(want))
	})
}

// queryListings reads all pages, checks their order and returns the rows in the order of
// the model, because a driver chooses the order of rows with equal sort keys.
func (w *walk) queryListings(v *table.View, q table.Query) ([]listing, error) {
	out := []listing{}
	for _, f := range w.queryAll(v, q) {
		out = append(out, listing{sortIn(q.Slot, f.Item), f.Scope.Partition(), f.Item.Sort})
	}
	ordered := slices.Clone(out)
	if q.Desc {
		slices.Reverse(ordered)
	}
	if !slices.IsSortedFunc(ordered, func(a, b listing) int { return cmp.Compare(a.at, b.at) }) {
		return nil, errors.New("rows are not in order")
	}
	slices.SortFunc(out, listing.compare)
	return out, nil
}
