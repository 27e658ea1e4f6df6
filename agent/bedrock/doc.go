// Package bedrock is an agent's [Model] over Amazon Bedrock's ConverseStream.
//
//	client := bedrockruntime.NewFromConfig(cfg)
//	model, err := bedrock.New(client, modelID, nil)
//	a, err := agent.New(model, &agent.Options{System: "…", Tools: set})
//
// A stream ends with its stop reason or with an error, never silently in between: the SDK reports a connection
// that was cut as a clean end, so [Model.Stream] insists on the messageStop event and on the end of every content
// block, and otherwise fails with [agent.CodeTruncated]. Silence is bounded by [Options.IdleTimeout], because the SDK
// sets no read timeout. Every failure is an [agent.ModelError] whose message may be shown to a user: it holds no
// text of the service's own, and so no ARN and no account id.
//
// A request is held against the service's rules before it is sent. What is merely loose is put into form: neighbours
// of one role become one message, results lead, blank text goes, documents get neutral names and a text beside them,
// and call ids that the service would refuse are replaced in the call and in its result.
// Optional fields that a model rejects can be left out: see [Options.NoResultStatus] and its neighbours.
// What can never be good is refused with [agent.CodeInvalidCall]: more or larger images, documents and videos than a request
// may hold, media that are not the user's, a choice of a tool that is not offered. [Model.Info] tells an agent the limits
// of a request, so that it applies them before: to a tool's result when it comes, and to what earlier turns have shown.
//
// Images, documents and videos are sent as bytes; an object is read through the request's Load, or, with
// [Options.S3Locations], named so that the service reads it. Reasoning streams as it comes, and goes back to the
// service with its signature in later requests; reasoning without one does not. Where the request asks for it
// ([agent.Request.Cache]), cache points stand after the tools, after the system prompt, and at the end of the last two
// messages of the user's.
//
// Structured output ([agent.Request.Output]) and strict tools are sent with their schema in the form that the service
// compiles: the bounds of numbers and the lengths of lists, which it rejects, move into descriptions. A schema that does
// not have such a form is refused with [agent.CodeInvalidCall], and so is structured output by a model that does not support
// it. The service's documentation lists the models that do; the list has changed for single models.
//
// With [Options.Citations] the model is asked to cite documents. Citations are passed on when their block ends, with the
// text of the block. A later request holds that text and not its citations: text is accepted by every model, and the
// index of a citation is that of a document in the request that was answered, so it is wrong once older turns have been
// left out.
//
// Give the client no global timeout: http.Client.Timeout (and the SDK's WithTimeout) counts the whole answer, and
// kills one that is still being written. The context and the idle timeout bound a stream instead.
//
// What it does not do: it retries nothing by itself. The client's own retryer covers the time before the answer
// starts; afterwards a failure is final, since text may have been shown already. Audio, prompts of Prompt
// management and tools that the service runs are not supported. Such pieces of an answer, and unknown ones, are
// reported as [agent.SkippedPart]; text and reasoning are passed on whatever comes before them.
//
// To try it without AWS, see the package bedrocktest. The file pitfalls_test.go lists what is known to go wrong between
// an agent and Converse, and the tests that show that it does not here.
package bedrock
