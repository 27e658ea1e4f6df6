package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/carrel-go/carrel/scope/table"
)

// The file has a bucket of rows and one for each index:
//
//	row    partition 0 sort                             → expiry, JSON
//	i1–i3  index partition 0 index sort 0 partition 0 sort → expiry
//	ttl    expiry partition 0 sort                      → nothing, for rows that expire
//
// No part holds a 0 byte, so keys sort as their parts do, one after the
// other, and no partition is the beginning of another. The expiry is 8 bytes,
// big-endian Unix seconds, 0 for none: with it a count reads no JSON.

const (
	metaBucket = "meta"
	formatKey  = "format"
	rowBucket  = "row"
	ttlBucket  = "ttl"
)

func indexBucket(slot table.Slot) []byte { return []byte{'i', '0' + byte(slot)} }

const expirySize = 8

var errZero = errors.New("bolt: a key with a 0 byte")

// join makes a key of its parts.
func join(parts ...string) ([]byte, error) {
	for _, p := range parts {
		if strings.IndexByte(p, 0) >= 0 {
			return nil, errZero
		}
	}
	return []byte(strings.Join(parts, "\x00")), nil
}

func get(tx *bbolt.Tx, k table.Key) (*table.Row, error) {
	key, err := join(k.Partition(), k.Sort())
	if err != nil {
		return nil, err
	}
	b := tx.Bucket([]byte(rowBucket)).Get(key)
	if b == nil {
		return nil, nil
	}
	r, err := decodeRow(k.Partition(), k.Sort(), b)
	return &r, err
}

// entry is a row as the file holds it.
type entry struct {
	key, value []byte
	indexKeys  [3][]byte // nil if the row is not in that index
}

// encodeEntry encodes a row. The entry shares no memory with it.
func encodeEntry(r table.Row) (entry, error) {
	var e entry
	var err error
	if e.key, err = join(r.Partition, r.Sort); err != nil {
		return entry{}, err
	}
	if e.indexKeys, err = joinIndexKeys(r); err != nil {
		return entry{}, err
	}
	e.value, err = encodeRow(r)
	return e, err
}

// joinIndexKeys returns the row's key in each index that it is in.
func joinIndexKeys(r table.Row) (keys [3][]byte, err error) {
	for i, x := range r.Index {
		if x[0] == "" {
			continue
		}
		if keys[i], err = join(x[0], x[1], r.Partition, r.Sort); err != nil {
			return keys, err
		}
	}
	return keys, nil
}

// put stores the entry. A row of the same key must have been removed before.
func (e entry) put(tx *bbolt.Tx) error {
	expiry := e.value[:expirySize:expirySize]
	err := tx.Bucket([]byte(rowBucket)).Put(e.key, e.value)
	if err == nil && !bytes.Equal(expiry, encodeExpiry(time.Time{})) {
		err = tx.Bucket([]byte(ttlBucket)).Put(append(expiry, e.key...), nil)
	}
	for i, key := range e.indexKeys {
		if err == nil && key != nil {
			err = tx.Bucket(indexBucket(table.Slot(i+1))).Put(key, expiry)
		}
	}
	if err != nil {
		return fmt.Errorf("bolt: %w", err)
	}
	return nil
}

// remove removes a stored row with its index entries.
func remove(tx *bbolt.Tx, r table.Row) error {
	key, err := join(r.Partition, r.Sort)
	if err != nil {
		return err
	}
	indexKeys, err := joinIndexKeys(r)
	if err != nil {
		return err
	}
	err = tx.Bucket([]byte(rowBucket)).Delete(key)
	if err == nil && !r.Expires.IsZero() {
		err = tx.Bucket([]byte(ttlBucket)).Delete(append(encodeExpiry(r.Expires), key...))
	}
	for i, key := range indexKeys {
		if err == nil && key != nil {
			err = tx.Bucket(indexBucket(table.Slot(i + 1))).Delete(key)
		}
	}
	if err != nil {
		return fmt.Errorf("bolt: %w", err)
	}
	return nil
}

// baseKey returns the last two parts of an index entry's key.
func baseKey(entry []byte) (partition, sort string, err error) {
	parts := bytes.Split(entry, []byte{0})
	if len(parts) != 4 {
		return "", "", fmt.Errorf("bolt: damaged index entry %q", entry)
	}
	return string(parts[2]), string(parts[3]), nil
}

func encodeExpiry(t time.Time) []byte {
	var s uint64
	if !t.IsZero() {
		s = uint64(t.Unix())
	}
	return binary.BigEndian.AppendUint64(nil, s)
}

func expiry(value []byte) (time.Time, error) {
	if len(value) < expirySize {
		return time.Time{}, fmt.Errorf("bolt: damaged value of %d bytes", len(value))
	}
	s := binary.BigEndian.Uint64(value)
	if s == 0 {
		return time.Time{}, nil
	}
	return time.Unix(int64(s), 0).UTC(), nil
}
