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

// put stores a row that is not there.
func put(tx *bbolt.Tx, r table.Row) error {
	key, err := join(r.Partition, r.Sort)
	if err != nil {
		return err
	}
	b, err := encodeRow(r)
	if err != nil {
		return err
	}
	if err := tx.Bucket([]byte(rowBucket)).Put(key, b); err != nil {
		return fmt.Errorf("bolt: %w", err)
	}
	if !r.Expires.IsZero() {
		if err := tx.Bucket([]byte(ttlBucket)).Put(append(b[:expirySize:expirySize], key...), nil); err != nil {
			return fmt.Errorf("bolt: %w", err)
		}
	}
	return eachEntry(tx, r, func(index *bbolt.Bucket, key []byte) error { return index.Put(key, b[:expirySize]) })
}

// remove removes a row that is there.
func remove(tx *bbolt.Tx, r table.Row) error {
	key, err := join(r.Partition, r.Sort)
	if err != nil {
		return err
	}
	if err := tx.Bucket([]byte(rowBucket)).Delete(key); err != nil {
		return fmt.Errorf("bolt: %w", err)
	}
	if !r.Expires.IsZero() {
		if err := tx.Bucket([]byte(ttlBucket)).Delete(append(encodeExpiry(r.Expires), key...)); err != nil {
			return fmt.Errorf("bolt: %w", err)
		}
	}
	return eachEntry(tx, r, (*bbolt.Bucket).Delete)
}

func eachEntry(tx *bbolt.Tx, r table.Row, f func(index *bbolt.Bucket, key []byte) error) error {
	for i, x := range r.Index {
		if x[0] == "" {
			continue
		}
		key, err := join(x[0], x[1], r.Partition, r.Sort)
		if err != nil {
			return err
		}
		if err := f(tx.Bucket(indexBucket(table.Slot(i+1))), key); err != nil {
			return fmt.Errorf("bolt: %w", err)
		}
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
