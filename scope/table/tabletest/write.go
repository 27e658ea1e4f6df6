package tabletest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/carrel-go/carrel/scope/table"
)

func checkConditions(b *bench) {
	v := b.viewAt("acme/u1/1")
	_, err := v.Get(b.ctx, "meta")
	b.requireErrorIs("get of nothing", err, table.ErrNotFound)
	_, err = b.tryPut(v, table.Item{Sort: "meta", Version: 1}, table.Version(1))
	b.requireEqual("conflict of a change of nothing", b.requireConflict("a change of nothing", err), (*table.Item)(nil))
	b.requireEqual("conflict of a delete of nothing",
		b.requireConflict("a delete of nothing", v.Delete(b.ctx, "meta", table.Version(1))), (*table.Item)(nil))

	one := b.putItem(v, table.Item{Sort: "meta", Attr: map[string]table.Value{"a": "1", "b": int64(7)}})
	got, err := v.Get(b.ctx, "meta")
	b.requireNoError(err, "get")
	b.requireEqual("what was put", got, one)
	_, err = b.tryPut(v, table.Item{Sort: "meta"}, table.Absent())
	b.requireEqual("conflict of a second put", b.requireConflict("a second put", err), &one)

	got.Attr["a"] = "2"
	two := b.putItem(v, got)
	b.requireEqual("version", two.Version, one.Version+1)
	_, err = b.tryPut(v, one, table.Version(one.Version))
	b.requireEqual("conflict of a stale put", b.requireConflict("a stale put", err), &two)
	b.requireEqual("conflict of a stale delete",
		b.requireConflict("a stale delete", v.Delete(b.ctx, "meta", table.Version(one.Version))), &two)
	ahead := two
	ahead.Version++
	_, err = b.tryPut(v, ahead, table.Version(ahead.Version))
	b.requireEqual("conflict of a put ahead", b.requireConflict("a put ahead", err), &two)
	got, err = v.Get(b.ctx, "meta")
	b.requireNoError(err, "get")
	b.requireEqual("what the conflicts left", got, two)

	b.requireNoError(v.Delete(b.ctx, "meta", table.Version(two.Version)), "delete")
	_, err = v.Get(b.ctx, "meta")
	b.requireErrorIs("get of what was deleted", err, table.ErrNotFound)
}

// checkNewVersion checks that nobody can change or delete an item with a version that an
// earlier item of the same name had.
func checkNewVersion(b *bench) {
	v := b.viewAt("acme/u1/1")
	attr := map[string]table.Value{"a": "stale"}
	for what, expires := range map[string]time.Time{"what was deleted": {}, "what expired": time.Now().Add(-time.Hour)} {
		old := b.putItem(v, table.Item{Sort: "meta", Expires: expires, Attr: attr})
		if expires.IsZero() {
			b.requireNoError(v.Delete(b.ctx, "meta", table.Version(old.Version)), "delete")
		}
		it := b.putItem(v, table.Item{Sort: "meta"})
		for range 3 {
			_, err := b.tryPut(v, table.Item{Sort: "meta", Version: old.Version, Attr: attr}, table.Version(old.Version))
			b.requireEqual("conflict of a change of "+what, b.requireConflict("a change of "+what, err), &it)
			err = v.Delete(b.ctx, "meta", table.Version(old.Version))
			b.requireEqual("conflict of a delete of "+what, b.requireConflict("a delete of "+what, err), &it)
			it = b.putItem(v, it)
		}
		b.requireNoError(v.Delete(b.ctx, "meta", table.Version(it.Version)), "delete")
	}
}

// checkReplacement checks that a put removes all previous attributes.
func checkReplacement(b *bench) {
	v := b.viewAt("acme/u1")
	it := b.putItem(v, table.Item{Sort: "x",
		Attr: map[string]table.Value{"a": "1", "b": map[string]table.Value{"c": "2", "d": "3"}}})
	it.Attr = map[string]table.Value{"b": map[string]table.Value{"d": "4"}, "e": nil}
	it = b.putItem(v, it)
	got, err := v.Get(b.ctx, "x")
	b.requireNoError(err, "get")
	b.requireEqual("what was put", got, it)
}

func checkOneWinner(b *bench) {
	v := b.viewAt("acme/u1/1")
	it := b.putItem(v, table.Item{Sort: "meta"})
	const writers = 32
	b.raceWriters(writers, func(i int) error {
		mine := it
		mine.Attr = map[string]table.Value{"writer": int64(i)}
		_, err := v.Put(b.ctx, mine, table.Version(it.Version))
		return err
	}, func() table.Item {
		now, err := v.Get(b.ctx, "meta")
		b.requireNoError(err, "get")
		b.requireEqual("version", now.Version, it.Version+1)
		return now
	})
	b.written[place{v.Scope(), "new"}] = true
	b.raceWriters(writers, func(i int) error {
		_, err := v.Put(b.ctx, table.Item{Sort: "new", Attr: map[string]table.Value{"writer": int64(i)}}, table.Absent())
		return err
	}, func() table.Item {
		now, err := v.Get(b.ctx, "new")
		b.requireNoError(err, "get")
		return now
	})
}

// raceWriters runs n writers at once. One must win, and the others must get a conflict
// with its item or ErrBusy.
func (b *bench) raceWriters(n int, write func(i int) error, now func() table.Item) {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = write(i) })
	}
	wg.Wait()
	stored := now()
	won := -1
	for i, err := range errs {
		switch {
		case err == nil && won >= 0:
			b.failf("writers %d and %d both won", won, i)
		case err == nil:
			won = i
		case !errors.Is(err, table.ErrBusy):
			b.requireEqual(fmt.Sprintf("conflict of writer %d", i), b.requireConflict(fmt.Sprintf("writer %d", i), err), &stored)
		}
	}
	if won < 0 {
		b.failf("no writer won")
	}
	b.requireEqual("whose item is stored", stored.Attr["writer"], table.Value(int64(won)))
}

// checkOwnConflict runs writers of different items at once. Every second one has a wrong
// version, which must not affect the others.
func checkOwnConflict(b *bench) {
	v := b.viewAt("acme/u1/1")
	const writers = 32
	items := make([]table.Item, writers)
	for i := range items {
		items[i] = b.putItem(v, table.Item{Sort: fmt.Sprint(i)})
	}
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for i, it := range items {
		it.Version += int64(i % 2)
		it.Attr = map[string]table.Value{"writer": int64(i)}
		wg.Go(func() { _, errs[i] = v.Put(b.ctx, it, table.Version(it.Version)) })
	}
	wg.Wait()
	for i, err := range errs {
		what := fmt.Sprintf("put %d", i)
		if i%2 == 1 {
			b.requireEqual("conflict of "+what, b.requireConflict(what, err), &items[i])
			continue
		}
		b.requireNoError(err, what)
		got, err := v.Get(b.ctx, items[i].Sort)
		b.requireNoError(err, "get")
		b.requireEqual("what "+what+" stored", got.Attr["writer"], table.Value(int64(i)))
	}
}

// checkNoLostUpdate increments a counter in parallel, with a retry after each conflict.
func checkNoLostUpdate(b *bench) {
	v := b.viewAt("acme/u1/1")
	it := b.putItem(v, table.Item{Sort: "n", Attr: map[string]table.Value{"n": int64(0)}})
	const writers, rounds = 8, 4
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			mine := it
			for range rounds {
				if mine, errs[i] = b.incrementItem(v, mine); errs[i] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	b.requireNoError(errors.Join(errs...), "increment")
	got, err := v.Get(b.ctx, "n")
	b.requireNoError(err, "get")
	b.requireEqual("sum", got.Attr["n"], table.Value(int64(writers*rounds)))
	b.requireEqual("version", got.Version, it.Version+writers*rounds)
}

func (b *bench) incrementItem(v *table.View, mine table.Item) (table.Item, error) {
	for {
		n, _ := mine.Attr["n"].(int64)
		mine.Attr = map[string]table.Value{"n": n + 1}
		next, err := v.Put(b.ctx, mine, table.Version(mine.Version))
		if err == nil {
			return next, nil
		}
		c, conflict := errors.AsType[*table.ConflictError](err)
		switch {
		case conflict && c.Current != nil:
			mine = *c.Current
		case errors.Is(err, table.ErrBusy):
			mine.Attr = map[string]table.Value{"n": n}
		default:
			return table.Item{}, err
		}
	}
}
