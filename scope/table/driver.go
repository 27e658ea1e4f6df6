package table

import "context"

// Driver is a store of rows. It is safe for concurrent use. A method blocks
// until the store has answered, and returns early with the context's error
// where that ends first; a write may then have happened or not. An error
// other than those named below means that the outcome is unknown, or that
// nothing was done. After the driver's own Close, if it has one, every method
// returns an error.
//
// A store that is asked for too much, or is busy with the same row, answers
// with an error that wraps [ErrBusy].
//
// A driver keeps nothing of what it is handed and hands out nothing that it
// keeps: rows on both sides are the caller's to change. It refuses a Key
// without a partition with [ErrScope]. Keys sort by their bytes.
//
// What it is handed has been checked by this package. It stores each [Value]
// so that it comes back with its type; a store whose numbers do not tell 5
// from 5.0 needs a marker for the second. It stores expired rows like others
// and returns them, except where a condition or a count says otherwise.
type Driver interface {
	// Get returns the row as the last write left it: it is strongly
	// consistent. [ErrNotFound] where there is none.
	Get(ctx context.Context, k Key) (Row, error)
	// Put stores r under k where c holds, in one atomic step with its index
	// entries; otherwise it returns a *[RowConflictError]. The key alone says
	// where; r says the same.
	Put(ctx context.Context, k Key, r Row, c Cond) error
	// Query returns a page of the rows of the key's partition, or of an index.
	// A row of an index has at least its base key, its expiry, and its keys in
	// that index. Where an index does not hold whole rows, those in it have
	// Version 0. Where others than this package write to the store, a row of
	// an index that is stored outside the key's own scope ([Key.Within]) and
	// cannot be read is its keys: it must not hide the others.
	Query(ctx context.Context, q DriverQuery) (DriverPage, error)
	// Delete removes the row and its index entries where c holds; otherwise
	// it returns a *[RowConflictError].
	Delete(ctx context.Context, k Key, c Cond) error
}

// DriverQuery is what a driver is asked for.
type DriverQuery struct {
	Key        Key    // its partition: a base partition, or (Slot set) an index partition
	Slot       Slot   // 0: the base table
	From, To   string // sort keys from From, inclusive, to To, exclusive; "": no bound. From < To where both are set
	After      *Position
	Desc       bool
	Consistent bool // only where Slot is 0
	// CountOnly asks for no rows: Count is how many rows of the range have
	// not expired and have a base partition that Key contains ([Key.Contains],
	// [Key.Within]), counted up to Limit. The driver looks at [MaxExamined]
	// rows at most. After is nil.
	CountOnly bool
	Limit     int // at least 1: of the rows returned, or of the count
}

// Position is a row's place in an index or in a partition: where a page ended
// and the next goes on. It need not be that of a row that still exists. It
// lies within From and To.
type Position struct {
	Index           string // the sort key in the index; "" for the base table
	Partition, Sort string // the row's base key
}

// DriverPage is a page of rows in order of their sort keys in the index or
// partition; the order of equal keys in an index is the driver's, and stable.
type DriverPage struct {
	Rows  []Row
	Count int // with CountOnly
	// More is set if rows may follow. A page with More has rows, and the
	// last one is the position after which the next page goes on. It may have
	// fewer rows than the limit. With CountOnly, it is set if the count
	// stopped below the limit and before the end of the range.
	More bool
}
