package tracking

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/scope/table"
)

// maxScanPages is the most pages of a class that one call reads. Rows that do not
// match, rows of other scopes and expired rows are dropped from a page, and any
// writer may place any number of rows in any index.
const maxScanPages = 3

// position is the place at which the reading of a class continues. The zero
// position is after the last record that was listed.
type position struct {
	To     string `json:"to,omitempty"`     // the bound of the query to which the cursor belongs
	Cursor string `json:"cursor,omitempty"` // of the table; or endOfClass
}

// endOfClass is the cursor of a class that has been read to its end.
const endOfClass = "-"

type selection struct {
	before string             // a session id: only older records; empty: all
	match  func(Summary) bool // only records that match; nil: all
}

// lane is one class that is read page by page, from a position on.
type lane struct {
	start position
	query table.Query // of the next page
	rows  []Summary   // that were selected, in the order of the query
	seen  string      // the last record that was read, selected or not; empty: none
	pages int         // that were read
	asked int         // the number of rows of these pages
	ended bool        // the class has been read to its end
}

// newLane returns a lane of a class that starts at a position of a list, newest first.
func newLane(slot table.Slot, class Class, start position, before string) *lane {
	l := &lane{start: start, query: table.Query{Slot: slot, Class: string(class), To: before, Desc: true}}
	if start.Cursor == endOfClass {
		l.ended = true
	} else if start.Cursor != "" {
		l.query.To, l.query.Cursor = start.To, start.Cursor
	}
	return l
}

// canContinue reports whether this call may read another page.
func (l *lane) canContinue() bool { return !l.ended && l.pages < maxScanPages }

// hasDropped reports whether some rows were not selected.
func (l *lane) hasDropped() bool { return len(l.rows) < l.asked }

// readPage reads the next page, of n rows. If rows were dropped from the pages
// before, it is as large as possible.
func (l *lane) readPage(ctx context.Context, view *table.View, sel selection, n int) error {
	q := l.query
	if q.Limit = n; l.pages > 0 && l.hasDropped() {
		q.Limit = table.MaxLimit
	}
	page, err := view.Query(ctx, q)
	if err != nil {
		return err
	}
	for _, f := range page.Items {
		s, ok := decodeSummary(f, q)
		if !ok || sel.before != "" && s.Scope.SessionID() >= sel.before {
			continue
		}
		l.seen = s.Scope.SessionID()
		if sel.match == nil || sel.match(s) {
			l.rows = append(l.rows, s)
		}
	}
	l.pages++
	l.asked += q.Limit
	l.query.Cursor, l.ended = page.Next, page.Next == ""
	return nil
}

// nextPosition returns the position at which the reading continues after all records
// down to last (a session id; empty: none) have been listed.
func (l *lane) nextPosition(last string) position {
	switch n := len(l.rows); {
	case n > 0 && (last == "" || l.rows[0].Scope.SessionID() < last): // none of its records was listed
		return l.start
	case n > 0 && l.rows[n-1].Scope.SessionID() < last: // not all were
		return position{}
	case l.ended && l.start == position{} && l.pages == 1:
		return position{} // a short class is simply read again
	case l.ended:
		return position{Cursor: endOfClass}
	case !l.hasDropped():
		return position{}
	}
	return position{To: l.query.To, Cursor: l.query.Cursor}
}

// readLanes reads the lanes until it knows the limit newest records, or may not
// read on. It returns these records, and whether more may follow.
func readLanes(ctx context.Context, view *table.View, lanes []*lane, sel selection,
	limit int) (rows []Summary, more bool, err error) {
	n := limit + 1 // one more tells whether there is a next page
	first := n
	if len(lanes) > 1 {
		first = n/3 + 1 // most classes have a small part of the newest records
	}
	for _, l := range lanes {
		if l.canContinue() {
			if err := l.readPage(ctx, view, sel, first); err != nil {
				return nil, false, err
			}
		}
	}
	rows, last := mergeLanes(lanes)
	for len(rows) <= limit && last != nil && last.canContinue() {
		if err := last.readPage(ctx, view, sel, n); err != nil {
			return nil, false, err
		}
		rows, last = mergeLanes(lanes)
	}
	if len(rows) > limit {
		return rows[:limit], true, nil
	}
	return rows, last != nil, nil
}

// mergeLanes returns the newest records of all lanes. A lane that was not read to
// its end may have a record that comes next, so the records end at the last one
// that was read of each such lane. It returns the lane that ends them; nil: none.
func mergeLanes(lanes []*lane) (rows []Summary, last *lane) {
	for _, l := range lanes {
		rows = append(rows, l.rows...)
		if !l.ended && (last == nil || last.seen != "" && (l.seen == "" || l.seen > last.seen)) {
			last = l
		}
	}
	if last != nil && last.seen == "" {
		return nil, last
	}
	slices.SortStableFunc(rows, func(a, b Summary) int {
		return cmp.Or(strings.Compare(b.Scope.SessionID(), a.Scope.SessionID()),
			strings.Compare(a.Scope.UserID(), b.Scope.UserID()))
	})
	// A record that changes its class between two of the queries is found twice.
	rows = slices.CompactFunc(rows, func(a, b Summary) bool { return a.Scope == b.Scope })
	if last == nil {
		return rows, nil
	}
	if i := slices.IndexFunc(rows, func(s Summary) bool { return s.Scope.SessionID() < last.seen }); i >= 0 {
		rows = rows[:i]
	}
	return rows, last
}
