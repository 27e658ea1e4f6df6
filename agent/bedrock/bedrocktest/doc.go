// Package bedrocktest serves the Converse wire protocol of Amazon Bedrock, so that code which calls Bedrock through
// the AWS SDK can run and be tested without AWS.
//
// [Front] puts any agent.Model behind the protocol. A [Script] plays given answers in order, one [Step] a request,
// and can misbehave in every way that the service and the network do:
//
//	script := bedrocktest.NewScript(
//		bedrocktest.Times(3, bedrocktest.Throttled()),
//		bedrocktest.Reply(
//			bedrocktest.Text("Let me ", "look."),
//			bedrocktest.ToolUse("call-1", "look_up_book", `{"isbn":"97`, `80141439518"}`),
//		),
//		bedrocktest.Reply(bedrocktest.Text("It is "), bedrocktest.Cut()),
//	)
//	server := httptest.NewServer(script)
//	model := bedrock.New(bedrocktest.NewClient(server.URL), "any-model", nil)
//
// Both serve POST /model/{id}/converse-stream and /model/{id}/converse for every model id, and both check a request
// as the service does (roles alternate, every call has its result, no text is blank, names keep their grammar) and
// answer ValidationException in the service's words, as far as they are known, when it is wrong. What they do not
// support, such as images, documents, reasoning or sampling parameters, they refuse in the same way and never
// ignore.
//
// What it does not do: it verifies no signature and no credentials, counts no tokens and knows no model's own
// limits.
package bedrocktest
