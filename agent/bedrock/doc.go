// Package bedrock lets an agent use a model of Amazon Bedrock: it implements [agent.Model] with the ConverseStream
// operation.
//
// Use it with a client of the AWS SDK and the id of a model or of an inference profile. To try it without AWS, see the
// package bedrocktest.
//
//	client := bedrockruntime.NewFromConfig(cfg)
//	model, err := bedrock.New(client, modelID, nil)
//	a, err := agent.New(model, &agent.Options{System: "…", Tools: set})
//
// A stream ends with its stop reason or with an error. The SDK reports a connection that was cut as a clean end, so
// [Model.Stream] requires the messageStop event and the end of every content block; otherwise it fails with
// [agent.CodeTruncated]. [Options.IdleTimeout] bounds silence, because the SDK does not set a read timeout. Every
// failure is an [agent.ModelError] whose message may be shown to a user: it does not contain the service's text, and
// therefore does not contain ARNs or account ids.
//
// A request is checked against the service's rules before it is sent. The package adapts requests that follow only the
// agent's looser rules: neighbouring messages of one role are merged, results come first, blank text is dropped,
// documents get neutral names and an accompanying text, and call ids that the service would refuse are replaced in the
// call and in its result. Other requests fail with [agent.CodeInvalidCall], for example too many or too large files.
// [Model.Info] reports the limits, so that an agent applies them earlier. Optional fields that a model rejects can be
// left out: see [Options.NoResultStatus] and the options beside it.
//
// Images, documents and videos are sent as bytes; an object is read through the request's Load, or, with
// [Options.S3Locations], named so that the service reads it. Reasoning is streamed, and is sent back with its signature
// in later requests; reasoning without a signature is not. If the request asks for caching ([agent.Request.Cache]),
// cache points follow the tools, the system prompt, and the user's last two messages.
//
// The service compiles the schemas of structured output ([agent.Request.Output]) and of strict tools. It rejects the
// bounds of numbers and the lengths of lists, so they move into descriptions. A schema without such a form fails with
// [agent.CodeInvalidCall], as does structured output with a model that does not support it.
//
// With [Options.Citations] the model is asked to cite documents. Citations are passed on when their block ends, with
// the text of the block. A later request contains that text without its citations, because the index of a citation
// counts the documents of an earlier request.
//
// Do not give the client a global timeout: http.Client.Timeout (and the SDK's WithTimeout) includes the whole answer,
// and interrupts an answer that is still being written. The context and the idle timeout bound a stream instead.
//
// The package does not retry. The client's retryer covers the time before the answer starts; afterwards a failure is
// final, because text may have been shown already. Audio, prompts of Prompt management and tools that the service runs
// are not supported. Such parts of an answer, and unknown ones, are reported as [agent.SkippedPart]; text and reasoning
// are always passed on.
package bedrock
