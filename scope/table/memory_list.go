package table

import (
	"cmp"
	"slices"
	"time"
)

// list contains the rows of one partition of the base table or of an index, ordered by
// sort key and then by base key.
type list []entry

// entry is a row with its sort key in a list.
type entry struct {
	sort string
	row  *Row
}

func (e entry) compare(o entry) int {
	return cmp.Or(
		cmp.Compare(e.sort, o.sort),
		cmp.Compare(e.row.Partition, o.row.Partition),
		cmp.Compare(e.row.Sort, o.row.Sort),
	)
}

func (l list) findEntry(e entry) (i int, ok bool) {
	return slices.BinarySearchFunc(l, e, entry.compare)
}

func (l list) putEntry(e entry) list {
	i, ok := l.findEntry(e)
	if ok {
		l[i] = e
		return l
	}
	return slices.Insert(l, i, e)
}

func (l list) removeEntry(e entry) list {
	i, ok := l.findEntry(e)
	if !ok {
		return l
	}
	return slices.Delete(l, i, i+1)
}

// selectPage returns a page of the query, or its count.
func (l list) selectPage(q DriverQuery, now time.Time) DriverPage {
	l = l.selectRange(q)
	if q.CountOnly {
		return l.countRows(q, now)
	}
	n := min(q.Limit, len(l))
	page := DriverPage{Rows: make([]Row, n), More: n < len(l)}
	for i := range n {
		e := l[i]
		if q.Desc {
			e = l[len(l)-1-i]
		}
		page.Rows[i] = e.row.Clone()
	}
	return page
}

// selectRange returns the entries from From to To and after After.
func (l list) selectRange(q DriverQuery) list {
	bySort := func(e entry, sort string) int { return cmp.Compare(e.sort, sort) }
	if q.To != "" {
		i, _ := slices.BinarySearchFunc(l, q.To, bySort)
		l = l[:i]
	}
	i, _ := slices.BinarySearchFunc(l, q.From, bySort)
	l = l[i:]
	if p := q.After; p != nil {
		sort := p.Sort
		if q.Slot != 0 {
			sort = p.Index
		}
		i, ok := l.findEntry(entry{sort, &Row{Partition: p.Partition, Sort: p.Sort}})
		switch {
		case q.Desc:
			l = l[:i]
		case ok:
			l = l[i+1:]
		default:
			l = l[i:]
		}
	}
	return l
}

func (l list) countRows(q DriverQuery, now time.Time) DriverPage {
	var page DriverPage
	for i, e := range l {
		if page.Count == q.Limit {
			break
		}
		if page.More = i == MaxExamined; page.More {
			break
		}
		if !e.row.Expired(now) && q.Key.Contains(e.row.Partition) {
			page.Count++
		}
	}
	return page
}
