// Package bolt keeps a table's items in one file on a local disk: a
// [table.Driver] on go.etcd.io/bbolt, for programs that run on one machine.
//
//	d, err := bolt.Open(dir)
//	defer d.Close()
//	t := table.New(d, nil)
//
// A write is in the file, synced, when it returns, together with its index
// entries: after a crash there is all of it or nothing. Indexes never lag. One
// process at a time has the file: a second [Open] is [ErrLocked].
//
// What the package does not do: it removes no expired items by itself (they stay
// hidden until they are replaced, deleted or purged, see [table.System.Purge]),
// and it is not for network file systems, whose locks and syncs promise less.
package bolt
