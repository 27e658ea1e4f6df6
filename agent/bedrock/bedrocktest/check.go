package bedrocktest

import (
	"cmp"
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
	toolName         = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
	// callID: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html
	callID = regexp.MustCompile(`^[a-zA-Z0-9_.:-]{1,64}$`)
)

// checkRequest returns the message of the ValidationException that the service would answer, or an empty string. The
// wording is the service's if it is known from reports.
func checkRequest(in *wireRequest) string {
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
		msg := checkUnion("SystemContentBlock", at, s)
		switch {
		case msg != "":
		case s.Guard != nil:
			msg = checkGuardContent(s.Guard, at)
		case s.Text != nil:
			msg = checkBlank(*s.Text, "SystemContentBlock", at)
		}
		if msg != "" {
			return msg
		}
	}
	return ""
}

// checkParameters checks the parameters beside the conversation.
func checkParameters(in *wireRequest) string {
	msg := cmp.Or(
		checkInference(in.InferenceConfig), checkGuardrail(in.GuardrailConfig), checkMetadata(in.RequestMetadata),
	)
	if f := in.AdditionalModelRequestFields; f != nil && !isObject(f) {
		msg = cmp.Or(msg, objectMessage("additionalModelRequestFields"))
	}
	if p := in.PerformanceConfig; p != nil {
		msg = cmp.Or(msg, checkEnum(p.Latency, "performanceConfig.latency", "standard", "optimized"))
	}
	if s := in.ServiceTier; s != nil {
		msg = cmp.Or(msg, checkEnum(s.Type, "serviceTier.type", "priority", "default", "flex", "reserved"))
	}
	return msg
}

func checkInference(c *wireInference) string {
	const at = "inferenceConfig."
	switch {
	case c == nil:
		return ""
	case c.MaxTokens != nil && *c.MaxTokens < 1:
		return constraintMessage(*c.MaxTokens, at+"maxTokens", "Member must have value greater than or equal to 1")
	case slices.Contains(c.StopSequences, ""):
		return constraintMessage("", at+"stopSequences", notEmpty)
	case len(c.StopSequences) > maxStopSequences:
		return constraintMessage("[…]", at+"stopSequences", atMost(maxStopSequences))
	}
	return cmp.Or(checkShare(c.Temperature, at+"temperature"), checkShare(c.TopP, at+"topP"))
}

func checkShare(f *float64, at string) string {
	if f == nil || *f >= 0 && *f <= 1 {
		return ""
	}
	return constraintMessage(*f, at, "Member must have value between 0 and 1, inclusive")
}

func atMost(n int) string { return fmt.Sprintf("Member must have length less than or equal to %d", n) }

func checkGuardrail(g *wireGuardrail) string {
	const at = "guardrailConfig."
	switch {
	case g == nil:
		return ""
	case g.Identifier == "" || g.Version == "":
		return "The guardrail identifier and version must both be provided in the request."
	}
	return cmp.Or(
		checkPattern(g.Identifier, at+"guardrailIdentifier", guardrailID),
		checkPattern(g.Version, at+"guardrailVersion", guardrailVersion),
		checkEnum(cmp.Or(g.StreamProcessingMode, "sync"), at+"streamProcessingMode", "sync", "async"),
		checkEnum(cmp.Or(g.Trace, "disabled"), at+"trace", "enabled", "disabled", "enabled_full"),
	)
}

func checkMetadata(m map[string]string) string {
	const at = "requestMetadata"
	switch {
	case m == nil:
	case len(m) == 0:
		return constraintMessage("{}", at, notEmpty)
	case len(m) > maxMetadata:
		return constraintMessage("{…}", at, atMost(maxMetadata))
	}
	for k, v := range m {
		if msg := cmp.Or(checkPattern(k, at, metadataKey), checkPattern(v, at+"."+k, metadataValue)); msg != "" {
			return msg
		}
	}
	return ""
}

// checkPrompt refuses fields that a prompt of Prompt management defines itself.
func checkPrompt(model string, in *wireRequest) string {
	if !strings.HasPrefix(model, "arn:") || !strings.Contains(model, ":prompt/") {
		return ""
	}
	var field string
	switch {
	case in.System != nil:
		field = "system"
	case in.ToolConfig != nil:
		field = "toolConfig"
	case in.InferenceConfig != nil:
		field = "inferenceConfig"
	case in.AdditionalModelRequestFields != nil:
		field = "additionalModelRequestFields"
	default:
		return ""
	}
	const format = "The %s field can't be set when the modelId is a prompt of Prompt management. Remove %s and try again."
	return fmt.Sprintf(format, field, field)
}

// isObject reports whether j, which is valid JSON, is an object.
func isObject(j json.RawMessage) bool { return len(j) > 0 && j[0] == '{' }
