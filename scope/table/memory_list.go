package table

import (
	"cmp"
	"slices"
	"time"
)

// list is the rows of one partition, of the base table or of an index, in
// order: by sort key, and in an index those of equal key by base key.
type list []entry

// entry is a row and the sort key that it has in this list.
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

func (l list) find(e entry) (i int, ok bool) {
	return slices.BinarySearchFunc(l, e, entry.compare)
}

func (l list) put(e entry) list {
	i, ok := l.find(e)
	if ok {
		l[i] = e
		return l
	}
	return slices.Insert(l, i, e)
}

func (l list) remove(e entry) list {
	i, ok := l.find(e)
	if !ok {
		return l
	}
	return slices.Delete(l, i, i+1)
}

// page cuts the query's page out of l.
func (l list) page(q DriverQuery, now time.Time) DriverPage {
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
		i, ok := l.find(entry{sort, &Row{Partition: p.Partition, Sort: p.Sort}})
		switch {
		case q.Desc:
			l = l[:i]
		case ok:
			l = l[i+1:]
		default:
			l = l[i:]
		}
	}
	var page DriverPage
	if q.CountOnly {
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
	n := min(q.Limit, len(l))
	page.More = n < len(l)
	page.Rows = make([]Row, n)
	for i := range n {
		e := l[i]
		if q.Desc {
			e = l[len(l)-1-i]
		}
		page.Rows[i] = e.row.Clone()
	}
	return page
}
