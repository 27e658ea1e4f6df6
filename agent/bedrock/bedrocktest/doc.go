// Package bedrocktest serves the Converse wire protocol of Amazon Bedrock, so that code which calls Bedrock through
// the AWS SDK can run and be tested without AWS.
//
// [Front] serves any [agent.Model] over the protocol. A [Script] answers requests in order, one [Step] per request, and
// can simulate the failures of the service and the network:
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
//	model, err := bedrock.New(bedrocktest.NewClient(server.URL), "any-model", nil)
//
// Both serve POST /model/{id}/converse-stream and /model/{id}/converse for every model id, and both check a request as
// the service does: the signature, which is verified for the key of [NewClient]; alternating roles; a result for every
// call; blank text; the names of tools and documents; the formats, sizes and numbers of images and documents; the
// places of reasoning and cache points; the schemas of strict tools and of structured output. An invalid request is
// answered with the service's error, in the service's words as far as they are known, and [Strict] fails the test with
// it. Unsupported features, such as audio, are refused in the same way.
//
// [Split] and [Chunks] cut texts and arguments at any byte, and [Interleave] interleaves blocks. [Cut], [Torn],
// [Truncate], [Damaged], [Stall], [Exception], [Error] and [Event] break a stream; [Throttled], [Denied], [Fail],
// [Silent] and [Dropped] break a call.
//
// The model id selects the rules of its maker, as far as they are known: Claude does not read from S3, Nova does not
// accept documents in results, Llama cannot be forced to call a tool. An id without a known maker, such as "any-model",
// has only the rules of the service. An invalid id, such as "us.does-not-exist-model-v1:0", is refused. A comment names
// the source of each rule.
//
// The package does not count tokens, does not have a list of existing models, and does not decode images, videos or
// documents.
package bedrocktest
