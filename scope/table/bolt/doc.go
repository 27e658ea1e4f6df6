// Package bolt keeps a table's items in one file on a local disk: a
// [table.Driver] on go.etcd.io/bbolt, for programs that run on one machine.
//
//	d, err := bolt.Open(dir)
//	defer d.Close()
//	t := table.New(d, nil)
//
// A write and its index entries are in the file and synced to the disk when the
// call returns. After a crash either all of a write is there or nothing of it;
// what was acknowledged is there. Indexes never lag.
//
// Concurrent writes share commits. A write that finds the file idle begins a
// transaction at once; those that arrive while it syncs wait and share the next
// one, so the number of writes a second grows with the number of writers and
// not with the speed of the disk alone. A condition that does not hold, an
// error or a panic affects its own write only. If a commit fails, all its
// writes return the error. A write whose context ends while it waits is not
// made; one whose commit has begun may have been made or not, so callers must
// treat the context's error as an unknown outcome, as with every
// [table.Driver].
//
// One process at a time has the file: a second [Open] returns [ErrLocked].
//
// The package does not remove expired items by itself. They stay hidden until
// they are replaced, deleted or purged (see [table.System.Purge]). It does not
// support network file systems, whose locks and syncs guarantee less.
package bolt
