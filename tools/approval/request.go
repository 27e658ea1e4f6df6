package approval

import (
	"encoding/json"
	"time"

	"github.com/carrel-go/carrel/scope"
)

// Status is the state of a [Request].
type Status string

// The statuses.
const (
	StatusPending  Status = "pending"
	StatusApproved Status = "approved"
	StatusDeclined Status = "declined"
)

// The largest sizes of the texts of a request, in bytes.
const (
	maxReason = 1000
	maxBy     = 256
	maxArgs   = 64 << 10
)

// Request is one call that waits for a person's approval, or has been decided. It marshals to
//
//	{"scope":"…","id":"…","tool":"…","call_id":"…","args":{…},"reason":"…","status":"pending",
//	 "asked_at":"2026-01-31T15:04:05.123Z","expires_at":"…","decided_by":"…","decided_at":"…","note":"…"}
//
// where decided_by, decided_at and note are left out if they are empty. A decoded Request has the zero Scope: pass
// scope to [scope.ParsePartition], and check that the caller's own scope contains the result.
type Request struct {
	// Scope is the scope of the call. [Approvals.Get] and [Approvals.Decide] require it. In JSON it is its Partition.
	Scope scope.Scope `json:"-"`
	// ID identifies the request: 64 hexadecimal digits, the digest of everything that the request is bound to.
	ID string `json:"id"`
	// Tool is the name under which the tool was called.
	Tool string `json:"tool"`
	// Call is the call's id in the conversation.
	Call string `json:"call_id"`
	// Args are the call's arguments with names in order, to be shown to a person. A model wrote them.
	Args json.RawMessage `json:"args"`
	// Reason explains why the call needs approval.
	Reason string `json:"reason"`
	Status Status `json:"status"`
	// Asked is the time of the first such call, in UTC.
	Asked time.Time `json:"asked_at"`
	// Expires is the time at which the request ceases to exist, in UTC.
	Expires time.Time `json:"expires_at"`
	// By, Decided and Note are the person, the time and the reason of the decision. They are zero while pending.
	By      string    `json:"decided_by,omitempty"`
	Decided time.Time `json:"decided_at,omitzero"`
	Note    string    `json:"note,omitempty"`
}

// MarshalJSON returns the form in the documentation of [Request].
func (r Request) MarshalJSON() ([]byte, error) {
	type tagged Request
	return json.Marshal(struct {
		Partition string `json:"scope"`
		tagged
	}{r.Scope.Partition(), tagged(r)})
}
