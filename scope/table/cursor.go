package table

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// A cursor is base64url without padding of a digest and a [Position]: 16
// bytes of SHA-256 over the query and the position, then the position's three
// strings, each after its length as a uvarint. The digest is no signature and
// needs no secret: the partition comes from the View, so whoever forges a
// cursor only moves about among their own rows. It is there so that a cursor
// of another query, or one that was damaged, is an error and not a wrong page.

const (
	digestSize   = 16
	maxPartition = 2048 // DynamoDB's limit
	maxCursor    = (digestSize + 3*binary.MaxVarintLen16 + 2*MaxSort + maxPartition) * 4 / 3
)

func (v *View) encodeCursor(q Query, p Position) string {
	b := make([]byte, digestSize, 256)
	b = appendStrings(b, p.Index, p.Partition, p.Sort)
	v.digest(q, b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// digest writes the digest of the query and of the position that follows it into b's start.
func (v *View) digest(q Query, b []byte) {
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
	// The decoder skips line breaks, so the way back is compared too.
	if err != nil || base64.RawURLEncoding.EncodeToString(b) != q.Cursor {
		return bad("not base64url without padding")
	}
	if len(b) < digestSize {
		return bad("too short")
	}
	want := make([]byte, len(b))
	copy(want, b)
	v.digest(q, want)
	if subtle.ConstantTimeCompare(want[:digestSize], b[:digestSize]) != 1 {
		return bad("of another query, or damaged")
	}
	var p Position
	rest := b[digestSize:]
	for _, f := range [...]*string{&p.Index, &p.Partition, &p.Sort} {
		n, size := binary.Uvarint(rest)
		if size <= 0 || n > uint64(len(rest)-size) {
			return bad("cut off")
		}
		*f, rest = string(rest[size:size+int(n)]), rest[size+int(n):]
	}
	if len(rest) > 0 {
		return bad("bytes after its end")
	}
	return p, v.checkPosition(q, p)
}

// checkPosition holds a forged position to what a store accepts: keys within
// its limits, in the range, in the base partition itself or anywhere in the
// index. It asks no more: a page may end at a row that is another hand's.
func (v *View) checkPosition(q Query, p Position) error {
	key := func(s string, most int) bool { return s != "" && len(s) <= most && utf8.ValidString(s) }
	sort, ok := p.Sort, p.Partition == v.partition && p.Index == ""
	if q.Slot != 0 {
		sort, ok = p.Index, key(p.Index, MaxSort) && key(p.Partition, maxPartition)
	}
	if !ok || !key(p.Sort, MaxSort) || sort < q.From || q.To != "" && sort >= q.To {
		return fmt.Errorf("%w: no position in its range", ErrCursor)
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
