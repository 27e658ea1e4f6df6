// Package mcp connects tools to the Model Context Protocol (https://modelcontextprotocol.io): [Serve] offers a
// [tools.Set] to the agents of other programs. It is a separate module, over the protocol's Go SDK.
//
//	set := tools.Of(find, read, lend)
//	h, err := mcp.Serve(set, &mcp.ServeOptions{Objects: bucket, Approvals: approvals})
//	mux.Handle("/mcp", verifier.Middleware(h)) // package oidc
//
// Use it when people work with your service from an agent that they already have.
//
// # Callers
//
// The verified token of each request names its scope. Sessions are not used: nothing is kept from one request to the
// next, and any process can answer. A request without a scope is rejected. One server answers all callers, with the
// tools and the schemas that an agent has. A [tools.Dynamic] set can choose tools by the roles in oidc.FromContext.
//
// A call's [tools.State] is empty, because it does not belong to a conversation. Tools that keep handles there, such as
// those of objecttools, do not find them in the next call: serve objects as resources instead.
//
// # Resources
//
// With ServeOptions.Objects, the objects of the caller's scope can be listed and read. Their URIs are relative to the
// caller and name neither a tenant nor a user:
//
//	object://own/report.csv           an object of the user
//	object://session/018f…/cover.jpg  of one of the user's sessions
//	object://shared/list.csv          of the tenant's shared data, with ServeOptions.Shared
//
// An object that does not exist, one of another caller and an invalid URI get the same answer. An object in a tool's
// result becomes a link to its resource.
//
// # Approvals
//
// A call of a tool with [approval.Approvals.Require] ends with a result that asks for input: an elicitation form for
// the person at the client. Its requestState is the id of the approval and a nonce. The client repeats the call with
// the state and the person's answer. The approval is looked up under the caller's scope, and fits only the same call:
// with another tool, other arguments or by another user the state is rejected.
//
// The answer itself lets nothing run. If ServeOptions.MayDecide allows it, the answer is recorded as the decision of
// that approval. Otherwise the form only says that somebody else must decide, and the call runs when they have. A
// decision stands, whatever a client sends later.
//
// A client must support form elicitation and protocol version 2026-07-28. For others the call fails, and no approval is
// requested.
//
// # Results and failures
//
// JSON that a tool returns is sent as text, and as structured content if it is the only JSON of the result. A
// [tools.CorrectionError], the message of a [tools.FatalError], and "The tool failed." for everything else are results
// with isError set. The causes go to ServeOptions.Logger. Progress ([tools.Call.Progress]) is sent to a client that
// asks for it.
//
// A client that disconnects cancels its call, in every version of the protocol. Since a client that loses its
// connection repeats the call as a new one, a tool with an effect should recognise repetitions by its arguments: the
// idempotency key is new in each call, except for the repetition of a call that waited for an approval.
//
// # HTTP statuses
//
//   - 200: the answer to a message, as an event stream, also if the call has failed
//   - 400: an invalid message or a batch, and errors of the protocol from version 2026-07-28 on
//   - 401: a request without a scope; 403: the name of another host on a loopback address
//   - 405: every method but POST; 413: a body above ServeOptions.MaxBody; 429: too many requests in flight
//
// The package does not run OAuth flows, does not use sessions, sampling, roots or the old HTTP+SSE transport, and does
// not speak over stdio.
package mcp
