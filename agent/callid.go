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

// callNames maps the call ids of one answer from the service's to the run's. The run keeps an id that is plain and
// new to the conversation and replaces every other one, so that an id names one call wherever it is told.
type callNames struct {
	ids   map[string]string // the run's, by the service's
	ended map[string]bool   // the service's ids of calls that are whole
	taken map[string]bool   // the run's ids in this answer
}

// name returns the run's id for a call of this answer.
func (r *run) name(ans *answer, id string) string {
	n := &ans.names
	if own, ok := n.ids[id]; ok {
		return own
	}
	if n.ids == nil {
		n.ids, n.ended, n.taken = map[string]string{}, map[string]bool{}, map[string]bool{}
	}
	own := id
	for i := 0; !plainCallID.MatchString(own) || r.ids[own] || n.taken[own]; i++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%q %d %d %d %d %q", r.in.Run, len(r.turns), r.turn, len(n.taken), i, id))
		own = "call_" + hex.EncodeToString(sum[:12])
	}
	n.ids[id], n.taken[own] = own, true
	return own
}

// endCall marks the call with the service's id as whole and reports whether another call of the answer had the same
// id. Calls with an empty id are told apart by their order.
func (a *answer) endCall(id string) (again bool) {
	if id == "" {
		delete(a.names.ids, id)
		return false
	}
	again = a.names.ended[id]
	a.names.ended[id] = true
	return again
}
