package tracking

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

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
	Next    string // cursor of the next page; empty on the last
}

// List returns a page of a user's or a tenant's records, newest first by
// session id. It is one index query a class, or a few where rows had to be
// dropped.
//
// Index queries are eventually consistent. Records that are made while a
// caller pages are newer than the first page and do not disturb the rest. A
// record that keeps its class is listed exactly once; one that changes it in
// the meantime may be missing, and is listed at most once. Session ids are
// taken to be unique within a tenant, as minted ones are.
//
// A cursor belongs to one scope and class: elsewhere, or altered, it is
// refused with [ErrInvalid].
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
	limit := f.Limit
	if limit == 0 {
		limit = defaultLimit
	}
	if limit < 1 || limit > maxLimit {
		return Page{}, invalid("a limit of %d, 1 to %d are possible", f.Limit, maxLimit)
	}
	before := ""
	if f.Cursor != "" {
		if before, err = parseCursor(f.Cursor, s, f.Class); err != nil {
			if t.audit != nil {
				t.audit.Refused(ctx, scope.Refusal{Scope: s, Op: "tracking.List", Err: err})
			}
			return Page{}, err
		}
	}
	var rows []Summary
	for _, class := range classes {
		// One more than asked for tells whether there is a next page.
		found, err := newest(ctx, view, table.Query{Slot: slot, Class: string(class), To: before, Desc: true}, limit+1)
		if err != nil {
			return Page{}, err
		}
		for _, f := range found {
			name, _ := f.Item.Attr["filename"].(string)
			rows = append(rows, Summary{Scope: f.Scope, Class: class, Filename: name})
		}
	}
	slices.SortStableFunc(rows, func(a, b Summary) int {
		if c := strings.Compare(b.Scope.SessionID(), a.Scope.SessionID()); c != 0 {
			return c
		}
		return strings.Compare(a.Scope.UserID(), b.Scope.UserID())
	})
	// A record that changes its class between two of the queries is found twice.
	rows = slices.CompactFunc(rows, func(a, b Summary) bool { return a.Scope == b.Scope })
	if len(rows) <= limit {
		return Page{Records: rows}, nil
	}
	rows = rows[:limit]
	return Page{Records: rows, Next: makeCursor(rows[limit-1].Scope.SessionID(), s, f.Class)}, nil
}

// newest returns the first n rows of a query, over as many pages as it takes:
// a page may be short of rows that did not belong to the scope.
func newest(ctx context.Context, view *table.View, q table.Query, n int) ([]table.Found, error) {
	var out []table.Found
	for {
		q.Limit = n - len(out)
		page, err := view.Query(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, f := range page.Items {
			if f.Scope.Level() == scope.SessionLevel && f.Item.Sort == metaSort {
				out = append(out, f)
			}
		}
		if page.Next == "" || len(out) >= n {
			return out, nil
		}
		q.Cursor = page.Next
	}
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
