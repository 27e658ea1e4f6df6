package table

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-go/carrel/scope"
)

// Item is a record under a scope.
type Item struct {
	// Sort is the item's name in its scope: 1 to [MaxSort] bytes of UTF-8
	// without control characters. Items of a scope are ordered by its bytes.
	Sort string
	// Version is 0 before the first Put, 1 after it, and one more after each
	// that follows. An item that is put anew after a Delete or its expiry
	// starts at 1 again.
	Version int64
	// Expires is when the item is gone; zero: never. It is kept in whole
	// seconds, rounded up, in UTC.
	Expires time.Time
	// Index is where the item is listed, one entry a [Slot], in their order.
	Index []Entry
	// Attr is all else. The names pk, sk, v, ttl, i1p, i1s, i2p, i2s, i3p,
	// i3s and those that begin with "_" are reserved. Not nil in an item
	// that was read.
	Attr map[string]Value
}

// Entry places an item in one of the three indexes: in the class of items of
// the item's scope or of one above it, or, with Level [scope.None], in
// [scope.Shard](Class, Shard), which belongs to no scope.
type Entry struct {
	Slot  Slot
	Level scope.Level
	Class string // the grammar of ids
	Shard int    // 0 unless Level is None
	Sort  string // the order in the index; as [Item].Sort
}

// rowOf returns the row that stores it in s, checked and sharing no memory
// with it. The version is the one that the row will have.
func rowOf(s scope.Scope, it Item, version int64) (Row, error) {
	r := Row{Partition: s.Partition(), Sort: it.Sort, Version: version}
	if err := checkSort(it.Sort, ErrSort); err != nil {
		return Row{}, err
	}
	if !it.Expires.IsZero() {
		r.Expires = it.Expires.UTC().Truncate(time.Second)
		if r.Expires.Before(it.Expires) {
			r.Expires = r.Expires.Add(time.Second)
		}
		if r.Expires.Unix() <= 0 || r.Expires.Year() > 9999 {
			return Row{}, fmt.Errorf("%w: %v", ErrExpires, it.Expires)
		}
	}
	for _, e := range it.Index {
		p, err := e.partition(s)
		if err != nil {
			return Row{}, err
		}
		if r.Index[e.Slot-1][0] != "" {
			return Row{}, fmt.Errorf("%w: slot %d is used twice", ErrEntry, e.Slot)
		}
		r.Index[e.Slot-1] = [2]string{p, e.Sort}
	}
	var c checker
	var err error
	if r.Attr, err = c.attrs(it.Attr); err != nil {
		return Row{}, err
	}
	const columns = 128 // the reserved names, the version and the expiry
	size := c.size + columns + len(r.Partition) + len(r.Sort)
	for _, x := range r.Index {
		size += len(x[0]) + len(x[1])
	}
	if size > MaxItem {
		return Row{}, fmt.Errorf("%w: %d bytes, at most %d are allowed", ErrTooLarge, size, MaxItem)
	}
	return r, nil
}

// partition returns the index partition of the entry of an item in s.
func (e Entry) partition(s scope.Scope) (string, error) {
	if e.Slot < I1 || e.Slot > I3 {
		return "", fmt.Errorf("%w: slot %d", ErrEntry, e.Slot)
	}
	if err := checkSort(e.Sort, ErrEntry); err != nil {
		return "", err
	}
	at := e.Level
	if at == scope.None {
		at = s.Level() // proves the class, so that Shard does not panic
	}
	p, err := s.Index(at, e.Class)
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: %w", ErrEntry, err)
	case e.Level == scope.None && e.Shard < 0:
		return "", fmt.Errorf("%w: shard %d", ErrEntry, e.Shard)
	case e.Level == scope.None:
		return scope.Shard(e.Class, e.Shard), nil
	case e.Shard != 0:
		return "", fmt.Errorf("%w: a shard at %s level", ErrEntry, e.Level)
	}
	return p, nil
}

// itemOf is the inverse of rowOf. It takes over r's memory. An index entry
// that rowOf would not have written for s is left out: it is another hand's,
// and the next Put removes it.
func itemOf(s scope.Scope, r Row) Item {
	it := Item{Sort: r.Sort, Version: r.Version, Expires: r.Expires, Attr: r.Attr}
	if it.Attr == nil {
		it.Attr = map[string]Value{}
	}
	for i, x := range r.Index {
		if x[0] == "" {
			continue
		}
		if e, ok := entryOf(s, x[0]); ok {
			e.Slot, e.Sort = Slot(i+1), x[1]
			it.Index = append(it.Index, e)
		}
	}
	return it
}

// entryOf finds the level and class, or the shard, whose index partition p
// is. It takes p's last parts as a guess and lets package scope prove it.
func entryOf(s scope.Scope, p string) (Entry, bool) {
	rest, last, ok := cutLast(p)
	if !ok {
		return Entry{}, false
	}
	for _, at := range [...]scope.Level{scope.TenantLevel, scope.UserLevel, s.Level()} {
		if at > s.Level() || at == scope.UserLevel && s.Level() == scope.SharedLevel {
			continue
		}
		if q, err := s.Index(at, last); err == nil && q == p {
			return Entry{Level: at, Class: last}, true
		}
	}
	n, err := strconv.Atoi(last)
	if err != nil {
		return Entry{}, false
	}
	_, name, _ := cutLast(rest)
	e := Entry{Slot: I1, Class: name, Shard: n, Sort: "-"}
	q, err := e.partition(s)
	return e, err == nil && q == p
}

func cutLast(p string) (before, after string, ok bool) {
	i := strings.LastIndexByte(p, '#')
	if i < 0 {
		return "", "", false
	}
	return p[:i], p[i+1:], true
}
