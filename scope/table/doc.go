// Package table stores items that live under a [scope.Scope]: small records
// with a version, written by conditional writes alone.
//
// A [Table] is a [Driver] with the rules that every store shares.
// [Table.In] gives a [View], which builds the keys of its own scope and no
// others:
//
//	t := table.New(table.NewMemory(nil), nil)
//	v, err := t.In(session)
//	it, err := v.Get(ctx, "meta")
//	it.Attr["status"] = "running"
//	it, err = v.Put(ctx, it, table.Version(it.Version))
//
// An [Item] has attributes ([Value] is the closed list of their types), an
// optional expiry and up to three index entries. There is no write without a
// [Cond]: a new item is put with [Absent], a changed one with the [Version]
// that was read. Where the condition does not hold, the [ConflictError] holds
// the item as it is now, so a caller decides without another read. A Put
// replaces all attributes; callers change the item that they read, and so
// attributes that they do not know survive.
//
// [View.Query] reads the scope's own partition, or one class of items in one
// of the three indexes at the scope's level. Rows that an index returns are
// rechecked: one whose base partition lies outside the scope is dropped, since
// whoever may write an item may write any index attribute into it. A cursor
// is a position and a digest of the query; the partition always comes from
// the View.
//
// A [System] works across scopes, for sweepers and recovery: it lists what was
// placed in a shard that belongs to no scope, and removes what has expired
// where the store does not. Handlers never hold one.
//
// [Memory] is the driver for tests and examples. Package bolt keeps the same
// items in a file, package dynamo in DynamoDB, and package tabletest is what
// every driver has to pass.
//
// What the package does not do: it has no scan, no unconditional write and no
// transaction over items, and it never retries. Expired items are hidden at
// once and removed later: by the store, or by [System.Purge].
package table
