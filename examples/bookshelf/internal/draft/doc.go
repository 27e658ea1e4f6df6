// Package draft combines the findings of an agent about a book with the edits of a person.
//
//	edits, err := store.Load(ctx, session)
//	d := draft.Merge(findings, edits)
//	fmt.Println(d.Metadata, d.Sources[book.Title]) // found, told or typed
//
// The agent's [Findings] are in the conversation. A person's edits are one item beside it, see [Store]. An edit is in
// force until the agent replaces it, which it may only if the person asks for it, see [Asks] and [Says].
//
// The package owns the sort key "draft" in the partition of a session. It does not decide whether a session still has a
// draft: package server does.
package draft
