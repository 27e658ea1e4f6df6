package bolt

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/carrel-go/carrel/scope/table"
)

// Query returns a page, read in one transaction.
func (d *Driver) Query(ctx context.Context, q table.DriverQuery) (table.DriverPage, error) {
	var page table.DriverPage
	err := d.view(ctx, q.Key, func(tx *bbolt.Tx) (err error) {
		bucket := []byte(rowBucket)
		if q.Slot != 0 {
			if q.Slot < 0 || q.Slot > table.I3 || q.Consistent {
				return fmt.Errorf("bolt: no such query: slot %d, consistent %t", q.Slot, q.Consistent)
			}
			bucket = indexBucket(q.Slot)
		}
		s, err := spanOf(q)
		if err != nil {
			return err
		}
		entries := s.entries(tx.Bucket(bucket).Cursor(), q.Desc)
		if q.CountOnly {
			page, err = count(q, entries)
		} else {
			page, err = collect(tx, q, entries)
		}
		return err
	})
	return page, err
}

func collect(tx *bbolt.Tx, q table.DriverQuery, entries iter.Seq2[[]byte, []byte]) (table.DriverPage, error) {
	var page table.DriverPage
	for k, v := range entries {
		if len(page.Rows) == q.Limit {
			page.More = true
			break
		}
		partition, sort, err := base(q, k)
		if err != nil {
			return table.DriverPage{}, err
		}
		if q.Slot != 0 {
			key, err := join(partition, sort)
			if err != nil {
				return table.DriverPage{}, err
			}
			if v = tx.Bucket([]byte(rowBucket)).Get(key); v == nil {
				return table.DriverPage{}, fmt.Errorf("bolt: index entry %q without its row", k)
			}
		}
		r, err := decodeRow(partition, sort, v)
		if err != nil {
			return table.DriverPage{}, err
		}
		page.Rows = append(page.Rows, r)
	}
	return page, nil
}

func count(q table.DriverQuery, entries iter.Seq2[[]byte, []byte]) (table.DriverPage, error) {
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
		partition, _, err := base(q, k)
		if err != nil {
			return table.DriverPage{}, err
		}
		expires, err := expiry(v)
		if err != nil {
			return table.DriverPage{}, err
		}
		if q.Key.Contains(partition) && !(table.Row{Expires: expires}).Expired(now) {
			page.Count++
		}
	}
	return page, nil
}

// base returns the base key of the row that an entry of the query is about.
func base(q table.DriverQuery, key []byte) (partition, sort string, err error) {
	if q.Slot != 0 {
		return baseKey(key)
	}
	return q.Key.Partition(), string(key[len(q.Key.Partition())+1:]), nil
}

// span is a stretch of a bucket: from low to high, exclusive.
type span struct{ low, high []byte }

func spanOf(q table.DriverQuery) (span, error) {
	prefix, err := join(q.Key.Partition(), "")
	if err != nil {
		return span{}, err
	}
	// Keys begin with the prefix and a sort key, so a bound of the sort key
	// alone lies before everything that has it.
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
	at, err := join(q.Key.Partition(), p.Sort)
	if q.Slot != 0 {
		at, err = join(q.Key.Partition(), p.Index, p.Partition, p.Sort)
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

// entries yields keys and values, which are the file's own memory: they are
// valid until the transaction ends.
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
