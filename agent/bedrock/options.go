package bedrock

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

const (
	defaultIdleTimeout = 60 * time.Second
	defaultMaxTokens   = 4096
)

// Options configures a [Model]. A nil *Options means all defaults. [New] checks every field against the service's
// rules.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
type Options struct {
	// IdleTimeout bounds the silence of the service: the time from the call to the first event, and from each event to
	// the next. It includes the SDK's pauses between retries, so it should be longer than the client's longest back-off
	// (20 s by default). It excludes the time that the consumer of the stream takes.
	// Zero means 60 s; negative means no bound.
	IdleTimeout time.Duration

	// MaxTokens is the largest size of an answer in tokens, for requests that do not set one. The service reserves its
	// tokens-per-minute quota from it, so a limit is always sent. A limit that does not exceed the thinking budget in
	// AdditionalModelRequestFields is added to that budget, because the service requires more than the budget.
	// Zero means 4096.
	MaxTokens int

	// Temperature and TopP, from 0 to 1, control sampling. With Anthropic's thinking, the service accepts only a
	// Temperature of 1 and a TopP of at least 0.95. Nil means the model's default.
	Temperature, TopP *float32

	// StopSequences end the answer when the model writes one of them: at most 2,500, none of them blank.
	// Empty means none.
	StopSequences []string

	// CacheTTL is how long the service keeps the content before a cache point: "5m" or "1h". All cache points of a
	// request have the same TTL. Empty means the service's default of five minutes.
	CacheTTL string
	// NoCache is for a model without a prompt cache: it ignores [agent.Request.Cache].
	NoCache bool
	// NoToolCache is for a model whose prompt cache does not support tools, such as Amazon Nova.
	NoToolCache bool
	// NoResultCache is for a model whose prompt cache does not support messages with tool results, such as Amazon Nova.
	NoResultCache bool

	// NoResultDocuments is for a model that rejects documents in tool results, such as Amazon Nova. A document is then
	// sent beside the results, in the same message, and the result names it.
	NoResultDocuments bool
	// NoResultStatus is for a model that rejects the field status in tool results, such as Writer Palmyra. The text of
	// a failed result then begins with "Error:".
	NoResultStatus bool
	// NoToolChoice is for a model that rejects the field toolChoice. The model then decides whether it calls a tool,
	// whatever [agent.Request.Choice] says. It is implied if AdditionalModelRequestFields enables thinking, because the
	// service rejects a forced tool in such a request.
	NoToolChoice bool
	// NoStrict is for a model that rejects the field strict in tools: [tools.Spec].Strict is then ignored.
	NoStrict bool
	// NoSystem is for a model that rejects the field system. The system prompt is then sent as the beginning of the
	// first message.
	NoSystem bool

	// Citations asks the model to cite the documents that it is shown, which Anthropic Claude does: see
	// [agent.CitationPart]. PDF files and texts (txt, md, csv, html) can be cited, but only all documents of a request
	// or none. A request with a document of another format, or for structured output, is therefore sent without
	// citations.
	Citations bool

	// S3Locations is for a model that reads images and documents from S3. Objects are then sent as locations, not as
	// bytes, and the service reads the current version of the key with the caller's credentials; a location cannot name
	// the version of a pinned Ref. The caller of Stream must check that an object is in the run's scope, as the agent
	// does. By default objects are read through [agent.Request.Load] and sent as bytes.
	S3Locations bool
	// BucketOwner is the account id, twelve digits, that must own the bucket. Empty means that it is not checked.
	BucketOwner string

	// Guardrail is applied to the input and to the answer. Nil means none.
	Guardrail *Guardrail

	// AdditionalModelRequestFields is a JSON object of model parameters that Converse does not define, such as
	// {"thinking":{"type":"enabled","budget_tokens":2048}}. Such thinking is left out of a request that continues with
	// the results of calls that the model made without it, because the service would reject it. Nil means none.
	AdditionalModelRequestFields json.RawMessage

	// Latency is "standard" or "optimized". Empty means the service's default, standard.
	Latency string

	// ServiceTier is "priority", "default", "flex" or "reserved". Empty means the service's default.
	ServiceTier string

	// Metadata is written to the service's invocation log with each request, so it must not hold secrets: at most 16
	// pairs, with keys of 1 to 256 and values of 0 to 256 characters out of letters, digits, white space and
	// : _ @ $ # = / + , - . (ASCII only). Empty means none.
	Metadata map[string]string
}

// Guardrail identifies a guardrail by its id or ARN, and its version: a number or "DRAFT".
type Guardrail struct{ ID, Version string }

// withDefaults returns a copy of valid options in which zero values are replaced.
func (o *Options) withDefaults() Options {
	c := o.clone()
	if c.IdleTimeout == 0 {
		c.IdleTimeout = defaultIdleTimeout
	}
	if c.MaxTokens == 0 {
		c.MaxTokens = defaultMaxTokens
	}
	return c
}

func (o Options) clone() Options {
	o.StopSequences = slices.Clone(o.StopSequences)
	o.AdditionalModelRequestFields = bytes.Clone(o.AdditionalModelRequestFields)
	o.Metadata = maps.Clone(o.Metadata)
	for _, p := range []**float32{&o.Temperature, &o.TopP} {
		if *p != nil {
			*p = aws.Float32(**p)
		}
	}
	if o.Guardrail != nil {
		g := *o.Guardrail
		o.Guardrail = &g
	}
	return o
}

// apply writes the parameters of every request.
func (o *Options) apply(in *bedrockruntime.ConverseStreamInput) {
	in.InferenceConfig.Temperature, in.InferenceConfig.TopP = o.Temperature, o.TopP
	in.InferenceConfig.StopSequences = o.StopSequences
	if o.Guardrail != nil {
		in.GuardrailConfig = &types.GuardrailStreamConfiguration{
			GuardrailIdentifier: aws.String(o.Guardrail.ID), GuardrailVersion: aws.String(o.Guardrail.Version),
		}
	}
	if o.AdditionalModelRequestFields != nil {
		in.AdditionalModelRequestFields = rawDocument{json: o.AdditionalModelRequestFields}
	}
	if o.Latency != "" {
		in.PerformanceConfig = &types.PerformanceConfiguration{Latency: types.PerformanceConfigLatency(o.Latency)}
	}
	if o.ServiceTier != "" {
		in.ServiceTier = &types.ServiceTier{Type: types.ServiceTierType(o.ServiceTier)}
	}
	if len(o.Metadata) > 0 { // the service rejects an empty map
		in.RequestMetadata = o.Metadata
	}
}
