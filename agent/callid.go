package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"unicode"
	"unicode/utf8"
)

// maxCallID is the length of the longest call id that a [History] holds, in bytes.
const maxCallID = 256

// plainCallID matches the ids that events and records carry as they come.
var plainCallID = regexp.MustCompile(`^[!-~]{1,256}$`)

// checkCallID returns an error if id cannot be part of a history. The grammar of ids is the service's, so a history
// holds almost any: a [Model] replaces those that its service refuses.
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

// callIDs maps the call ids of one answer from the service's to the run's. The run keeps an id that is plain and new to
// the conversation and replaces every other one, so that an id identifies one call everywhere.
type callIDs struct {
	own   map[string]string // the run's, by the service's
	ended map[string]bool   // the service's ids of calls that are whole
	taken map[string]bool   // the run's ids in this answer
}

// mapCallID returns the run's id for a call of the answer with those ids.
func (r *run) mapCallID(ids *callIDs, id string) string {
	if own, ok := ids.own[id]; ok {
		return own
	}
	if ids.own == nil {
		ids.own, ids.ended, ids.taken = map[string]string{}, map[string]bool{}, map[string]bool{}
	}
	own := id
	for i := 0; !plainCallID.MatchString(own) || r.callIDs[own] || ids.taken[own]; i++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%q %d %d %d %d %q", r.in.Run, len(r.turns), r.turn, len(ids.taken), i, id))
		own = "call_" + hex.EncodeToString(sum[:12])
	}
	ids.own[id], ids.taken[own] = own, true
	return own
}

// end marks the call with the service's id as whole and reports whether another call of the answer had the same id.
// Calls with an empty id are told apart by their order.
func (ids *callIDs) end(id string) (isDuplicate bool) {
	if id == "" {
		delete(ids.own, id)
		return false
	}
	isDuplicate = ids.ended[id]
	ids.ended[id] = true
	return isDuplicate
}
