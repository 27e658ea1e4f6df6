package table

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/scope"
)

// The bounds of a query.
const (
	DefaultLimit = 100  // rows of a page where [Query.Limit] is 0
	MaxLimit     = 1000 // rows of a page at most
	MaxCount     = 1000 // at which [View.Count] stops

	// MaxExamined is the most rows that a [View.Count] looks at. Rows that
	// have expired or lie outside the scope are looked at and not counted.
	MaxExamined = 10_000
)

// Query says which items of a View, and in which order.
type Query struct {
	// Slot is the index to read; 0: the scope's own partition.
	Slot Slot
	// Class is the class of items to read in an index, at the View's own
	// level. Empty exactly where Slot is 0.
	Class string
	// From and To bound the sort key (in an index, the entry's): from From,
	// inclusive, to To, exclusive, by bytes. "": no bound. All keys with a
	// prefix that ends in "#" lie from "…#" to "…$".
	From, To string
	// Desc lists the greatest sort key first.
	Desc bool
	// Consistent asks for what the last write left. Only where Slot is 0;
	// an index may lag behind, on every driver.
	Consistent bool
	// Limit is the most items of a page, 1 to [MaxLimit]. Default: [DefaultLimit].
	Limit int
	// Cursor is a [Page]'s Next; "": the first page.
	Cursor string
}

// Found is an item of a page, and the scope that it lies under: the View's
// own, or in an index one that the View's contains. It is read-only if the
// View's is.
//
// An item of an index is what the index holds of it, and that may be a moment
// old. A store that charges for what an index holds (DynamoDB writes an item
// once more for each index that holds an attribute which changed) may be told
// to keep only some attributes there. Then the item has those, its expiry and
// its entry in that index; its Version is 0, so that it is not put back in
// this state by mistake: Get it first. An item of a narrower scope that cannot
// be read has no attributes here; whoever Gets it is told what is wrong.
type Found struct {
	Scope scope.Scope
	Item  Item
}

// Page is what a query found.
type Page struct {
	// Items are in the order of their sort keys. There may be fewer than the
	// limit, or none, on a page that is not the last.
	Items []Found
	// Next is the cursor of the next page: base64url without padding. "" on
	// the last page.
	Next string
}

// Query returns a page of items. It makes one call of the driver and looks at
// no more rows than the limit. Items that have expired are left out, and so are
// rows of an index that lie outside the scope; a page may therefore be short, or
// empty, and still have a Next. An item whose place does not change while the
// pages are read is listed exactly once.
//
// It returns [ErrQuery], [ErrConsistentIndex] or [ErrCursor] for an invalid query.
func (v *View) Query(ctx context.Context, q Query) (Page, error) {
	dq, err := v.driverQuery(q)
	if errors.Is(err, ErrCursor) {
		v.refused(ctx, err)
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
		s, ok := v.admit(q.Slot, r)
		switch {
		case !ok:
			foreign = append(foreign, r)
		case !r.Expired(now):
			page.Items = append(page.Items, Found{Scope: s, Item: itemOf(s, r)})
		}
	}
	if len(foreign) > 0 {
		v.refused(ctx, fmt.Errorf("table: query: rows of other scopes in an index: %d, the first of partition %q",
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

func (v *View) refused(ctx context.Context, err error) {
	if v.t.audit != nil {
		v.t.audit.Refused(ctx, scope.Refusal{Scope: v.s, Op: "table.Query", Err: err})
	}
}

// Count returns how many items a query would list over all its pages. capped
// reports that there may be more: Count stops at [MaxCount] items, or when it has
// looked at [MaxExamined] rows. Limit, Desc and Cursor must not be set.
func (v *View) Count(ctx context.Context, q Query) (n int, capped bool, err error) {
	if q.Limit != 0 || q.Cursor != "" || q.Desc {
		return 0, false, fmt.Errorf("%w: a count has no limit, cursor or order", ErrQuery)
	}
	dq, err := v.driverQuery(q)
	if err != nil {
		return 0, false, err
	}
	dq.CountOnly, dq.Limit = true, MaxCount+1
	page, err := v.t.d.Query(ctx, dq)
	if err != nil {
		return 0, false, fmt.Errorf("table: count: %w", err)
	}
	return min(page.Count, MaxCount), page.Count > MaxCount || page.More, nil
}

func (v *View) driverQuery(q Query) (DriverQuery, error) {
	dq := DriverQuery{Slot: q.Slot, From: q.From, To: q.To, Desc: q.Desc, Consistent: q.Consistent, Limit: q.Limit}
	if v == nil || v.t == nil {
		return dq, fmt.Errorf("%w: a View is made by Table.In", ErrScope)
	}
	dq.Key = Key{owner: v.s, partition: v.partition, system: v.system}
	switch {
	case q.Slot < 0 || q.Slot > I3:
		return dq, fmt.Errorf("%w: slot %d", ErrQuery, q.Slot)
	case q.Slot == 0 && q.Class != "":
		return dq, fmt.Errorf("%w: class %q without an index", ErrQuery, q.Class)
	case q.Slot != 0 && q.Consistent:
		return dq, ErrConsistentIndex
	case q.Slot != 0 && !v.system:
		p, err := v.s.Index(v.s.Level(), q.Class)
		if err != nil {
			return dq, fmt.Errorf("%w: %w", ErrQuery, err)
		}
		dq.Key.partition = p
	}
	for _, bound := range [...]string{q.From, q.To} {
		if err := checkBound(bound, ErrQuery); err != nil {
			return dq, err
		}
	}
	if q.To != "" && q.From >= q.To {
		return dq, fmt.Errorf("%w: nothing lies from %q to %q", ErrQuery, q.From, q.To)
	}
	switch {
	case q.Limit < 0 || q.Limit > MaxLimit:
		return dq, fmt.Errorf("%w: limit %d, want 1 to %d", ErrQuery, q.Limit, MaxLimit)
	case q.Limit == 0:
		dq.Limit = DefaultLimit
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

// admit returns whose a row is, and whether it may be shown here. IAM does
// not stop a writer from putting any index attribute on a row, and so does
// this recheck: what counts is the partition that the row is stored in.
func (v *View) admit(slot Slot, r Row) (scope.Scope, bool) {
	if slot == 0 {
		return v.s, r.Partition == v.partition
	}
	s, err := scope.ParsePartition(r.Partition)
	if v.s.RequireWrite() != nil && !v.system {
		s = s.ReadOnly() // callers open what they have found
	}
	return s, err == nil && (v.system || v.s.Contains(s))
}
