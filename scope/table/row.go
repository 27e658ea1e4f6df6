package table

import "time"

// Row is an item as a [Driver] stores it.
type Row struct {
	Partition, Sort string
	Version         int64     // from 1
	Expires         time.Time // whole seconds, UTC; zero means never
	// Index contains for each slot the index partition and the sort key in it. Both are
	// empty if the row is not in that index.
	Index [slots][2]string
	Attr  map[string]Value // not nil; without reserved names
}

// Expired reports whether the row has expired at now.
func (r Row) Expired(now time.Time) bool {
	return !r.Expires.IsZero() && !r.Expires.After(now)
}

// Clone returns a deep copy of r.
func (r Row) Clone() Row {
	if r.Attr == nil {
		r.Attr = map[string]Value{}
		return r
	}
	r.Attr = cloneAttr(r.Attr)
	return r
}
