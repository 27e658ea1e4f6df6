package tracking

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/scope"
)

// listCursor is the position at which a list continues. Its text is base64url,
// without padding, of a 16-byte digest of scope and class, followed by before.
// If a lane has a position, the positions of all lanes follow, each as "|", to,
// "|", cursor. The text is not secret and not signed: the partition always
// comes from the caller's scope, so a forged cursor only reaches the caller's rows.
type listCursor struct {
	before string     // the last record that was listed; empty: none
	lanes  []position // one for each class
}

const (
	digestSize    = 16
	maxListCursor = 32 << 10 // four cursors of the table, of rows with the longest keys

	foreignCursor = "the cursor does not belong to this list"
)

func cursorDigest(s scope.Scope, c Class) string {
	sum := sha256.Sum256([]byte("tracking.list\x00" + s.Partition() + "\x00" + string(c)))
	return string(sum[:digestSize])
}

func (p position) isZero() bool { return p == position{} }

func (l listCursor) encode(s scope.Scope, c Class) string {
	text := cursorDigest(s, c) + l.before
	if slices.ContainsFunc(l.lanes, func(p position) bool { return !p.isZero() }) {
		for _, p := range l.lanes {
			text += "|" + p.to + "|" + p.cursor
		}
	}
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

// parseCursor parses the cursor of a list of n classes that was made for s and
// c. The empty text is the start of the list.
func parseCursor(text string, s scope.Scope, c Class, n int) (listCursor, error) {
	out := listCursor{lanes: make([]position, n)}
	if text == "" {
		return out, nil
	}
	bad := func() (listCursor, error) { return listCursor{}, invalidError(foreignCursor) }
	if len(text) > maxListCursor {
		return bad()
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") { // the decoder skips line ends
		return bad()
	}
	rest, ok := strings.CutPrefix(string(raw), cursorDigest(s, c))
	if !ok {
		return bad()
	}
	parts := strings.Split(rest, "|")
	if len(parts) != 1 && len(parts) != 1+2*n {
		return bad()
	}
	ids := parts[:1:1]
	out.before = parts[0]
	for i := range (len(parts) - 1) / 2 {
		p := position{to: parts[1+2*i], cursor: parts[2+2*i]}
		if p.to != "" && (p.cursor == "" || p.cursor == endOfClass) {
			return bad()
		}
		out.lanes[i] = p
		ids = append(ids, p.to)
	}
	for _, id := range ids {
		if _, ok := parseSessionID(s, id); !ok && id != "" {
			return bad()
		}
	}
	if out.encode(s, c) != text || rest == "" { // a cursor has one form, and is empty at the start of a list
		return bad()
	}
	return out, nil
}
