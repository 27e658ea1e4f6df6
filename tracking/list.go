package tracking

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// Filter of [Tracker.List].
type Filter struct {
	Class  Class  // empty: all three
	Limit  int    // rows of a page, 1 to 100; 0 is 50
	Cursor string // Page.Next of the page before; empty: from the newest
}

// Summary is a record's row in a list: what its index entries say. It may be a
// moment old; [Tracker.Get] has the truth.
type Summary struct {
	Scope    scope.Scope // the session
	Class    Class
	Filename string
}

// Status returns the status that the class gives; an active record's is
// IN_PROGRESS.
func (s Summary) Status() Status {
	switch s.Class {
	case Success:
		return StatusSuccess
	case Failed:
		return StatusFailed
	}
	return StatusInProgress
}

// MarshalJSON gives {upload_id, user_id, filename, created_at, current_status}.
func (s Summary) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		UploadID  string `json:"upload_id"`
		UserID    string `json:"user_id"`
		Filename  string `json:"filename"`
		CreatedAt string `json:"created_at"`
		Status    Status `json:"current_status"`
	}{s.Scope.SessionID(), s.Scope.UserID(), s.Filename, stamp(s.Scope.Time()), s.Status()})
}

// Page is a part of a list.
type Page struct {
	Records []Summary
	Next    string // cursor of the next page, which may follow a short page; empty on the last
}

// List returns a page of a user's or a tenant's records, newest first by
// session id. It makes one index query for each class, and at most three if rows
// had to be dropped because they have expired or lie outside the scope.
//
// A page may have fewer records than the limit, or none, and still have a Next,
// if so many rows were dropped that the call stopped. The next page continues
// there.
//
// Index queries are eventually consistent. Records that are made while a
// caller pages are newer than the first page and do not disturb the rest. A
// record that keeps its class is listed exactly once; one that changes it in
// the meantime may be missing, and is listed at most once. Session ids are
// assumed to be unique within a tenant, as minted ones are.
//
// A cursor belongs to one scope and class. List returns [ErrInvalid] if it is
// used elsewhere or was altered.
func (t *Tracker) List(ctx context.Context, userOrTenant scope.Scope, f Filter) (Page, error) {
	p, err := t.list(ctx, userOrTenant, f)
	return p, opError("list", err)
}

const (
	defaultLimit = 50
	maxLimit     = 100
)

func (t *Tracker) list(ctx context.Context, s scope.Scope, f Filter) (Page, error) {
	view, slot, err := t.index(s)
	if err != nil {
		return Page{}, err
	}
	classes, err := f.classes()
	if err != nil {
		return Page{}, err
	}
	limit := cmp.Or(f.Limit, defaultLimit)
	if limit < 1 || limit > maxLimit {
		return Page{}, invalid("a limit of %d, 1 to %d are possible", f.Limit, maxLimit)
	}
	from, err := parseCursor(f.Cursor, s, f.Class, len(classes))
	if err != nil {
		if t.audit != nil {
			t.audit.Refused(ctx, scope.Refusal{Scope: s, Op: "tracking.List", Err: err})
		}
		return Page{}, err
	}
	lanes := make([]lane, len(classes))
	for i, class := range classes {
		lanes[i] = lane{class: class, start: from.lanes[i]}
		// One more than the limit tells whether there is a next page.
		err := lanes[i].read(ctx, view, slot, from.before, limit+1)
		if errors.Is(err, table.ErrCursor) { // reported by the table
			return Page{}, invalid(foreignCursor)
		}
		if err != nil {
			return Page{}, err
		}
	}
	rows, more := merge(lanes, limit)
	if !more {
		return Page{Records: rows}, nil
	}
	if len(rows) > 0 {
		from.before = rows[len(rows)-1].Scope.SessionID()
	}
	for i, l := range lanes {
		from.lanes[i] = l.next(from.before)
	}
	return Page{Records: rows, Next: from.encode(s, f.Class)}, nil
}

func (f Filter) classes() ([]Class, error) {
	switch f.Class {
	case "":
		return []Class{Active, Failed, Success}, nil
	case Active, Failed, Success:
		return []Class{f.Class}, nil
	}
	return nil, invalid("class %q", f.Class)
}

// index returns the view and the index that list the scope's records.
func (t *Tracker) index(s scope.Scope) (*table.View, table.Slot, error) {
	if err := s.Require(scope.UserLevel, scope.TenantLevel); err != nil {
		return nil, 0, err
	}
	slot := table.I1
	if s.Level() == scope.TenantLevel {
		slot = table.I2
	}
	view, err := t.table.In(s)
	return view, slot, err
}
