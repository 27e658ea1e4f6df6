package trackingtools

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tracking"
)

const defaultLimit = 20

type listInput struct {
	Status string `json:"status,omitempty" jsonschema:"list only uploads with this status; default: all" enum:"active,waiting,failed,success"`
	Limit  int    `json:"limit,omitempty" jsonschema:"the largest number of uploads to return; default: 20" min:"1" max:"50"`
	Cursor string `json:"cursor,omitempty" jsonschema:"copy next of the previous page, unchanged; default: start at the newest upload" minlen:"1"`
}

// uploadPage is the result of list_uploads.
type uploadPage struct {
	Uploads []uploadRow `json:"uploads"` // newest first; not nil
	// Next is the cursor of the next page. It is absent on the last page.
	Next string `json:"next,omitempty"`
}

type uploadRow struct {
	ID       string            `json:"upload_id"`
	User     string            `json:"user_id,omitempty"` // only in a tenant's scope
	Filename string            `json:"filename,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"` // set by the application, for example a title
	Status   tracking.Class    `json:"status"`
	Created  string            `json:"created"` // RFC 3339 in UTC, to the second
}

// Summary implements [tools.Summarizer].
func (l uploadPage) Summary() string {
	n := fmt.Sprintf("%d uploads", len(l.Uploads))
	if len(l.Uploads) == 1 {
		n = "1 upload"
	}
	if l.Next != "" {
		n += ", and there are more"
	}
	return n
}

func (u uploads) listUploads(ctx context.Context, c *tools.Call, in listInput) (uploadPage, error) {
	sc, err := scopeOf(c)
	if err != nil {
		return uploadPage{}, err
	}
	f := tracking.Filter{Class: tracking.Class(in.Status), Limit: cmp.Or(in.Limit, defaultLimit), Cursor: in.Cursor}
	if sc.Level() == scope.SessionLevel {
		return u.listOwn(ctx, sc, f)
	}
	page, err := u.tracker.List(ctx, sc, f)
	if errors.Is(err, tracking.ErrInvalid) { // the schema checks everything but the cursor
		return uploadPage{}, correctCursor()
	}
	if err != nil {
		return uploadPage{}, fmt.Errorf("trackingtools: %w", err)
	}
	out := uploadPage{Uploads: make([]uploadRow, len(page.Records)), Next: page.Next}
	for i, r := range page.Records {
		out.Uploads[i] = newRow(sc, r)
	}
	return out, nil
}

func (u uploads) listOwn(ctx context.Context, sc scope.Scope, f tracking.Filter) (uploadPage, error) {
	if f.Cursor != "" {
		return uploadPage{}, correctCursor()
	}
	out := uploadPage{Uploads: []uploadRow{}}
	r, err := u.tracker.Get(ctx, sc)
	if errors.Is(err, tracking.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return uploadPage{}, fmt.Errorf("trackingtools: %w", err)
	}
	if f.Class == "" || f.Class == r.Class() {
		out.Uploads = append(out.Uploads, newRow(sc, r.Summary()))
	}
	return out, nil
}

func correctCursor() error {
	return tools.Correct("cursor: not a cursor of this list; copy `next` of the previous page unchanged and keep the " +
		"same status, or leave cursor out")
}

func newRow(sc scope.Scope, s tracking.Summary) uploadRow {
	r := uploadRow{
		ID: s.Scope.SessionID(), Filename: s.Filename, Labels: s.Labels, Status: s.Class, Created: formatTime(s.Scope.Time()),
	}
	if sc.Level() == scope.TenantLevel {
		r.User = s.Scope.UserID()
	}
	return r
}
