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

// The file has a bucket of rows, a bucket for each index and a bucket of expiries:
//
//	row    partition 0 sort                                → expiry, JSON
//	i1–i3  index partition 0 index sort 0 partition 0 sort → expiry
//	ttl    expiry partition 0 sort                         → empty
//
// The parts of a key do not contain 0 bytes, so keys sort by their parts and the rows of
// a partition are contiguous. An expiry is 8 bytes of big-endian Unix seconds, or 0 for
// never. It precedes the JSON so that a count does not decode it.

const (
	metaBucket = "meta"
	formatKey  = "format"
	rowBucket  = "row"
	ttlBucket  = "ttl"
)

func indexBucket(slot table.Slot) []byte { return []byte{'i', '0' + byte(slot)} }

const expirySize = 8

var errZero = errors.New("bolt: invalid key: must not contain a 0 byte")

// joinKey builds a key from its parts.
func joinKey(parts ...string) ([]byte, error) {
	for _, p := range parts {
		if strings.IndexByte(p, 0) >= 0 {
			return nil, errZero
		}
	}
	return []byte(strings.Join(parts, "\x00")), nil
}

// getRow returns the stored row, or nil if it is absent.
func getRow(tx *bbolt.Tx, k table.Key) (*table.Row, error) {
	r, attr, err := getBareRow(tx, k)
	if err == nil && r != nil {
		r.Attr, err = decodeAttr(r.Sort, attr)
	}
	return r, err
}

// getBareRow returns the stored row without its attributes, which it returns encoded,
// or nil if the row is absent.
func getBareRow(tx *bbolt.Tx, k table.Key) (_ *table.Row, attr []byte, _ error) {
	key, err := joinKey(k.Partition(), k.Sort())
	if err != nil {
		return nil, nil, err
	}
	b := tx.Bucket([]byte(rowBucket)).Get(key)
	if b == nil {
		return nil, nil, nil
	}
	r, attr, err := decodeBareRow(k.Partition(), k.Sort(), b)
	return &r, attr, err
}

// entry is the encoding of a row.
type entry struct {
	key, value []byte
	indexKeys  [3][]byte // nil if the row is not in that index
}

// encodeEntry encodes a row. The entry does not share memory with it.
func encodeEntry(r table.Row) (entry, error) {
	var e entry
	var err error
	if e.key, err = joinKey(r.Partition, r.Sort); err != nil {
		return entry{}, err
	}
	if e.indexKeys, err = joinIndexKeys(r); err != nil {
		return entry{}, err
	}
	e.value, err = encodeRow(r)
	return e, err
}

// joinIndexKeys returns the row's key in each index.
func joinIndexKeys(r table.Row) (keys [3][]byte, err error) {
	for i, x := range r.Index {
		if x[0] == "" {
			continue
		}
		if keys[i], err = joinKey(x[0], x[1], r.Partition, r.Sort); err != nil {
			return keys, err
		}
	}
	return keys, nil
}

// put stores the entry in place of the row that is stored under its key, or of nil.
func (e entry) put(tx *bbolt.Tx, stored *table.Row) error {
	var old entry
	if stored != nil {
		var err error
		if old.indexKeys, err = joinIndexKeys(*stored); err != nil {
			return err
		}
		old.key, old.value = e.key, encodeExpiry(stored.Expires)
	}
	err := tx.Bucket([]byte(rowBucket)).Put(e.key, e.value)
	if err == nil {
		err = replaceKey(tx.Bucket([]byte(ttlBucket)), old.ttlKey(), e.ttlKey(), nil, false)
	}
	expiry := e.expiry()
	isStale := !bytes.Equal(old.expiry(), expiry)
	for i, key := range e.indexKeys {
		if err == nil {
			err = replaceKey(tx.Bucket(indexBucket(table.Slot(i+1))), old.indexKeys[i], key, expiry, isStale)
		}
	}
	if err != nil {
		return fmt.Errorf("bolt: %w", err)
	}
	return nil
}

// replaceKey puts a key in place of the old one. Each may be nil. If they are equal, it writes a stale value only.
func replaceKey(b *bbolt.Bucket, old, key, value []byte, isStale bool) error {
	if bytes.Equal(old, key) {
		if key == nil || !isStale {
			return nil
		}
		return b.Put(key, value)
	}
	if old != nil {
		if err := b.Delete(old); err != nil {
			return err
		}
	}
	if key == nil {
		return nil
	}
	return b.Put(key, value)
}

// expiry returns the expiry of the row, or nil for the zero entry.
func (e entry) expiry() []byte {
	return e.value[:min(len(e.value), expirySize):min(len(e.value), expirySize)]
}

// ttlKey returns the key of the row in the bucket of expiries, or nil if it never expires.
func (e entry) ttlKey() []byte {
	if expiry := e.expiry(); len(expiry) > 0 && !bytes.Equal(expiry, encodeExpiry(time.Time{})) {
		return append(expiry, e.key...)
	}
	return nil
}

// removeRow removes a stored row with its index entries.
func removeRow(tx *bbolt.Tx, r table.Row) error {
	key, err := joinKey(r.Partition, r.Sort)
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

// parseBaseKey returns the last two parts of an index entry's key.
func parseBaseKey(entry []byte) (partition, sort string, err error) {
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

func decodeExpiry(value []byte) (time.Time, error) {
	if len(value) < expirySize {
		return time.Time{}, fmt.Errorf("bolt: damaged value of %d bytes", len(value))
	}
	s := binary.BigEndian.Uint64(value)
	if s == 0 {
		return time.Time{}, nil
	}
	return time.Unix(int64(s), 0).UTC(), nil
}
