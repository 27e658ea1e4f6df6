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
//	model, err := bedrock.New(bedrocktest.NewClient(server.URL), "any-model", nil)
//
// Both serve POST /model/{id}/converse-stream and /model/{id}/converse for every model id, and both check a request
// as the service does: that it is signed, and with the key of [NewClient] that the signature is right; that roles
// alternate, every call has its result and no text is blank; the names of tools and documents; the kinds, sizes and
// numbers of images and documents; where reasoning and cache points may stand; the schemas of strict tools and of
// structured output. When it is wrong they answer the service's error, in the service's words as far as they are known,
// and [Strict] fails the test with it. What is not supported, such as audio, is refused in the same way and never
// ignored.
//
// [Split] and [Chunks] cut texts and arguments at any byte, and [Interleave] plays blocks side by side; [Cut], [Torn],
// [Truncate], [Damaged], [Stall], [Exception], [Error] and [Event] break a stream, and [Throttled], [Denied], [Fail],
// [Silent] and [Dropped] a call.
//
// The model id decides which rules of single makers apply, as far as they are known: Claude reads nothing from S3, Nova
// takes no document as a result, Llama cannot be forced to call a tool. An id that says nothing about its maker, such as
// a name that a test made up ("any-model"), has only the rules that hold for all models. An id that cannot be a model's,
// such as "us.does-not-exist-model-v1:0", is refused. Each rule has its source in a comment.
//
// What it does not do: it counts no tokens, has no list of the models that exist, and looks into no image, video or
// document.
package bedrocktest
