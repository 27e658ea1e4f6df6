package bedrock

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// The limits and patterns of the service's own model of ConverseStreamRequest.
// Source: https://github.com/boto/botocore/tree/develop/botocore/data/bedrock-runtime/2023-09-30
const (
	maxModelID       = 2048
	maxStopSequences = 2500
	maxMetadata      = 16
	maxMetadataText  = 256 // characters of a key, and of a value
	maxGuardrailID   = 2048
)

var (
	accountPattern   = regexp.MustCompile(`^[0-9]{12}$`)
	metadataPattern  = regexp.MustCompile(`^[a-zA-Z0-9\s:_@$#=/+,\-.]*$`)
	guardrailPattern = regexp.MustCompile(`^([a-z0-9]+|arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:guardrail/[a-z0-9]+)$`)
	versionPattern   = regexp.MustCompile(`^([1-9][0-9]{0,7}|DRAFT)$`)
)

// invalidOption returns an error about the field name of the Options.
func invalidOption(name, format string, args ...any) error {
	return fmt.Errorf("bedrock: invalid "+name+" "+format, args...)
}

func checkID(id string) error {
	switch {
	case id == "":
		return fmt.Errorf("bedrock: the model id must not be empty")
	case len(id) > maxModelID:
		return fmt.Errorf("bedrock: the model id has %d characters: at most %d are allowed", len(id), maxModelID)
	case isPrompt(id):
		// Such an id names a stored request, and forbids fields that every request of an agent has: a token limit,
		// tools and a system prompt.
		return fmt.Errorf("bedrock: %s is a prompt of Prompt management, which an agent cannot use", id)
	}
	return nil
}

// isPrompt reports whether id is the ARN of a prompt, such as arn:aws:bedrock:us-east-1:111122223333:prompt/ID:1.
func isPrompt(id string) bool {
	p := strings.SplitN(id, ":", 6)
	return len(p) == 6 && p[0] == "arn" && strings.HasPrefix(p[5], "prompt/")
}

// check returns an error if the service would reject every request with these options.
func (o *Options) check() error {
	for _, check := range [...]func() error{
		o.checkInference, o.checkEnums, o.checkGuardrail, o.checkMetadata, o.checkFields,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	if o.BucketOwner != "" && !accountPattern.MatchString(o.BucketOwner) {
		return invalidOption("BucketOwner", "%q: must be an account id of twelve digits", o.BucketOwner)
	}
	return nil
}

func (o *Options) checkInference() error {
	if o.MaxTokens < 0 || o.MaxTokens > math.MaxInt32 {
		return invalidOption("MaxTokens", "%d: must be from 0 to %d", o.MaxTokens, math.MaxInt32)
	}
	for _, p := range []struct {
		name  string
		value *float32
	}{{"Temperature", o.Temperature}, {"TopP", o.TopP}} {
		if p.value != nil && !(*p.value >= 0 && *p.value <= 1) { // also false for NaN
			return invalidOption(p.name, "%v: must be from 0 to 1", *p.value)
		}
	}
	if len(o.StopSequences) > maxStopSequences {
		return invalidOption("StopSequences", "of length %d: at most %d are allowed", len(o.StopSequences), maxStopSequences)
	}
	for _, s := range o.StopSequences {
		if isBlank(s) { // the service rejects "", and Anthropic's models every blank one
			return invalidOption("StopSequences", "element %q: must not be blank", s)
		}
	}
	return nil
}

func (o *Options) checkEnums() error {
	switch {
	case !isOneOf(o.CacheTTL, types.CacheTTL("").Values()):
		return invalidOption("CacheTTL", "%q: must be one of %v", o.CacheTTL, types.CacheTTL("").Values())
	case !isOneOf(o.Latency, types.PerformanceConfigLatency("").Values()):
		return invalidOption("Latency", "%q: must be one of %v", o.Latency, types.PerformanceConfigLatency("").Values())
	case !isOneOf(o.ServiceTier, types.ServiceTierType("").Values()):
		return invalidOption("ServiceTier", "%q: must be one of %v", o.ServiceTier, types.ServiceTierType("").Values())
	}
	return nil
}

// isOneOf reports whether s is empty or one of the service's values.
func isOneOf[T ~string](s string, values []T) bool { return s == "" || slices.Contains(values, T(s)) }

func (o *Options) checkGuardrail() error {
	switch g := o.Guardrail; {
	case g == nil:
	case len(g.ID) > maxGuardrailID || !guardrailPattern.MatchString(g.ID):
		return invalidOption("Guardrail.ID", "%q: must be an id of lower-case letters and digits, or an ARN", g.ID)
	case !versionPattern.MatchString(g.Version):
		return invalidOption("Guardrail.Version", "%q: must be a number or DRAFT", g.Version)
	}
	return nil
}

func (o *Options) checkMetadata() error {
	if len(o.Metadata) > maxMetadata {
		return invalidOption("Metadata", "of %d pairs: at most %d are allowed", len(o.Metadata), maxMetadata)
	}
	for k, v := range o.Metadata {
		switch {
		case k == "" || len(k) > maxMetadataText || !metadataPattern.MatchString(k):
			return invalidOption("Metadata", "key %q: must be 1 to %d characters of %s", k, maxMetadataText, metadataPattern)
		case len(v) > maxMetadataText || !metadataPattern.MatchString(v):
			return invalidOption("Metadata", "value %q of the key %q: must be at most %d characters of %s",
				v, k, maxMetadataText, metadataPattern)
		}
	}
	return nil
}

// checkFields checks AdditionalModelRequestFields, and the options that thinking excludes.
func (o *Options) checkFields() error {
	if o.AdditionalModelRequestFields == nil {
		return nil
	}
	if err := checkObject(o.AdditionalModelRequestFields); err != nil {
		return fmt.Errorf("bedrock: invalid AdditionalModelRequestFields: %w", err)
	}
	t := readThinking(o.AdditionalModelRequestFields)
	switch {
	case t.enabled && t.forcesTool:
		return invalidOption("AdditionalModelRequestFields", "tool_choice: thinking does not allow a forced tool")
	case t.anthropic && o.Temperature != nil && *o.Temperature != 1:
		return invalidOption("Temperature", "%v: must be 1 with thinking", *o.Temperature)
	case t.anthropic && o.TopP != nil && *o.TopP < 0.95:
		return invalidOption("TopP", "%v: must be at least 0.95 with thinking", *o.TopP)
	}
	return nil
}
