package table

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// A cursor is the base64url encoding, without padding, of a digest and a [Position]:
// 16 bytes of SHA-256 over the query and the position, then the three strings of the
// position, each after its length as a uvarint.
//
// The digest is not a signature and does not need a secret: the partition comes from
// the View, so a forged cursor leads only to rows of the same scope. The digest detects
// damaged cursors and cursors of other queries.

const (
	digestSize   = 16
	maxPartition = 2048 // DynamoDB's limit
	maxCursor    = (digestSize + 3*binary.MaxVarintLen16 + 2*MaxSort + maxPartition) * 4 / 3
)

func (v *View) encodeCursor(q Query, p Position) string {
	b := make([]byte, digestSize, 256)
	b = appendStrings(b, p.Index, p.Partition, p.Sort)
	v.writeDigest(q, b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// writeDigest writes the digest of the query, and of the position in b, to the start of b.
func (v *View) writeDigest(q Query, b []byte) {
	h := make([]byte, 0, 512)
	h = appendStrings(h, "table cursor 1", v.partition, q.Class, q.From, q.To)
	h = append(h, byte(q.Slot), 0)
	if q.Desc {
		h[len(h)-1] = 1
	}
	h = append(h, b[digestSize:]...)
	sum := sha256.Sum256(h)
	copy(b, sum[:digestSize])
}

func (v *View) decodeCursor(q Query) (Position, error) {
	bad := func(reason string) (Position, error) {
		return Position{}, fmt.Errorf("%w: %s", ErrCursor, reason)
	}
	if len(q.Cursor) > maxCursor {
		return bad("too long")
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(q.Cursor)
	// The decoder skips line breaks, so the encoding is compared too.
	if err != nil || base64.RawURLEncoding.EncodeToString(b) != q.Cursor {
		return bad("not base64url without padding")
	}
	if len(b) < digestSize {
		return bad("too short")
	}
	want := make([]byte, len(b))
	copy(want, b)
	v.writeDigest(q, want)
	if subtle.ConstantTimeCompare(want[:digestSize], b[:digestSize]) != 1 {
		return bad("damaged, or of another query")
	}
	var p Position
	rest := b[digestSize:]
	for _, f := range [...]*string{&p.Index, &p.Partition, &p.Sort} {
		n, size := binary.Uvarint(rest)
		if size <= 0 || n > uint64(len(rest)-size) {
			return bad("truncated")
		}
		*f, rest = string(rest[size:size+int(n)]), rest[size+int(n):]
	}
	if len(rest) > 0 {
		return bad("bytes after the end")
	}
	return p, v.checkPosition(q, p)
}

// checkPosition returns an error for a forged position that a store would not accept.
// Keys must be within the limits and the range, and a base key must lie in the View's
// partition. In an index any base key is valid, because a page may end at a foreign row.
func (v *View) checkPosition(q Query, p Position) error {
	isKey := func(s string, limit int) bool { return s != "" && len(s) <= limit && utf8.ValidString(s) }
	sort, ok := p.Sort, p.Partition == v.partition && p.Index == ""
	if q.Slot != 0 {
		sort, ok = p.Index, isKey(p.Index, MaxSort) && isKey(p.Partition, maxPartition)
	}
	if !ok || !isKey(p.Sort, MaxSort) || sort < q.From || q.To != "" && sort >= q.To {
		return fmt.Errorf("%w: position outside its range", ErrCursor)
	}
	return nil
}

func appendStrings(b []byte, ss ...string) []byte {
	for _, s := range ss {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}
