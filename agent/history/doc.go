// Package history stores the turns of a conversation in a table, one item a turn.
//
// An agent takes its history as a value and returns a longer one. A [Store] keeps it between runs, and across
// processes:
//
//	turns, err := history.New(t, nil)
//	h, at, err := turns.Load(ctx, session, root)
//	… the run ends a turn …
//	err = turns.Append(ctx, session, at.Turns+1, turn, state)
//
// Turns are numbered from 1 and never replaced: [Store.Append] writes the next one on condition that it does not exist.
// Appending the same turn again succeeds, so a caller that did not get the answer can repeat it, and another turn with
// the same number is [ErrForked]. With each turn the [tools.State] after it is stored.
//
// A compaction replaces the turns up to a number for the model: [Store.Compact] stores its turns in a separate item,
// and [Store.Load] returns the newest compaction and the turns after it. The replaced turns remain for people, who read
// them with [Store.Page], newest first.
//
// A turn that does not fit an item is stored as an object in the same scope, if [Options].Objects is set.
//
// A conversation is kept until [Store.Delete], or for [Options].Retention after its newest turn if [Store.Clean] is
// called regularly.
//
// The package owns the sort keys "turn#<6 digits>", "compact#<6 digits>" and "history", and the class "history" of slot
// I3. It does not run agents, and does not decide who may append: package runner does.
package history
