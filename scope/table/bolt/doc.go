// Package bolt stores the items of a table in a local file. It is a [table.Driver] on
// go.etcd.io/bbolt, for programs that run on one machine.
//
//	d, err := bolt.Open(dir)
//	defer d.Close()
//	t, err := table.New(d, nil)
//
// A write returns after the row and its index entries have been synced to the disk. A
// crash loses none of it and never stores a part of a write. Indexes do not lag.
//
// Concurrent writes share commits. A write that finds the file idle begins a transaction
// at once. Writes that arrive during its sync wait and share the next transaction, up to
// 96 of them, so throughput grows with up to 96 writers. After many transactions in a row,
// fewer than twelve concurrent writes wait up to 25 ms for more. A condition that does not
// hold, an error or a panic affects only its own write. If a commit fails, all its writes
// return the error. A write whose context ends while it waits is not stored; after its commit has
// begun, it may be stored or not.
//
// On Linux, pages of the file leave the resident set of the process after writes, so that this shows the memory of the
// program, and not the size of its file. They stay in the page cache, which the kernel shrinks when memory is short.
//
// Only one process can open the file: a second [Open] returns [ErrLocked].
//
// The package does not remove expired items by itself. They stay hidden until they are
// replaced, deleted or purged (see [table.System.Purge]). It does not support network
// file systems, whose locks and syncs are weaker.
package bolt
