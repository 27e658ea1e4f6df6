// Package admission bounds how many grants a user holds open.
//
//	g := admission.NewGrants(tb, 500)
//	err := g.Open(ctx, session, expires) // *FullError if all are open
//	…
//	err = g.Close(ctx, session) // the upload has arrived
//
// A grant is open until its upload arrives or it expires. Each takes one of the user's slots, an item in the table, so
// the limit holds across restarts and for any number of processes that share the table. A slot is put only where
// there is none, so two processes never take the same one.
//
// Opening costs one write as long as the user holds few grants. A session's id names four slots to try; if all of
// them are taken, one read of the user's slots says which are free, or that none is. Closing costs one read and one
// write, or one read more.
//
// The package owns the sort keys "grant#0000" to "grant#9999" in the partitions of users.
package admission
