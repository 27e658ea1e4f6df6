package table

import "context"

// Driver is a store of rows. Programs use it through a [Table], which checks all
// arguments before it calls a driver.
//
// A driver is safe for concurrent use. Each method blocks until the store has answered,
// or returns the context's error if the context has ended or ends first. A write may then
// have been stored or not. Every other error that is not documented here also leaves the
// outcome unknown. After the driver's Close method, if it has one, every method returns an
// error.
//
// A driver must
//   - return an error that wraps [ErrBusy] if the store is overloaded or works on the
//     same row;
//   - return an error that wraps [scope.ErrDenied] for a Key without a partition;
//   - return an error for a query with an unknown Slot, or with Slot and Consistent;
//   - copy rows in both directions: the caller may change them;
//   - order sort keys by their bytes;
//   - keep the type of each [Value]: 5 and 5.0 differ;
//   - store and return expired rows like others. Only conditions and counts skip them.
type Driver interface {
	// Get returns the row as of the last write (strongly consistent), or
	// [ErrNotFound].
	Get(ctx context.Context, k Key) (Row, error)
	// Put stores r under k if c holds, in one atomic step with the index entries.
	// Otherwise it returns a *[RowConflictError]. The partition and sort key of r are
	// those of k.
	Put(ctx context.Context, k Key, r Row, c Cond) error
	// Query returns a page of rows of the key's partition, or of an index.
	//
	// A row of an index has at least its base key, its expiry and its keys in that
	// index. If the index does not contain whole rows, Version is 0. A row of an index
	// that lies below the key's own scope (see [Key.Within]) and cannot be read is
	// returned with its keys only, so that it does not hide other rows.
	Query(ctx context.Context, q DriverQuery) (DriverPage, error)
	// Delete removes the row and its index entries if c holds. Otherwise it returns a
	// *[RowConflictError].
	Delete(ctx context.Context, k Key, c Cond) error
}

// DriverQuery is a [Query] as a driver receives it.
type DriverQuery struct {
	Key  Key  // a base partition or, if Slot is set, an index partition
	Slot Slot // 0 for the base table
	// From and To limit the sort keys: from From, inclusive, to To, exclusive. ""
	// means no limit. From is less than To if both are set.
	From, To   string
	After      *Position // the end of the previous page, or nil
	Desc       bool
	Consistent bool // only if Slot is 0
	// CountOnly asks for a count instead of rows: of the rows in the range that have
	// not expired and whose base partition Key contains (see [Key.Contains] and
	// [Key.Within]), up to Limit. The driver examines at most [MaxExamined] rows.
	// After is nil.
	CountOnly bool
	Limit     int // of rows, or of the count; at least 1
}

// Position is the place of a row in an index or a partition, where a page ended. It
// lies within From and To. The row may have been deleted since.
type Position struct {
	Index           string // the sort key in the index, or "" for the base table
	Partition, Sort string // the row's base key
}

// DriverPage is a page of rows, ordered by their sort keys in the index or partition.
// Rows with equal keys in an index have a stable order that the driver chooses.
type DriverPage struct {
	Rows  []Row
	Count int // only for CountOnly
	// More is set if rows may follow. Then Rows is not empty, though it may be shorter
	// than the limit, and the next page starts after its last row. For CountOnly, More
	// is set if the count stopped below the limit and before the end of the range.
	More bool
}
