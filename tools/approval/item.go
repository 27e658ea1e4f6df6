package approval

import (
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// The place of a request in the table: under its scope and, while it is pending, in the lists of its user and its
// tenant.
const (
	sortPrefix = "approval#"
	sortEnd    = "approval$"
	indexClass = "approvals"
	timeLayout = "2006-01-02T15:04:05.000Z"
)

var idPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

// indexEntries returns the lists that a pending request is in.
func (r Request) indexEntries() []table.Entry {
	sort := r.Asked.Format(timeLayout) + "#" + r.ID
	tenant := table.Entry{Slot: table.I2, Level: scope.TenantLevel, Class: indexClass, Sort: sort}
	if r.Scope.UserID() == "" {
		return []table.Entry{tenant}
	}
	return []table.Entry{{Slot: table.I1, Level: scope.UserLevel, Class: indexClass, Sort: sort}, tenant}
}

// setAttributes writes the request into attr and keeps the other attributes there.
func (r Request) setAttributes(attr map[string]table.Value) {
	attr["tool"], attr["call"], attr["args"], attr["reason"] = r.Tool, r.Call, string(r.Args), r.Reason
	attr["status"], attr["asked"] = string(r.Status), r.Asked.Format(timeLayout)
	if r.Status != StatusPending {
		attr["by"], attr["note"], attr["decided"] = r.By, r.Note, r.Decided.Format(timeLayout)
	}
}

// parseItem reads the attributes that setAttributes writes. It rejects everything else, so that a foreign item approves
// nothing.
func parseItem(s scope.Scope, it table.Item) (Request, error) {
	malformed := false
	text := func(name string) string {
		v, ok := it.Attr[name].(string)
		malformed = malformed || !ok
		return v
	}
	moment := func(name string) time.Time {
		t, err := time.Parse(timeLayout, text(name))
		malformed = malformed || err != nil
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
	case StatusPending:
	case StatusApproved, StatusDeclined:
		r.By, r.Note, r.Decided = text("by"), text("note"), moment("decided")
	default:
		malformed = true
	}
	if malformed || !idPattern.MatchString(r.ID) || strictjson.Check(r.Args) != nil {
		return Request{}, fmt.Errorf("approval: the item %q %w", it.Sort, errForeign)
	}
	return r, nil
}
