package approval

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// Status is where a request stands.
type Status string

// The statuses.
const (
	Pending  Status = "pending"
	Approved Status = "approved"
	Declined Status = "declined"
)

// The bounds of what a request holds, in bytes.
const (
	maxReason = 1000
	maxBy     = 256
	maxArgs   = 64 << 10
)

// Request is one call that asks for a person's approval.
type Request struct {
	// Scope is the call's, and the one that [Approvals.Get] and [Approvals.Decide] want.
	Scope scope.Scope
	// ID names the request: 64 hexadecimal digits, the digest of what it is bound to, its scope included.
	ID string
	// Tool is the name under which the tool was called, and Call the call's id in the conversation.
	Tool, Call string
	// Args are the call's arguments, names in order: JSON to be shown to a person. A model wrote them.
	Args json.RawMessage
	// Reason says why the call asks.
	Reason string
	Status Status
	// Asked is when it was first asked for, and Expires when the request is gone. Both are UTC.
	Asked, Expires time.Time
	// Who decided, when, and with which words. Zero while pending.
	By      string
	Decided time.Time
	Note    string
}

// Where a request lies: under its scope, and while it is pending in the lists of its user and its tenant.
const (
	sortPrefix = "approval#"
	sortEnd    = "approval$"
	class      = "approvals"
	stamp      = "2006-01-02T15:04:05.000Z"
)

var idGrammar = regexp.MustCompile(`^[0-9a-f]{64}$`)

// entries are the lists that a new request is in.
func (r Request) entries() []table.Entry {
	sort := r.Asked.Format(stamp) + "#" + r.ID
	tenant := table.Entry{Slot: table.I2, Level: scope.TenantLevel, Class: class, Sort: sort}
	if r.Scope.UserID() == "" {
		return []table.Entry{tenant}
	}
	return []table.Entry{{Slot: table.I1, Level: scope.UserLevel, Class: class, Sort: sort}, tenant}
}

// write puts the request into attributes, among which there may be others.
func (r Request) write(attr map[string]table.Value) {
	attr["tool"], attr["call"], attr["args"], attr["reason"] = r.Tool, r.Call, string(r.Args), r.Reason
	attr["status"], attr["asked"] = string(r.Status), r.Asked.Format(stamp)
	if r.Status != Pending {
		attr["by"], attr["note"], attr["decided"] = r.By, r.Note, r.Decided.Format(stamp)
	}
}

// errStored says that somebody else has written what lies in a request's place.
var errStored = errors.New("approval: the stored request is none")

// parse reads what write wrote. What it does not understand approves nothing.
func parse(s scope.Scope, it table.Item) (Request, error) {
	bad := false
	text := func(name string) string {
		v, ok := it.Attr[name].(string)
		bad = bad || !ok
		return v
	}
	moment := func(name string) time.Time {
		t, err := time.Parse(stamp, text(name))
		bad = bad || err != nil
		return t
	}
	r := Request{
		Scope: s, Tool: text("tool"), Call: text("call"), Args: json.RawMessage(text("args")), Reason: text("reason"),
		Status: Status(text("status")), Asked: moment("asked"), Expires: it.Expires,
	}
	if len(it.Sort) > len(sortPrefix) {
		r.ID = it.Sort[len(sortPrefix):]
	}
	switch r.Status {
	case Pending:
	case Approved, Declined:
		r.By, r.Note, r.Decided = text("by"), text("note"), moment("decided")
	default:
		bad = true
	}
	if bad || !idGrammar.MatchString(r.ID) || strictjson.Check(r.Args) != nil {
		return Request{}, fmt.Errorf("%w: %q", errStored, it.Sort)
	}
	return r, nil
}

// agrees is nil where a decided request was decided in the same way.
func (r Request) agrees(d Decision) error {
	if d.Approve == (r.Status == Approved) {
		return nil
	}
	return ErrDecided
}
