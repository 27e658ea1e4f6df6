// Package approval asks a person before a tool's call runs.
//
// [Approvals.Require] returns middleware for tools that need approval. The first time that such a call is made, the
// middleware stores a pending [Request] under the call's scope and returns a [tools.PendingError]: the run ends with
// the call pending, and the tool does not run. Later, and usually in another process, the host lists the pending
// requests ([Approvals.List]), shows them to a person and records the decision ([Approvals.Decide]). When the run
// resumes from the checkpoint in its agent.Done, it makes the same call again with the same idempotency key. The call
// then runs, or the model receives the person's reason for declining it. The example Processes shows all steps.
//
//	approvals, err := approval.New(t, nil)
//	lend, err := tools.New("lend_book", "Lends a book out.", lend, approvals.Require(nil))
//
// A request is a record on the server, not a token in a browser or a conversation. Its id is the digest of everything
// that it is bound to: the scope, the idempotency key of the call (derived from run, turn, position, tool and
// arguments), the tool's name, and the arguments in canonical form. A decision applies to exactly that call. With other
// arguments, in another run, or if the model repeats the call, a new request is made.
//
// Requests are items with the sort key "approval#<id>". Everyone who can write to the table can decide. If the parts of
// a program have different IAM credentials (scope/credential), keep approvals in a separate table, out of reach of the
// credentials of a tracker or a tool.
//
// The package does not check who may decide: the host does. It does not wait for a decision. It does not make an
// approved call run only once: after a crash the same call may run again under the same idempotency key, and the tool
// must use that key to apply its effect once.
package approval
