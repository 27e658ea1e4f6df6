// Package bedrocktest runs a test server with the ConverseStream operation of Amazon Bedrock, so that code that calls
// it through the AWS SDK can run and be tested without AWS.
//
// A [Script] answers requests in order, one [Step] per request. [Front] serves any [agent.Model] over the protocol, for
// a demo or a conformance test. Use package agenttest instead if the code under test calls an agent, not Bedrock.
//
//	script := bedrocktest.NewScript(
//		bedrocktest.Throttled(),
//		bedrocktest.Reply(
//			bedrocktest.Text("Let me ", "look."),
//			bedrocktest.ToolUse("call-1", "look_up_book", `{"isbn":"97`, `80141439518"}`),
//		),
//	)
//	server := httptest.NewServer(script)
//	defer server.Close()
//	model, err := bedrock.New(bedrocktest.NewClient(server.URL), "any-model", nil)
//
// Each chunk of [Text], [Reasoning] and [ToolUse] is one event; it may end in the middle of a rune. [Interleave]
// interleaves blocks. [Cut], [Truncate], [Damaged], [Stall], [Exception] and [Event] break a stream; [Throttled],
// [Denied], [Fail], [Silent] and [Dropped] break a call.
//
// The server checks a request as the service does: the signature, the order of the messages, a result for every call,
// blank text, names, the formats, sizes and numbers of images, documents and videos, the places of reasoning and cache
// points, and the schemas of strict tools and of structured output. It answers an invalid request with the service's
// error, in the service's words if they are known. It refuses unsupported features, such as audio, in the same way. A
// signature is verified if its key is that of [NewClient]; every bearer token is accepted.
//
// The model id selects the rules of its maker if they are known: Claude does not read from S3, Nova does not accept
// documents in results, Llama cannot be forced to call a tool. An id without a known maker, such as "any-model", has
// only the rules of the service. An invalid id, such as "us.does-not-exist-model-v1:0", is refused. A comment names the
// source of each rule.
//
// The package does not count tokens, does not have a list of existing models, and does not decode images, videos or
// documents.
package bedrocktest
