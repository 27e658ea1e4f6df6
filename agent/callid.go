package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// maxCallID is the length of the longest call id that a [History] holds, in bytes.
const maxCallID = 256

// isPlainCallID reports whether the run keeps the service's id: it is printable ASCII without spaces.
func isPlainCallID(id string) bool {
	for _, c := range []byte(id) {
		if c < '!' || '~' < c {
			return false
		}
	}
	return 0 < len(id) && len(id) <= maxCallID
}

// checkCallID returns an error if id cannot be part of a history. Services differ in their grammar, so almost any id is
// valid: a [Model] replaces those that its service rejects.
func checkCallID(id string) error {
	switch {
	case len(id) > maxCallID:
		return fmt.Errorf("the call id %.32q… has %d bytes: at most %d are accepted", id, len(id), maxCallID)
	case !utf8.ValidString(id):
		return fmt.Errorf("the call id %q is not valid UTF-8", id)
	}
	for _, r := range id {
		if unicode.IsControl(r) {
			return fmt.Errorf("the call id %q contains a control character", id)
		}
	}
	return nil
}

// callIDs maps the call ids of one answer from the service's to the run's. The run keeps an id that is plain and new in
// the conversation and replaces any other, so that an id identifies one call everywhere.
type callIDs struct {
	used        map[string]bool       // ids of the conversation's earlier calls
	run         string                // id of the run
	turns, turn int                   // number of turns in the history, and of the answer in the run
	calls       map[string]mappedCall // by the service's ids
	made        map[string]bool       // ids that replace the service's in this answer
	count       int                   // calls of the answer
}

type mappedCall struct {
	id      string // the run's
	isWhole bool
}

// isTaken reports whether a call of the answer has that id.
func (ids *callIDs) isTaken(id string) bool { return ids.made[id] || ids.calls[id].id == id }

// mapID returns the run's id for the call with the service's id.
func (ids *callIDs) mapID(id string) string {
	if c, ok := ids.calls[id]; ok {
		return c.id
	}
	if ids.calls == nil {
		ids.calls = map[string]mappedCall{}
	}
	own := id
	for i := 0; !isPlainCallID(own) || ids.used[own] || ids.isTaken(own); i++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%q %d %d %d %d %q", ids.run, ids.turns, ids.turn, ids.count, i, id))
		own = "call_" + hex.EncodeToString(sum[:12])
	}
	if own != id {
		if ids.made == nil {
			ids.made = map[string]bool{}
		}
		ids.made[own] = true
	}
	ids.count++
	ids.calls[id] = mappedCall{id: own}
	return own
}

// endCall marks the call with the service's id as whole and reports whether another call of the answer had the same id.
// Calls with an empty id are distinguished by their order.
func (ids *callIDs) endCall(id string) (isDuplicate bool) {
	if id == "" {
		delete(ids.calls, id)
		return false
	}
	c := ids.calls[id]
	ids.calls[id] = mappedCall{c.id, true}
	return c.isWhole
}
