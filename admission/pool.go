package admission

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"time"

	"github.com/carrel-go/carrel/scope/table"
)

// ownerAttr is the attribute of a place that names who holds it.
const ownerAttr = "owner"

// errFull is returned by a pool without a free place.
var errFull = errors.New("no place is free")

// pool is a number of places in a partition: the items prefix+"0000" and so on. A place is created if it is free and
// never overwritten by another owner, so two processes never take the same one.
type pool struct {
	view   *table.View
	prefix string
	limit  int
}

// place is the item of one place, which an owner holds.
type place = table.Item

// maxRounds is how often a pool is read if others take the free places first.
const maxRounds = 8

func (p pool) sortKey(n int) string { return fmt.Sprintf("%s%04d", p.prefix, n) }

// takePlace takes a place for an owner that does not have one, beginning with the places in first. It returns errFull
// with the places of the others if none is free.
func (p pool) takePlace(
	ctx context.Context, owner string, attr map[string]table.Value, expires time.Time, first ...int,
) (place, []place, error) {
	for _, n := range first {
		if it, err := p.putPlace(ctx, n, owner, attr, expires); !errors.Is(err, errFull) {
			return it, nil, err
		}
	}
	var taken []place
	for range maxRounds {
		var err error
		if taken, err = listPlaces(ctx, p.view, p.prefix); err != nil {
			return place{}, nil, err
		}
		n, ok := p.findFree(taken, rand.IntN(p.limit)) //nolint:gosec // others look for one too; not a secret
		if !ok {
			return place{}, taken, errFull
		}
		if it, err := p.putPlace(ctx, n, owner, attr, expires); !errors.Is(err, errFull) {
			return it, nil, err
		}
	}
	return place{}, taken, errFull // others change the places faster than they are read
}

// takeFree takes the first place that is not in taken, or another free one if that is lost to another owner.
func (p pool) takeFree(
	ctx context.Context, taken []place, owner string, attr map[string]table.Value, expires time.Time,
) (place, []place, error) {
	n, ok := p.findFree(taken, 0)
	if !ok {
		return place{}, taken, errFull
	}
	return p.takePlace(ctx, owner, attr, expires, n)
}

// putPlace takes the n-th place, or returns errFull. An earlier put of the same owner, whose answer was lost, counts.
func (p pool) putPlace(
	ctx context.Context, n int, owner string, attr map[string]table.Value, expires time.Time,
) (place, error) {
	it := table.Item{Sort: p.sortKey(n), Expires: expires, Attr: map[string]table.Value{ownerAttr: owner}}
	maps.Copy(it.Attr, attr)
	stored, err := p.view.Put(ctx, it, table.Absent())
	if conflict, ok := errors.AsType[*table.ConflictError](err); ok {
		if c := conflict.Current; c != nil && c.Attr[ownerAttr] == owner {
			return *c, nil
		}
		return place{}, errFull
	}
	return stored, err
}

// findFree returns the first free place from start on, then from the beginning. It finds none if at least limit places
// are taken, including those of an earlier, larger limit.
func (p pool) findFree(taken []place, start int) (int, bool) {
	names := make(map[string]bool, len(taken))
	for _, it := range taken {
		names[it.Sort] = true
	}
	for i := range p.limit {
		if n := (start + i) % p.limit; !names[p.sortKey(n)] {
			return n, len(taken) < p.limit
		}
	}
	return 0, false
}

// listPlaces returns the places whose sort keys begin with prefix.
func listPlaces(ctx context.Context, view *table.View, prefix string) (places []place, _ error) {
	q := table.Query{From: prefix, To: prefix + "~", Consistent: true, Limit: table.MaxLimit}
	for {
		page, err := view.Query(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, f := range page.Items {
			places = append(places, f.Item)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return places, nil
		}
	}
}

// findOwned returns the place of an owner, if there is one.
func findOwned(places []place, owner string) (place, bool) {
	for _, it := range places {
		if it.Attr[ownerAttr] == owner {
			return it, true
		}
	}
	return place{}, false
}

// extendLease renews the lease of a place. It returns ErrLost if the place is not the owner's any more.
func extendLease(ctx context.Context, view *table.View, it place, lease time.Duration) (place, error) {
	for {
		it.Expires = time.Now().Add(lease)
		stored, err := view.Put(ctx, it, table.Version(it.Version))
		conflict, ok := errors.AsType[*table.ConflictError](err)
		if !ok {
			return stored, err
		}
		if c := conflict.Current; c == nil || c.Attr[ownerAttr] != it.Attr[ownerAttr] {
			return place{}, ErrLost
		}
		it = *conflict.Current // this owner in another process, or a put whose answer was lost
	}
}

// freePlace removes a place unless it is not the owner's any more.
func freePlace(ctx context.Context, view *table.View, it place) error {
	for {
		err := view.Delete(ctx, it.Sort, table.Version(it.Version))
		conflict, ok := errors.AsType[*table.ConflictError](err)
		if !ok {
			return err
		}
		if c := conflict.Current; c == nil || c.Attr[ownerAttr] != it.Attr[ownerAttr] {
			return nil
		}
		it = *conflict.Current
	}
}
