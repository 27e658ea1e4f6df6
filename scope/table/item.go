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
	// Sort is the item's name in its scope: 1 to [MaxSort] bytes of UTF-8 without
	// control characters. The items of a scope are ordered by its bytes.
	Sort string
	// Version is 0 before the first Put. The first Put sets it to a random number from 1
	// to 2^52, and each further one increases it by 1. An item that is put again after
	// it was deleted or has expired so has another version than any earlier one.
	Version int64
	// Expires is when the item expires. Zero means never. It is stored in UTC and
	// rounded up to whole seconds.
	Expires time.Time
	// Index contains the item's index entries, at most one for each [Slot].
	Index []Entry
	// Attr contains the attributes. The names pk, sk, v, ttl, i1p, i1s, i2p, i2s, i3p,
	// i3s and names that begin with "_" are reserved. Attr of a read item is not nil.
	Attr map[string]Value
}

// Entry lists an item in one of the three indexes: in a class of items of the item's
// scope or of a scope above it. With Level [scope.None], it lists the item in
// [scope.Shard](Class, Shard), which only a [System] reads.
type Entry struct {
	Slot  Slot
	Level scope.Level
	Class string // follows the rules of ids; see [scope.Tenant]
	Shard int    // only with Level None
	Sort  string // the sort key in the index; follows the rules of [Item].Sort
}

// encodeItem checks an item of s and returns a row with that version. The row does not
// share memory with the item.
func encodeItem(s scope.Scope, it Item, version int64) (Row, error) {
	r := Row{Partition: s.Partition(), Sort: it.Sort, Version: version}
	if err := checkSort(it.Sort, errSort); err != nil {
		return Row{}, err
	}
	if !it.Expires.IsZero() {
		r.Expires = it.Expires.UTC().Truncate(time.Second)
		if r.Expires.Before(it.Expires) {
			r.Expires = r.Expires.Add(time.Second)
		}
		if r.Expires.Unix() <= 0 || r.Expires.Year() > 9999 {
			return Row{}, fmt.Errorf("%w: %v: must be from 1970-01-01T00:00:01Z to the year 9999", errExpires, it.Expires)
		}
	}
	for _, e := range it.Index {
		p, err := e.indexPartition(s)
		if err != nil {
			return Row{}, err
		}
		if r.Index[e.Slot-1][0] != "" {
			return Row{}, fmt.Errorf("%w: slot %d is used twice", errEntry, e.Slot)
		}
		r.Index[e.Slot-1] = [2]string{p, e.Sort}
	}
	var c copier
	var err error
	if r.Attr, err = c.copyAttrs(it.Attr); err != nil {
		return Row{}, err
	}
	const columns = 128 // the reserved names, the version and the expiry
	size := c.size + columns + len(r.Partition) + len(r.Sort)
	for _, x := range r.Index {
		size += len(x[0]) + len(x[1])
	}
	if size > MaxItem {
		return Row{}, fmt.Errorf("%w: %d bytes: must be at most %d", ErrTooLarge, size, MaxItem)
	}
	return r, nil
}

// indexPartition returns the index partition of an entry of an item of s.
func (e Entry) indexPartition(s scope.Scope) (string, error) {
	if e.Slot < I1 || e.Slot > I3 {
		return "", fmt.Errorf("%w: slot %d: must be I1, I2 or I3", errEntry, e.Slot)
	}
	if err := checkSort(e.Sort, errEntry); err != nil {
		return "", err
	}
	at := e.Level
	if at == scope.None {
		at = s.Level() // checks the class, so that Shard does not panic
	}
	p, err := s.Index(at, e.Class)
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: %w", errEntry, err)
	case e.Level == scope.None && e.Shard < 0:
		return "", fmt.Errorf("%w: shard %d: must not be negative", errEntry, e.Shard)
	case e.Level == scope.None:
		return scope.Shard(e.Class, e.Shard), nil
	case e.Shard != 0:
		return "", fmt.Errorf("%w: shard %d at %s level: a shard needs scope.None", errEntry, e.Shard, e.Level)
	}
	return p, nil
}

// decodeItem is the inverse of encodeItem and shares r's memory. It leaves out an index
// entry that encodeItem could not have written for s; the next Put removes it.
func decodeItem(s scope.Scope, r Row) Item {
	it := Item{Sort: r.Sort, Version: r.Version, Expires: r.Expires, Attr: r.Attr}
	if it.Attr == nil {
		it.Attr = map[string]Value{}
	}
	for i, x := range r.Index {
		if x[0] == "" {
			continue
		}
		if e, ok := parseEntry(s, x[0]); ok {
			e.Slot, e.Sort = Slot(i+1), x[1]
			it.Index = append(it.Index, e)
		}
	}
	return it
}

// parseEntry returns the level and class, or the shard, of the index partition p. It
// guesses them from the end of p and checks that package scope builds p from them.
func parseEntry(s scope.Scope, p string) (Entry, bool) {
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
	q, err := e.indexPartition(s)
	return e, err == nil && q == p
}

func cutLast(p string) (before, after string, ok bool) {
	i := strings.LastIndexByte(p, '#')
	if i < 0 {
		return "", "", false
	}
	return p[:i], p[i+1:], true
}
