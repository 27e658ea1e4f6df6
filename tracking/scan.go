package tracking

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/scope/table"
)

// maxScanPages is the most pages of a class that one call reads. Rows of other
// scopes and expired rows are dropped from a page, and any writer may place any
// number of rows in any index.
const maxScanPages = 3

// lane is one class of a list, read from a position on.
type lane struct {
	class Class
	start position
	rows  []Summary // newest first
	// stop is the position after the last row that was read, if the reading
	// ended at maxScanPages; otherwise zero. No record lies between the last of
	// rows and stop, but some may follow it.
	stop position
}

// position is the place at which the reading of a class continues. The zero
// position is after the last record that was listed.
type position struct {
	To     string `json:"to,omitempty"`     // the bound of the query to which the cursor belongs
	Cursor string `json:"cursor,omitempty"` // of the table; or endOfClass
}

// endOfClass is the cursor of a class that has been read to its end.
const endOfClass = "-"

// scanClass returns at least n records of a class that are older than before (a
// session id; empty: all), or fewer if the class ends or maxScanPages have been
// read. next is the cursor of the page that follows; empty at the end. The first
// page has n rows; if some had to be dropped, the next pages are as large as
// possible.
func scanClass(ctx context.Context, view *table.View, q table.Query, before string,
	n int) (rows []Summary, next string, err error) {
	q.Limit = min(n, table.MaxLimit)
	for range maxScanPages {
		page, err := view.Query(ctx, q)
		if err != nil {
			return nil, "", err
		}
		for _, f := range page.Items {
			if s, ok := decodeSummary(f, q); ok && (before == "" || s.Scope.SessionID() < before) {
				rows = append(rows, s)
			}
		}
		q.Cursor, q.Limit = page.Next, table.MaxLimit
		if page.Next == "" || len(rows) >= n {
			break
		}
	}
	return rows, q.Cursor, nil
}

// readRecords reads at least n records of the lane's class, for a page of a list.
func (l *lane) readRecords(ctx context.Context, view *table.View, slot table.Slot, before string, n int) error {
	if l.start.Cursor == endOfClass {
		return nil
	}
	q := table.Query{Slot: slot, Class: string(l.class), To: before, Desc: true}
	if l.start.Cursor != "" {
		q.To, q.Cursor = l.start.To, l.start.Cursor
	}
	rows, next, err := scanClass(ctx, view, q, before, n)
	l.rows = rows
	if next != "" && len(rows) < n {
		l.stop = position{To: q.To, Cursor: next}
	}
	return err
}

// nextPosition returns the position at which the reading continues after all records
// down to last (a session id; empty: none) have been listed.
func (l *lane) nextPosition(last string) position {
	switch n := len(l.rows); {
	case n > 0 && (last == "" || l.rows[0].Scope.SessionID() < last): // none of its records was listed
		return l.start
	case n > 0 && l.rows[n-1].Scope.SessionID() < last: // not all were
		return position{}
	case l.stop == (position{}) && l.start != position{}:
		return position{Cursor: endOfClass}
	}
	return l.stop
}

// mergeLanes returns the newest records of all lanes, at most limit, and whether
// more may follow. A lane that was not read to its end may have a record that
// comes next, so it stops at the last record of such a lane.
func mergeLanes(lanes []lane, limit int) (rows []Summary, more bool) {
	last := "" // of the records whose place is certain
	for _, l := range lanes {
		rows = append(rows, l.rows...)
		if l.stop == (position{}) {
			continue
		}
		if len(l.rows) == 0 {
			return nil, true
		}
		more = true
		last = max(last, l.rows[len(l.rows)-1].Scope.SessionID())
	}
	slices.SortStableFunc(rows, func(a, b Summary) int {
		return cmp.Or(strings.Compare(b.Scope.SessionID(), a.Scope.SessionID()),
			strings.Compare(a.Scope.UserID(), b.Scope.UserID()))
	})
	// A record that changes its class between two of the queries is found twice.
	rows = slices.CompactFunc(rows, func(a, b Summary) bool { return a.Scope == b.Scope })
	if i := slices.IndexFunc(rows, func(s Summary) bool { return s.Scope.SessionID() < last }); i >= 0 {
		rows = rows[:i]
	}
	if len(rows) > limit {
		rows, more = rows[:limit], true
	}
	return rows, more
}
