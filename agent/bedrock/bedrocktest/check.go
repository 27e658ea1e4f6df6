package bedrocktest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The limits and patterns of the service's own model of ConverseStreamRequest.
// Source: https://github.com/boto/botocore/tree/develop/botocore/data/bedrock-runtime/2023-09-30
const (
	maxStopSequences = 2500
	maxMetadata      = 16
)

var (
	metadataKey      = regexp.MustCompile(`^[a-zA-Z0-9\s:_@$#=/+,\-.]{1,256}$`)
	metadataValue    = regexp.MustCompile(`^[a-zA-Z0-9\s:_@$#=/+,\-.]{0,256}$`)
	guardrailID      = regexp.MustCompile(`^([a-z0-9]+|arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:guardrail/[a-z0-9]+)$`)
	guardrailVersion = regexp.MustCompile(`^([1-9][0-9]{0,7}|DRAFT)$`)
)

// check returns the message of the ValidationException that the service would answer, or an empty string. The wording
// is the service's if it is known from reports.
func check(in *wireRequest) string {
	for _, rule := range [...]func(*wireRequest) string{
		checkSystem, checkTools, checkOutput, checkContent, checkTurns, checkMedia, checkCachePoints, checkParameters,
		checkModel,
	} {
		if msg := rule(in); msg != "" {
			return msg
		}
	}
	return ""
}

func checkSystem(in *wireRequest) string {
	for i, s := range in.System {
		at := fmt.Sprintf("system.%d", i)
		switch {
		case countTrue(s.Text != nil, s.Guard != nil, s.CachePoint != nil) != 1:
			return oneKeyMessage("SystemContentBlock", at, "text, guardContent, cachePoint")
		case s.Guard != nil:
			if msg := checkGuardContent(s.Guard, at); msg != "" {
				return msg
			}
		case s.Text != nil && isBlank(*s.Text):
			return blankMessage("SystemContentBlock", at)
		}
	}
	return ""
}

// checkParameters checks the parameters beside the conversation.
func checkParameters(in *wireRequest) string {
	if c := in.InferenceConfig; c != nil {
		share := func(f *float64) bool { return f == nil || (*f >= 0 && *f <= 1) }
		switch {
		case c.MaxTokens != nil && *c.MaxTokens < 1:
			return constraintMessage(fmt.Sprint(*c.MaxTokens), "inferenceConfig.maxTokens", "Member must have value greater than or equal to 1")
		case !share(c.Temperature):
			return constraintMessage(fmt.Sprint(*c.Temperature), "inferenceConfig.temperature", "Member must have value between 0 and 1, inclusive")
		case !share(c.TopP):
			return constraintMessage(fmt.Sprint(*c.TopP), "inferenceConfig.topP", "Member must have value between 0 and 1, inclusive")
		case slices.Contains(c.StopSequences, ""):
			return constraintMessage("", "inferenceConfig.stopSequences", "Member must have length greater than or equal to 1")
		case len(c.StopSequences) > maxStopSequences:
			return constraintMessage("[…]", "inferenceConfig.stopSequences",
				fmt.Sprintf("Member must have length less than or equal to %d", maxStopSequences))
		}
	}
	if f := in.AdditionalModelRequestFields; f != nil && !isObject(f) {
		return objectMessage("additionalModelRequestFields")
	}
	if msg := checkGuardrail(in.GuardrailConfig); msg != "" {
		return msg
	}
	if msg := checkMetadata(in.RequestMetadata); msg != "" {
		return msg
	}
	if p := in.PerformanceConfig; p != nil && !slices.Contains([]string{"standard", "optimized"}, p.Latency) {
		return enumMessage(p.Latency, "performanceConfig.latency", "standard, optimized")
	}
	if s := in.ServiceTier; s != nil && !slices.Contains([]string{"priority", "default", "flex", "reserved"}, s.Type) {
		return enumMessage(s.Type, "serviceTier.type", "priority, default, flex, reserved")
	}
	return ""
}

func checkGuardrail(g *wireGuardrail) string {
	switch {
	case g == nil:
	case g.Identifier == "" || g.Version == "":
		return "The guardrail identifier and version must both be provided in the request."
	case !guardrailID.MatchString(g.Identifier):
		return patternMessage(g.Identifier, "guardrailConfig.guardrailIdentifier", guardrailID)
	case !guardrailVersion.MatchString(g.Version):
		return patternMessage(g.Version, "guardrailConfig.guardrailVersion", guardrailVersion)
	case !slices.Contains([]string{"", "sync", "async"}, g.StreamProcessingMode):
		return enumMessage(g.StreamProcessingMode, "guardrailConfig.streamProcessingMode", "sync, async")
	case !slices.Contains([]string{"", "enabled", "disabled", "enabled_full"}, g.Trace):
		return enumMessage(g.Trace, "guardrailConfig.trace", "enabled, disabled, enabled_full")
	}
	return ""
}

func checkMetadata(m map[string]string) string {
	const at = "requestMetadata"
	switch {
	case m == nil:
	case len(m) == 0:
		return constraintMessage("{}", at, "Member must have length greater than or equal to 1")
	case len(m) > maxMetadata:
		return constraintMessage("{…}", at, fmt.Sprintf("Member must have length less than or equal to %d", maxMetadata))
	}
	for k, v := range m {
		switch {
		case !metadataKey.MatchString(k):
			return patternMessage(k, at, metadataKey)
		case !metadataValue.MatchString(v):
			return patternMessage(v, at+"."+k, metadataValue)
		}
	}
	return ""
}

// checkPrompt refuses fields that a prompt of Prompt management defines itself.
func checkPrompt(model string, in *wireRequest) string {
	if !strings.HasPrefix(model, "arn:") || !strings.Contains(model, ":prompt/") {
		return ""
	}
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"system", in.System != nil}, {"toolConfig", in.ToolConfig != nil}, {"inferenceConfig", in.InferenceConfig != nil},
		{"additionalModelRequestFields", in.AdditionalModelRequestFields != nil},
	} {
		if f.set {
			return fmt.Sprintf("The %s field can't be set when the modelId is a prompt of Prompt management. Remove %s and try again.", f.name, f.name)
		}
	}
	return ""
}

func blankMessage(object, at string) string {
	return fmt.Sprintf("The text field in the %s object at %s is blank. Add text to the text field, and try again.", object, at)
}

func oneKeyMessage(object, at, keys string) string {
	return fmt.Sprintf("The %s object at %s must set one of the following keys: %s.", object, at, keys)
}

func enumMessage(value, at, values string) string {
	return constraintMessage(value, at, "Member must satisfy enum value set: ["+values+"]")
}

func patternMessage(value, at string, p *regexp.Regexp) string {
	return constraintMessage(value, at, "Member must satisfy regular expression pattern: "+p.String())
}

func nameMessage(value, at string) string {
	return constraintMessage(value, at, "Member must satisfy regular expression pattern: [a-zA-Z0-9_-]{1,64}")
}

func callIDMessage(value, at string) string {
	return constraintMessage(value, at, "Member must satisfy regular expression pattern: [a-zA-Z0-9_.:-]{1,64}")
}

func objectMessage(at string) string {
	return fmt.Sprintf("The format of the value at %s is invalid. Provide a json object for the field and try again.", at)
}

func constraintMessage(value, at, rule string) string {
	return fmt.Sprintf("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s", value, at, rule)
}

func isBlank(s string) bool { return strings.TrimSpace(s) == "" }

const nameLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

// isName reports whether s is in the grammar of tool names.
func isName(s string) bool { return len(s) >= 1 && len(s) <= 64 && strings.Trim(s, nameLetters) == "" }

// isCallID reports whether s is in the grammar of call ids.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html
func isCallID(s string) bool {
	return len(s) >= 1 && len(s) <= 64 && strings.Trim(s, nameLetters+".:") == ""
}

// isObject reports whether j, which is valid JSON, is an object.
func isObject(j json.RawMessage) bool { return len(j) > 0 && j[0] == '{' }

func countTrue(set ...bool) int {
	n := 0
	for _, b := range set {
		if b {
			n++
		}
	}
	return n
}
