// Package approval lets a person decide whether a tool's call runs, before it does.
//
// [Approvals.Require] is middleware for tools that must be asked for. The first time that such a call is made, a
// pending [Request] is recorded under the call's scope and the call ends with a [tools.PendingError]: the run ends
// with the call pending, and nothing has run. Later, elsewhere, by another process, a host lists what is pending
// ([Approvals.List]), shows it to a person and records the decision ([Approvals.Decide]). When the run is resumed from
// the checkpoint of its agent.Done, it makes the same call again, with the same idempotency key. The call then runs, or
// gives the model the person's reason for declining. The example Processes shows all of it.
//
//	approvals, err := approval.New(t, nil)
//	lend, err := tools.New("lend_book", "Lends a book out.", lend, approvals.Require(nil))
//
// A request is a record on the server, not a token that travels through a browser or a conversation. Its id is the
// digest of what it is bound to: the scope, the idempotency key of the call (which stands for run, turn, position, tool
// and arguments), the tool's name, and the arguments in canonical form. A decision counts for exactly that call: with
// other arguments, in another run, or made once more by the model, it is asked for anew.
//
// Everyone who can write to the table can decide. If the parts of a program have different IAM credentials
// (scope/credential), keep approvals in a table of their own, so that the credentials of a tracker or a tool don't
// reach them.
//
// What the package does not do: it does not know who may decide, which is the host's to check; it does not wait; and
// it does not make an approved call happen only once. After a crash the same call may run again under the same
// idempotency key, by which the tool's own effect is to be made once.
package approval
