package approval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// ListOptions configures [Approvals.List]. A nil *ListOptions is valid.
type ListOptions struct {
	// Limit is the largest number of requests in a page, 1 to 100. Zero means 50.
	Limit int
	// Cursor is the Next of the previous page. If it is empty, the list starts with the oldest request.
	Cursor string
}

// Page is one page of a list.
type Page struct {
	// Requests are in order of Asked, oldest first.
	Requests []Request `json:"requests"`
	// Next is the cursor of the next page. It is empty on the last page.
	Next string `json:"next,omitempty"`
}

// List returns a page of the pending requests of s and of the scopes below it. A page may have fewer requests than the
// limit, or be empty, although another one follows. For a session and for shared data, List is one consistent query,
// and each page is in order. For a user and a tenant, it queries an index, oldest first, which may lag behind a little,
// and reads each request, so that decided ones are not listed.
func (a *Approvals) List(ctx context.Context, s scope.Scope, o *ListOptions) (Page, error) {
	view, err := a.table.In(s)
	if err != nil {
		return Page{}, fmt.Errorf("approval: list: %w", err)
	}
	if o == nil {
		o = &ListOptions{}
	}
	q := table.Query{Limit: cmp.Or(o.Limit, 50), Cursor: o.Cursor}
	if q.Limit < 1 || q.Limit > 100 {
		return Page{}, fmt.Errorf("%w: Limit is %d, must be 1 to 100", ErrInvalid, o.Limit)
	}
	switch s.Level() {
	case scope.TenantLevel:
		q.Slot, q.Class = table.I2, indexClass
	case scope.UserLevel:
		q.Slot, q.Class = table.I1, indexClass
	default:
		q.From, q.To, q.Consistent = sortPrefix, sortEnd, true
	}
	found, err := view.Query(ctx, q)
	if errors.Is(err, table.ErrCursor) {
		return Page{}, fmt.Errorf("%w: list: %w", ErrInvalid, err)
	}
	if err != nil {
		return Page{}, fmt.Errorf("approval: list: %w", err)
	}
	page := Page{Requests: []Request{}, Next: found.Next}
	for _, f := range found.Items {
		r, err := a.readFound(ctx, f, q.Slot != 0)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return Page{}, err
		}
		if r.Status == StatusPending {
			page.Requests = append(page.Requests, r)
		}
	}
	slices.SortStableFunc(page.Requests, func(a, b Request) int { return a.Asked.Compare(b.Asked) })
	return page, nil
}

// readFound returns the request of a row. A row of an index may be out of date or incomplete, so the item is read
// again.
func (a *Approvals) readFound(ctx context.Context, f table.Found, indexed bool) (Request, error) {
	if !indexed {
		return parseItem(f.Scope, f.Item)
	}
	id, ok := strings.CutPrefix(f.Item.Sort, sortPrefix)
	if !ok {
		return Request{}, ErrNotFound // a foreign row: every writer can write every index attribute of its items
	}
	return a.Get(ctx, f.Scope, id)
}
