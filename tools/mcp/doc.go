// Package mcp connects tools to the Model Context Protocol (https://modelcontextprotocol.io): [Serve] offers a
// [tools.Set] to the agents of other programs, and [Import] makes the tools of another server a Set. It is a separate
// module, over the protocol's Go SDK.
//
//	set := tools.Of(find, read, lend)
//	h, err := mcp.Serve(set, &mcp.ServeOptions{Objects: bucket, Approvals: approvals})
//	mux.Handle("/mcp", verifier.Middleware(h)) // package oidc
//
//	remote, err := mcp.Import(ctx, "https://weather.example/mcp", &mcp.ImportOptions{Prefix: "weather_"})
//	defer remote.Close()
//	a, err := agent.New(model, &agent.Options{Tools: set.With(remote.Tools())})
//
// Use it when people work with your service from an agent that they already have, or when your agent needs the tools of
// somebody else's server.
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
// # Imported tools
//
// An imported tool keeps the rules of [tools.FromSchema], so it cannot ask for an identity, and its name cannot take
// the place of a local one: see [Import] and [Remote.Tools]. Its server is not trusted. A response is cut off at
// ImportOptions.MaxResult while it is read, calls and lists are bounded in time, and a bad answer does not affect other
// calls. Redirects are not followed, and requests of the server are ignored.
//
// Results are data. The texts of a result are values of one JSON object that names the server, the summary does not
// repeat them, and links are not followed. The author of an agent must still expect a model to follow instructions that
// it reads there, or in a description: give an agent with tools of strangers no tool that a person would not let them
// use, and guard effects by approvals. Numbers in structured content have the precision of float64.
//
// The package does not run OAuth flows, does not use sessions, sampling, roots or the old HTTP+SSE transport, and does
// not speak over stdio.
package mcp
