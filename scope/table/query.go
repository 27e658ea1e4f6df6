package table

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/scope"
)

// Limits of a query.
const (
	MaxLimit    = 1000   // items of a page
	MaxExamined = 10_000 // rows that [View.Count] examines, counted or not

	defaultLimit = 100
	maxCount     = 1000
)

// Query selects items of a View.
type Query struct {
	// Slot is the index to read. Zero means the scope's own partition.
	Slot Slot
	// Class is the class of items to read in an index, at the View's level. It is
	// required with Slot and must be empty otherwise.
	Class string
	// From and To limit the sort keys (of an index, the entry's), compared by bytes:
	// from From, inclusive, to To, exclusive. "" means no limit. For all keys with the
	// prefix "x#", use "x#" and "x$".
	From, To string
	// Desc lists the greatest sort key first.
	Desc bool
	// Consistent reads the state after the last write. It is invalid with Slot: an
	// index may lag behind.
	Consistent bool
	// Limit is the maximum number of items of a page, at most [MaxLimit]. Zero means 100.
	Limit int
	// Cursor is the Next of the previous [Page], or "" for the first page.
	Cursor string
}

// Found is an item of a page with its scope: the View's scope or, in an index, a scope
// that it contains. The scope is read-only if the View's is.
//
// An item of an index is a copy that may be slightly old. A store that charges for
// index writes, such as DynamoDB, can be configured to copy only some attributes. Then
// the item has only these attributes, its expiry and its entry in that index. Its
// Version is 0, so it cannot be put back by mistake: Get it first.
//
// An item of a narrower scope that cannot be read is listed without attributes. Get
// returns the error.
type Found struct {
	Scope scope.Scope
	Item  Item
}

// Page is a page of a query's items.
type Page struct {
	// Items are ordered by their sort keys. There may be fewer than the limit, or none,
	// even if the page is not the last.
	Items []Found
	// Next is the cursor of the next page, in base64url without padding, or "" on the
	// last page.
	Next string
}

// Query returns a page of items. It calls the driver once and examines at most Limit
// rows. It leaves out expired items and rows of an index that lie outside the scope, so
// a page may be short or empty and still have a Next. An item whose place does not
// change while the pages are read is listed exactly once.
//
// Query returns [ErrInvalid] for an invalid query and [ErrCursor] for an invalid cursor.
func (v *View) Query(ctx context.Context, q Query) (Page, error) {
	dq, err := v.newDriverQuery(q)
	if errors.Is(err, ErrCursor) {
		v.reportRefusal(ctx, err)
	}
	if err != nil {
		return Page{}, err
	}
	rows, err := v.t.d.Query(ctx, dq)
	if err != nil {
		return Page{}, fmt.Errorf("table: query: %w", err)
	}
	var page Page
	now := time.Now()
	var foreign []Row
	for _, r := range rows.Rows {
		s, ok := v.ownerOf(q.Slot, r)
		switch {
		case !ok:
			foreign = append(foreign, r)
		case !r.Expired(now):
			page.Items = append(page.Items, Found{Scope: s, Item: decodeItem(s, r)})
		}
	}
	if len(foreign) > 0 {
		v.reportRefusal(ctx, fmt.Errorf("table: query: %d rows of other scopes in an index, the first in partition %q",
			len(foreign), foreign[0].Partition))
	}
	if !rows.More {
		return page, nil
	}
	if len(rows.Rows) == 0 {
		return Page{}, errors.New("table: query: the driver returned an empty page that is not the last")
	}
	last := rows.Rows[len(rows.Rows)-1]
	p := Position{Partition: last.Partition, Sort: last.Sort}
	if q.Slot != 0 {
		p.Index = last.Index[q.Slot-1][1]
	}
	page.Next = v.encodeCursor(q, p)
	return page, nil
}

func (v *View) reportRefusal(ctx context.Context, err error) {
	if v.t.audit != nil {
		v.t.audit.Refused(ctx, scope.Refusal{Scope: v.s, Op: "table.Query", Err: err})
	}
}

// Count returns the number of items on all pages of a query. It stops at 1,000 items,
// or after [MaxExamined] rows; then capped is true and there may be more. Limit, Desc
// and Cursor must not be set.
func (v *View) Count(ctx context.Context, q Query) (n int, capped bool, err error) {
	if q.Limit != 0 || q.Cursor != "" || q.Desc {
		return 0, false, fmt.Errorf("%w: a count must not have Limit, Cursor or Desc", errQuery)
	}
	dq, err := v.newDriverQuery(q)
	if err != nil {
		return 0, false, err
	}
	dq.CountOnly, dq.Limit = true, maxCount+1
	page, err := v.t.d.Query(ctx, dq)
	if err != nil {
		return 0, false, fmt.Errorf("table: count: %w", err)
	}
	return min(page.Count, maxCount), page.Count > maxCount || page.More, nil
}

func (v *View) newDriverQuery(q Query) (DriverQuery, error) {
	dq := DriverQuery{Slot: q.Slot, From: q.From, To: q.To, Desc: q.Desc, Consistent: q.Consistent, Limit: q.Limit}
	if v == nil || v.t == nil {
		return dq, newDeniedError("the View was not made by Table.In")
	}
	dq.Key = Key{owner: v.s, partition: v.partition, system: v.system}
	switch {
	case q.Slot < 0 || q.Slot > I3:
		return dq, fmt.Errorf("%w: slot %d: must be 0, I1, I2 or I3", errQuery, q.Slot)
	case q.Slot == 0 && q.Class != "":
		return dq, fmt.Errorf("%w: class %q without an index slot", errQuery, q.Class)
	case q.Slot != 0 && q.Consistent:
		return dq, fmt.Errorf("%w: an index cannot be read consistently", errQuery)
	case q.Slot != 0 && !v.system:
		p, err := v.s.Index(v.s.Level(), q.Class)
		if err != nil {
			return dq, fmt.Errorf("%w: %w", errQuery, err)
		}
		dq.Key.partition = p
	}
	for _, bound := range [...]string{q.From, q.To} {
		if err := checkBound(bound, errQuery); err != nil {
			return dq, err
		}
	}
	if q.To != "" && q.From >= q.To {
		return dq, fmt.Errorf("%w: empty range from %q to %q", errQuery, q.From, q.To)
	}
	switch {
	case q.Limit < 0 || q.Limit > MaxLimit:
		return dq, fmt.Errorf("%w: limit %d: must be 0 to %d", errQuery, q.Limit, MaxLimit)
	case q.Limit == 0:
		dq.Limit = defaultLimit
	}
	if q.Cursor == "" {
		return dq, nil
	}
	p, err := v.decodeCursor(q)
	if err != nil {
		return dq, err
	}
	dq.After = &p
	return dq, nil
}

// ownerOf returns the scope of a row and reports whether the view may show it. IAM does
// not restrict the index attributes that a writer puts on its rows, so only the base
// partition of a row proves its owner.
func (v *View) ownerOf(slot Slot, r Row) (scope.Scope, bool) {
	if slot == 0 {
		return v.s, r.Partition == v.partition
	}
	s, err := scope.ParsePartition(r.Partition)
	if v.s.RequireWrite() != nil && !v.system {
		s = s.ReadOnly() // callers open the scopes that they find
	}
	return s, err == nil && (v.system || v.s.Contains(s))
}
