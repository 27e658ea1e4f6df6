package bedrock

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

const (
	defaultIdleTimeout = 60 * time.Second
	defaultMaxTokens   = 4096
)

// Options for [New]; nil means all defaults. What the service would refuse in every request is refused by every
// [Model.Stream], before anything is sent.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
type Options struct {
	// IdleTimeout bounds the service's silence: the time from the call to the first event, and from each event to
	// the next. Time that the consumer of the stream takes does not count, the SDK's pauses between retries do, so
	// it should be longer than the client's longest back-off (20 s by the SDK's default).
	// Default 60 s; negative means no bound.
	IdleTimeout time.Duration

	// MaxTokens bounds an answer, in tokens, where the request does not. It is always sent, since the service
	// reserves its tokens-per-minute quota from it, and would otherwise reserve the model's maximum.
	// Default 4096.
	MaxTokens int

	// Temperature and TopP, from 0 to 1, choose among likely words. Default: the model's own.
	Temperature, TopP *float32

	// StopSequences end the answer where the model says one of them. Default none.
	StopSequences []string

	// CacheTTL is how long the service keeps what a request's cache points cover: "5m" or "1h". All points of a
	// request have the same. Default: the service's own, which is five minutes.
	CacheTTL string
	// NoCache is for a model without a prompt cache: a request's wish for one is ignored. Default: it is granted.
	NoCache bool
	// NoToolCache is for a model whose prompt cache does not take tools, such as Amazon Nova. Default: it does.
	NoToolCache bool

	// S3Locations is for a model that reads images and documents from S3 by itself: an object is then sent as its
	// place and not as its bytes, whose size the service bounds. The service reads what lies under the key at that
	// moment, with the credentials of the caller: a place cannot say which version a pinned Ref means. That the object
	// lies in the run's scope is checked by whoever makes the request, as the agent does.
	// Default: objects are read through the request's Load, and sent as bytes.
	S3Locations bool
	// BucketOwner is the account that must own the bucket, twelve digits. Default: not checked.
	BucketOwner string

	// Guardrail is applied to what goes in and to what comes out. Default none.
	Guardrail *Guardrail

	// AdditionalModelRequestFields is a JSON object of parameters that Converse has no name for, such as a budget for
	// thinking. Models that think refuse a request that forces a tool. Default none.
	AdditionalModelRequestFields json.RawMessage

	// Latency is "standard" or "optimized". Default: the service's own, standard.
	Latency string

	// ServiceTier is "priority", "default", "flex" or "reserved". Default: the service's own.
	ServiceTier string

	// Metadata is written to the service's invocation log beside each request. It is no place for secrets.
	// Default none.
	Metadata map[string]string
}

// Guardrail names a guardrail and its version.
type Guardrail struct{ ID, Version string }

var account = regexp.MustCompile(`^[0-9]{12}$`)

// check says why no request with these options and this model id can be good.
func (o *Options) check(id string) error {
	outside := func(p *float32) bool { return p != nil && !(*p >= 0 && *p <= 1) }
	switch {
	case id == "":
		return invalid("no model id")
	case isPrompt(id):
		// Such an id stands for a stored request, and forbids what every request of an agent has: a token limit,
		// tools, a system prompt.
		return invalid("%s is a prompt of Prompt management, which an agent cannot use", id)
	case o.MaxTokens > math.MaxInt32:
		return invalid("MaxTokens: %d are more than the service can count", o.MaxTokens)
	case outside(o.Temperature) || outside(o.TopP):
		return invalid("Temperature and TopP go from 0 to 1")
	case slices.Contains(o.StopSequences, ""):
		return invalid("StopSequences: an empty one")
	case !oneOf(o.CacheTTL, types.CacheTTL("").Values()):
		return invalid("CacheTTL: %q is neither 5m nor 1h", o.CacheTTL)
	case o.BucketOwner != "" && !account.MatchString(o.BucketOwner):
		return invalid("BucketOwner: %q is no account id", o.BucketOwner)
	case o.Guardrail != nil && (o.Guardrail.ID == "" || o.Guardrail.Version == ""):
		return invalid("Guardrail: it has no id or no version")
	case !oneOf(o.Latency, types.PerformanceConfigLatency("").Values()):
		return invalid("Latency: %q is neither standard nor optimized", o.Latency)
	case !oneOf(o.ServiceTier, types.ServiceTierType("").Values()):
		return invalid("ServiceTier: %q is none of %v", o.ServiceTier, types.ServiceTierType("").Values())
	}
	if o.AdditionalModelRequestFields != nil {
		if _, err := object(o.AdditionalModelRequestFields); err != nil {
			return invalid("AdditionalModelRequestFields: %w", err)
		}
	}
	return nil
}

// oneOf: s is empty, or one of the service's values.
func oneOf[T ~string](s string, values []T) bool { return s == "" || slices.Contains(values, T(s)) }

// isPrompt: arn:aws:bedrock:us-east-1:111122223333:prompt/ID:1
func isPrompt(id string) bool {
	p := strings.SplitN(id, ":", 6)
	return len(p) == 6 && p[0] == "arn" && strings.HasPrefix(p[5], "prompt/")
}

// clone makes the options the model's own.
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

// into writes what is the same in every request.
func (o *Options) into(in *bedrockruntime.ConverseStreamInput) {
	in.InferenceConfig.Temperature, in.InferenceConfig.TopP = o.Temperature, o.TopP
	in.InferenceConfig.StopSequences = o.StopSequences
	if o.Guardrail != nil {
		in.GuardrailConfig = &types.GuardrailStreamConfiguration{
			GuardrailIdentifier: aws.String(o.Guardrail.ID), GuardrailVersion: aws.String(o.Guardrail.Version),
		}
	}
	if o.AdditionalModelRequestFields != nil {
		in.AdditionalModelRequestFields = raw{json: o.AdditionalModelRequestFields}
	}
	if o.Latency != "" {
		in.PerformanceConfig = &types.PerformanceConfiguration{Latency: types.PerformanceConfigLatency(o.Latency)}
	}
	if o.ServiceTier != "" {
		in.ServiceTier = &types.ServiceTier{Type: types.ServiceTierType(o.ServiceTier)}
	}
	in.RequestMetadata = o.Metadata
}
