package trackingtools

import (
	"context"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tracking"
)

const defaultLimit = 20

type listIn struct {
	Status *string `json:"status" jsonschema:"only uploads in this state; all where absent" enum:"active,failed,success"`
	Limit  *int    `json:"limit" jsonschema:"how many at most; 20 where absent" min:"1" max:"50"`
	Cursor *string `json:"cursor" jsonschema:"next of the page before, as it stands; the newest where absent" minlen:"1"`
}

// List is the result of list_uploads: a page.
type List struct {
	Uploads []Row `json:"uploads"` // newest first; not nil
	// Next is the cursor of the next page; absent on the last.
	Next string `json:"next,omitempty"`
}

// Row is an upload in a [List].
type Row struct {
	ID       string         `json:"upload_id"`
	User     string         `json:"user_id,omitempty"` // whose it is, where the scope is a tenant's
	Filename string         `json:"filename,omitempty"`
	Status   tracking.Class `json:"status"`
	Created  string         `json:"created"` // RFC 3339 in UTC, to the second
}

// Summary implements [tools.Summarizer].
func (l List) Summary() string {
	n := fmt.Sprintf("%d uploads", len(l.Uploads))
	if len(l.Uploads) == 1 {
		n = "1 upload"
	}
	if l.Next != "" {
		n += ", and there are more"
	}
	return n
}

func (u uploads) list(ctx context.Context, c *tools.Call, in listIn) (List, error) {
	sc, err := scopeOf(c)
	if err != nil {
		return List{}, err
	}
	f := in.filter()
	if sc.Level() == scope.SessionLevel {
		return u.own(ctx, sc, f)
	}
	page, err := u.tracker.List(ctx, sc, f)
	if errors.Is(err, tracking.ErrInvalid) { // of what the schema lets through, only the cursor is left
		return List{}, foreignCursor()
	}
	if err != nil {
		return List{}, fmt.Errorf("trackingtools: %w", err)
	}
	out := List{Uploads: make([]Row, len(page.Records)), Next: page.Next}
	for i, r := range page.Records {
		out.Uploads[i] = row(sc, r)
	}
	return out, nil
}

// own lists the upload of a session, if it has one.
func (u uploads) own(ctx context.Context, sc scope.Scope, f tracking.Filter) (List, error) {
	if f.Cursor != "" {
		return List{}, foreignCursor()
	}
	out := List{Uploads: []Row{}}
	r, err := u.tracker.Get(ctx, sc)
	if errors.Is(err, tracking.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return List{}, fmt.Errorf("trackingtools: %w", err)
	}
	if f.Class == "" || f.Class == r.Class() {
		out.Uploads = append(out.Uploads, row(sc, tracking.Summary{Scope: r.Scope, Class: r.Class(), Filename: r.Filename}))
	}
	return out, nil
}

func (in listIn) filter() tracking.Filter {
	f := tracking.Filter{Limit: defaultLimit}
	if in.Status != nil {
		f.Class = tracking.Class(*in.Status)
	}
	if in.Limit != nil {
		f.Limit = *in.Limit
	}
	if in.Cursor != nil {
		f.Cursor = *in.Cursor
	}
	return f
}

func foreignCursor() error {
	return tools.Correct("cursor: it is not one of this list; take next as it stands, with the same status, or leave it out")
}

func row(sc scope.Scope, s tracking.Summary) Row {
	r := Row{ID: s.Scope.SessionID(), Filename: s.Filename, Status: s.Class, Created: moment(s.Scope.Time())}
	if sc.Level() == scope.TenantLevel {
		r.User = s.Scope.UserID()
	}
	return r
}
