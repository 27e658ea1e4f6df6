// Package bedrock is an agent's [Model] over Amazon Bedrock's ConverseStream.
//
//	client := bedrockruntime.NewFromConfig(cfg)
//	model := bedrock.New(client, modelID, nil)
//	a, err := agent.New(model, &agent.Options{System: "…", Tools: set})
//
// A stream ends with its stop reason or with an error, never silently in between: the SDK reports a connection
// that was cut as a clean end, so [Model.Stream] insists on the messageStop event and on the end of every content
// block, and otherwise fails with [agent.Truncated]. Silence is bounded by [Options.IdleTimeout], because the SDK
// sets no read timeout. Every failure is an [agent.ModelError] whose message may be shown to a user: it holds no
// text of the service's own, and so no ARN and no account id.
//
// Give the client no global timeout: http.Client.Timeout (and the SDK's WithTimeout) counts the whole answer, and
// kills one that is still being written. The context and the idle timeout bound a stream instead.
//
// What it does not do: it retries nothing by itself. The client's own retryer covers the time before the answer
// starts; afterwards a failure is final, since text may have been shown already. Reasoning, images, documents and
// cache points are not sent, and reasoning in an answer is skipped.
//
// To try it without AWS, see the package bedrocktest.
package bedrock
