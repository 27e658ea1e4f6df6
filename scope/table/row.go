package table

import "time"

// Row is an item as a [Driver] stores it.
type Row struct {
	Partition, Sort string
	Version         int64     // from 1
	Expires         time.Time // zero: never. Whole seconds, UTC
	// Index holds, per slot, the index partition and the sort key in it; both
	// empty where the row is not in that index.
	Index [slots][2]string
	Attr  map[string]Value // not nil; holds none of the reserved names
}

// Expired reports whether the row's expiry has come.
func (r Row) Expired(now time.Time) bool {
	return !r.Expires.IsZero() && !r.Expires.After(now)
}

// Clone returns a copy that shares no memory with r.
func (r Row) Clone() Row {
	if r.Attr == nil {
		r.Attr = map[string]Value{}
		return r
	}
	r.Attr = cloneAttr(r.Attr)
	return r
}
