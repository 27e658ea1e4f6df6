// Package librarytools contains the tools that let a model work with the accepted books of its user.
//
//	set, err := librarytools.Tools(books, approvals)
//	…
//	a, err := agent.New(model, &agent.Options{System: librarytools.System, Tools: set})
//	for ev, err := range a.Stream(librarytools.WithSharing(ctx, shared), in) { … }
//
// [Tools] returns four tools:
//
//   - list_books lists the user's books and those that the tenant shares, newest first: [Books].
//   - search_books finds them by title, author or ISBN: [Books].
//   - read_book returns one book: [BookDetail].
//   - share_book shares one version of the user's own book with the tenant, after a person has approved it: [Shared].
//
// The books are those of the call's scope: a user, or a session, which stands for its user. Shared books are visible if
// the call has the tenant's shared scope, see [tools.Call.Shared]. A book of others and a book that does not exist give
// the same answer.
//
// The right to share does not come from the model, and not from the call either: its shared scope is read-only. The
// host puts it into the context of the run with [WithSharing], for a caller who has it. Without it, share_book fails
// before anybody is asked. It is checked again when the approved call is made.
package librarytools
