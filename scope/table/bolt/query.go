package bolt

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/carrel-go/carrel/scope/table"
)

// Query implements [table.Driver] in one transaction.
func (d *Driver) Query(ctx context.Context, q table.DriverQuery) (table.DriverPage, error) {
	var page table.DriverPage
	err := d.viewFile(ctx, q.Key, func(tx *bbolt.Tx) (err error) {
		bucket := []byte(rowBucket)
		if q.Slot != 0 {
			if q.Slot < 0 || q.Slot > table.I3 || q.Consistent {
				return fmt.Errorf("bolt: invalid query: slot %d, consistent %t", q.Slot, q.Consistent)
			}
			bucket = indexBucket(q.Slot)
		}
		s, err := newSpan(q)
		if err != nil {
			return err
		}
		entries := s.entries(tx.Bucket(bucket).Cursor(), q.Desc)
		if q.CountOnly {
			page, err = countRows(q, entries)
		} else {
			page, err = collectRows(tx, q, entries)
		}
		return err
	})
	return page, err
}

func collectRows(tx *bbolt.Tx, q table.DriverQuery, entries iter.Seq2[[]byte, []byte]) (table.DriverPage, error) {
	var page table.DriverPage
	for k, v := range entries {
		if len(page.Rows) == q.Limit {
			page.More = true
			break
		}
		partition, sort, err := splitKey(q, k)
		if err != nil {
			return table.DriverPage{}, err
		}
		if q.Slot != 0 {
			key, err := joinKey(partition, sort)
			if err != nil {
				return table.DriverPage{}, err
			}
			if v = tx.Bucket([]byte(rowBucket)).Get(key); v == nil {
				return table.DriverPage{}, fmt.Errorf("bolt: damaged index entry %q: row does not exist", k)
			}
		}
		r, err := decodeRow(partition, sort, v)
		if own, _ := q.Key.Within(); err != nil && q.Slot != 0 && partition != own {
			r, err = newBareRow(q.Slot, k), nil
		}
		if err != nil {
			return table.DriverPage{}, err
		}
		page.Rows = append(page.Rows, r)
	}
	return page, nil
}

func countRows(q table.DriverQuery, entries iter.Seq2[[]byte, []byte]) (table.DriverPage, error) {
	var page table.DriverPage
	now := time.Now()
	examined := 0
	for k, v := range entries {
		if page.Count == q.Limit {
			break
		}
		if page.More = examined == table.MaxExamined; page.More {
			break
		}
		examined++
		partition, _, err := splitKey(q, k)
		if err != nil {
			return table.DriverPage{}, err
		}
		expires, err := decodeExpiry(v)
		if err != nil {
			return table.DriverPage{}, err
		}
		if q.Key.Contains(partition) && !(table.Row{Expires: expires}).Expired(now) {
			page.Count++
		}
	}
	return page, nil
}

// newBareRow returns a row with the keys of its index entry only. It replaces a damaged
// row of a narrower scope, so that the row does not hide others.
func newBareRow(slot table.Slot, entry []byte) table.Row {
	parts := strings.Split(string(entry), "\x00")
	r := table.Row{Partition: parts[2], Sort: parts[3], Attr: map[string]table.Value{}}
	r.Index[slot-1] = [2]string{parts[0], parts[1]}
	return r
}

// splitKey returns the base key of the row of an entry.
func splitKey(q table.DriverQuery, key []byte) (partition, sort string, err error) {
	if q.Slot != 0 {
		return parseBaseKey(key)
	}
	return q.Key.Partition(), string(key[len(q.Key.Partition())+1:]), nil
}

// span is a range of keys: from low, inclusive, to high, exclusive.
type span struct{ low, high []byte }

func newSpan(q table.DriverQuery) (span, error) {
	prefix, err := joinKey(q.Key.Partition(), "")
	if err != nil {
		return span{}, err
	}
	// Keys begin with the prefix and a sort key, so a key that ends with a bound sorts
	// before all keys with that sort key.
	s := span{low: append(bytes.Clone(prefix), q.From...)}
	if q.To != "" {
		s.high = append(bytes.Clone(prefix), q.To...)
	} else {
		s.high = append(bytes.Clone(prefix[:len(prefix)-1]), 1)
	}
	if q.After == nil {
		return s, nil
	}
	p := *q.After
	at, err := joinKey(q.Key.Partition(), p.Sort)
	if q.Slot != 0 {
		at, err = joinKey(q.Key.Partition(), p.Index, p.Partition, p.Sort)
	}
	if err != nil {
		return span{}, err
	}
	switch {
	case q.Desc && bytes.Compare(at, s.high) < 0:
		s.high = at
	case !q.Desc && bytes.Compare(at, s.low) >= 0:
		s.low = append(slices.Clip(at), 0) // the next possible key
	}
	return s, nil
}

// entries yields keys and values in memory of the file, which is valid until the
// transaction ends.
func (s span) entries(c *bbolt.Cursor, desc bool) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		if !desc {
			for k, v := c.Seek(s.low); k != nil && bytes.Compare(k, s.high) < 0; k, v = c.Next() {
				if !yield(k, v) {
					return
				}
			}
			return
		}
		k, v := c.Seek(s.high)
		if k == nil {
			k, v = c.Last()
		}
		for ; k != nil && bytes.Compare(k, s.high) >= 0; k, v = c.Prev() {
		}
		for ; k != nil && bytes.Compare(k, s.low) >= 0; k, v = c.Prev() {
			if !yield(k, v) {
				return
			}
		}
	}
}
