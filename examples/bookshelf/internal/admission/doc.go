// Package admission limits the open grants of each user.
//
//	g := admission.NewGrants(tb, 500)
//	err := g.Open(ctx, session, expires) // *FullError if all are open
//	…
//	err = g.Close(ctx, session) // the upload has arrived
//
// A grant is open until its upload arrives or it expires. Each takes one of the user's slots, an item in the table, so
// the limit holds across restarts and for any number of processes that share the table. A slot is only created, never
// overwritten, so two processes never take the same one.
//
// Opening costs one write if the user has few grants. A session's id names four slots to try. If all of them are taken,
// one read of the user's slots finds a free one. Closing costs one or two reads and one write.
//
// The package owns the sort keys "grant#0000" to "grant#9999" in the partitions of users.
package admission
