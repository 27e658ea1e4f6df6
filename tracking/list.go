package tracking

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// Filter selects the records of [Tracker.List].
type Filter struct {
	Class  Class  // default: all classes
	Limit  int    // rows of a page, 1 to 100; default: 50
	Cursor string // Next of the previous page; default: start at the newest

	// Match selects the records that are listed, for example by a text. It is
	// called once for each row that was read. Default: all records.
	Match func(Summary) bool
}

// Page is a page of a list. Its JSON is {"records": […], "next": "…"}: records
// is never null, and next is absent on the last page.
type Page struct {
	Records []Summary `json:"records"`
	Next    string    `json:"next,omitempty"` // cursor of the next page; empty on the last page
}

// MarshalJSON encodes a page without records as an empty array.
func (p Page) MarshalJSON() ([]byte, error) {
	type plain Page
	if p.Records == nil {
		p.Records = []Summary{}
	}
	return json.Marshal(plain(p))
}

// List returns a page of a user's or a tenant's records, newest first by
// session id. It makes one index query for each class, and one more for a class with
// most of the newest records. It makes up to three for a class whose rows have
// partly expired, lie outside the scope or do not match. These read at most 2,101
// rows.
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
// A cursor belongs to one scope and class, with any Match. List returns
// [ErrInvalid] if it is used elsewhere or was altered.
func (t *Tracker) List(ctx context.Context, userOrTenant scope.Scope, f Filter) (Page, error) {
	p, err := t.listPage(ctx, userOrTenant, f)
	return p, opError("list", err)
}

const (
	defaultLimit = 50
	maxLimit     = 100
)

func (t *Tracker) listPage(ctx context.Context, s scope.Scope, f Filter) (Page, error) {
	view, slot, err := t.indexView(s)
	if err != nil {
		return Page{}, err
	}
	classes, err := f.selectClasses()
	if err != nil {
		return Page{}, err
	}
	limit := cmp.Or(f.Limit, defaultLimit)
	if limit < 1 || limit > maxLimit {
		return Page{}, invalidError("limit %d: must be from 1 to %d", f.Limit, maxLimit)
	}
	from, err := parseCursor(f.Cursor, s, f.Class, len(classes))
	if err != nil {
		if t.audit != nil {
			t.audit.Refused(ctx, scope.Refusal{Scope: s, Op: "tracking.List", Err: err})
		}
		return Page{}, err
	}
	lanes := make([]*lane, len(classes))
	for i, class := range classes {
		lanes[i] = newLane(slot, class, from.Lanes[i], from.Before)
	}
	rows, more, err := readLanes(ctx, view, lanes, selection{before: from.Before, match: f.Match}, limit)
	if errors.Is(err, table.ErrCursor) { // reported by the table
		return Page{}, invalidError(foreignCursor)
	}
	if err != nil {
		return Page{}, err
	}
	if !more {
		return Page{Records: rows}, nil
	}
	if len(rows) > 0 {
		from.Before = rows[len(rows)-1].Scope.SessionID()
	}
	for i, l := range lanes {
		from.Lanes[i] = l.nextPosition(from.Before)
	}
	return Page{Records: rows, Next: from.encode(s, f.Class)}, nil
}

func (f Filter) selectClasses() ([]Class, error) {
	switch {
	case f.Class == "":
		return allClasses, nil
	case slices.Contains(allClasses, f.Class):
		return []Class{f.Class}, nil
	}
	return nil, invalidError("class %.64q: must be empty or one of %q", f.Class, allClasses)
}

// indexView returns the view and the index that list the records of the scope.
func (t *Tracker) indexView(s scope.Scope) (*table.View, table.Slot, error) {
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
