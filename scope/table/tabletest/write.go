package tabletest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/carrel-go/carrel/scope/table"
)

func conditions(b *bench) {
	v := b.in("acme/u1/1")
	_, err := v.Get(b.ctx, "meta")
	b.wantErr("get of nothing", err, table.ErrNotFound)
	_, err = b.write(v, table.Item{Sort: "meta", Version: 1}, table.Version(1))
	b.want("conflict of a change of nothing", b.conflict("a change of nothing", err), (*table.Item)(nil))
	b.want("conflict of a delete of nothing", b.conflict("a delete of nothing", v.Delete(b.ctx, "meta", table.Version(1))), (*table.Item)(nil))

	one := b.store(v, table.Item{Sort: "meta", Attr: map[string]table.Value{"a": "1", "b": int64(7)}})
	got, err := v.Get(b.ctx, "meta")
	b.must(err, "get")
	b.want("what was put", got, one)
	_, err = b.write(v, table.Item{Sort: "meta"}, table.Absent())
	b.want("conflict of a second put", b.conflict("a second put", err), &one)

	got.Attr["a"] = "2"
	two := b.store(v, got)
	b.want("version", two.Version, int64(2))
	_, err = b.write(v, one, table.Version(1))
	b.want("conflict of a stale put", b.conflict("a stale put", err), &two)
	b.want("conflict of a stale delete", b.conflict("a stale delete", v.Delete(b.ctx, "meta", table.Version(1))), &two)
	ahead := two
	ahead.Version = 3
	_, err = b.write(v, ahead, table.Version(3))
	b.want("conflict of a put ahead", b.conflict("a put ahead", err), &two)
	got, err = v.Get(b.ctx, "meta")
	b.must(err, "get")
	b.want("what the conflicts left", got, two)

	b.must(v.Delete(b.ctx, "meta", table.Version(2)), "delete")
	_, err = v.Get(b.ctx, "meta")
	b.wantErr("get of what was deleted", err, table.ErrNotFound)
	b.want("version after a delete", b.store(v, table.Item{Sort: "meta"}).Version, int64(1))
}

// replaces: a put leaves nothing of what was there before.
func replaces(b *bench) {
	v := b.in("acme/u1")
	it := b.store(v, table.Item{Sort: "x", Attr: map[string]table.Value{"a": "1", "b": map[string]table.Value{"c": "2", "d": "3"}}})
	it.Attr = map[string]table.Value{"b": map[string]table.Value{"d": "4"}, "e": nil}
	it = b.store(v, it)
	got, err := v.Get(b.ctx, "x")
	b.must(err, "get")
	b.want("what was put", got, it)
}

func oneWinner(b *bench) {
	v := b.in("acme/u1/1")
	it := b.store(v, table.Item{Sort: "meta"})
	const writers = 32
	b.race(writers, func(i int) error {
		mine := it
		mine.Attr = map[string]table.Value{"writer": int64(i)}
		_, err := v.Put(b.ctx, mine, table.Version(it.Version))
		return err
	}, func() table.Item {
		now, err := v.Get(b.ctx, "meta")
		b.must(err, "get")
		b.want("version", now.Version, int64(2))
		return now
	})
	b.put[place{v.Scope(), "new"}] = true
	b.race(writers, func(i int) error {
		_, err := v.Put(b.ctx, table.Item{Sort: "new", Attr: map[string]table.Value{"writer": int64(i)}}, table.Absent())
		return err
	}, func() table.Item {
		now, err := v.Get(b.ctx, "new")
		b.must(err, "get")
		b.want("version", now.Version, int64(1))
		return now
	})
}

// race has n writers at once, of whom one must win and the others see what it
// stored. A store that is busy with the item may say so instead.
func (b *bench) race(n int, write func(i int) error, now func() table.Item) {
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
			b.fail("writers %d and %d both won", won, i)
		case err == nil:
			won = i
		case !errors.Is(err, table.ErrBusy):
			b.want(fmt.Sprintf("conflict of writer %d", i), b.conflict(fmt.Sprintf("writer %d", i), err), &stored)
		}
	}
	if won < 0 {
		b.fail("no writer won")
	}
	b.want("whose item is stored", stored.Attr["writer"], table.Value(int64(won)))
}

// ownConflict has many writers of different items at once, of whom every second
// one asks for a version that is not there: the others are not affected.
func ownConflict(b *bench) {
	v := b.in("acme/u1/1")
	const writers = 32
	items := make([]table.Item, writers)
	for i := range items {
		items[i] = b.store(v, table.Item{Sort: fmt.Sprint(i)})
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
			b.want("conflict of "+what, b.conflict(what, err), &items[i])
			continue
		}
		b.must(err, what)
		got, err := v.Get(b.ctx, items[i].Sort)
		b.must(err, "get")
		b.want("what "+what+" stored", got.Attr["writer"], table.Value(int64(i)))
	}
}

// noLostUpdate has every writer read and retry until it has counted.
func noLostUpdate(b *bench) {
	v := b.in("acme/u1/1")
	it := b.store(v, table.Item{Sort: "n", Attr: map[string]table.Value{"n": int64(0)}})
	const writers, rounds = 8, 4
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			mine := it
			for range rounds {
				if mine, errs[i] = b.increment(v, mine); errs[i] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	b.must(errors.Join(errs...), "increment")
	got, err := v.Get(b.ctx, "n")
	b.must(err, "get")
	b.want("sum", got.Attr["n"], table.Value(int64(writers*rounds)))
	b.want("version", got.Version, int64(writers*rounds+1))
}

func (b *bench) increment(v *table.View, mine table.Item) (table.Item, error) {
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
