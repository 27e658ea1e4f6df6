package tracking

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"

	"github.com/carrel-go/carrel/scope"
)

// encodeCursor returns base64url, without padding, of the JSON of v.
func encodeCursor(v any) string {
	text, err := json.Marshal(v)
	if err != nil { // strings and numbers can be encoded
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// decodeCursor decodes a cursor into the struct that v points to. It reports
// false unless encodeCursor returns the same text.
func decodeCursor(text string, v any) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && json.Unmarshal(raw, v) == nil && encodeCursor(v) == text
}

// listCursor is the position at which a list continues. It is not secret and not
// signed: the partition always comes from the caller's scope, so a forged cursor
// only reaches the caller's rows.
type listCursor struct {
	List   string     `json:"list"`             // digest of scope and class
	Before string     `json:"before,omitempty"` // the last record that was listed; empty: none
	Lanes  []position `json:"lanes,omitempty"`  // one for each class, unless all are zero
}

const (
	maxListCursor = 32 << 10 // four cursors of the table, of rows with the longest keys

	foreignCursor = "the cursor does not belong to this list"
)

func cursorDigest(s scope.Scope, c Class) string {
	sum := sha256.Sum256([]byte("tracking.list\x00" + s.Partition() + "\x00" + string(c)))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

func (l listCursor) encode(s scope.Scope, c Class) string {
	l.List = cursorDigest(s, c)
	if !slices.ContainsFunc(l.Lanes, func(p position) bool { return p != position{} }) {
		l.Lanes = nil
	}
	return encodeCursor(l)
}

// parseCursor parses the cursor of a list of n classes that was made for s and
// c. The empty text is the start of the list.
func parseCursor(text string, s scope.Scope, c Class, n int) (listCursor, error) {
	l := listCursor{}
	if text != "" {
		if len(text) > maxListCursor || !decodeCursor(text, &l) || l.encode(s, c) != text || !l.isPosition(s, n) {
			return listCursor{}, invalidError(foreignCursor)
		}
	}
	if l.Lanes == nil {
		l.Lanes = make([]position, n)
	}
	return l, nil
}

// isPosition reports whether l is a position in a list of n classes after its start.
func (l listCursor) isPosition(s scope.Scope, n int) bool {
	if l.Lanes == nil && l.Before == "" || l.Lanes != nil && len(l.Lanes) != n {
		return false
	}
	ids := []string{l.Before}
	for _, p := range l.Lanes {
		if p.To != "" && (p.Cursor == "" || p.Cursor == endOfClass) {
			return false
		}
		ids = append(ids, p.To)
	}
	return !slices.ContainsFunc(ids, func(id string) bool {
		_, ok := parseSessionID(s, id)
		return !ok && id != ""
	})
}
