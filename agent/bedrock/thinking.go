package bedrock

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// thinkingConfig describes the reasoning that AdditionalModelRequestFields asks for.
type thinkingConfig struct {
	enabled    bool
	anthropic  bool // in the form of Anthropic's models, which restrict the sampling parameters
	budget     int  // in tokens, part of the answer's limit; 0 if the model decides
	forcesTool bool // tool_choice forces a tool

	otherFields json.RawMessage // the fields without Anthropic's thinking, if it has a budget; nil if empty
}

// readThinking finds thinking at any depth of a JSON object: every member whose name contains "think" or "reasoning",
// and whose value does not disable it. The known forms:
//
//	{"thinking":{"type":"enabled","budget_tokens":2048}}        Anthropic, also "adaptive" and as reasoning_config
//	{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"low"}}               Amazon Nova 2
//	{"reasoning_config":"high"}, {"reasoning_effort":"low"}                         Qwen, OpenAI gpt-oss
//	{"chat_template_kwargs":{"enable_thinking":true}}, {"reasoning":{"effort":"low"}}
//
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-reasoning.html
func readThinking(fields json.RawMessage) thinkingConfig {
	var t thinkingConfig
	var v any
	if json.Unmarshal(fields, &v) == nil {
		t.readField("", v)
	}
	if t.budget > 0 {
		t.otherFields = removeThinking(fields)
	}
	return t
}

func removeThinking(fields json.RawMessage) json.RawMessage {
	var all map[string]json.RawMessage
	if json.Unmarshal(fields, &all) != nil {
		return nil
	}
	delete(all, "thinking")
	delete(all, "reasoning_config")
	if len(all) == 0 {
		return nil
	}
	b, err := json.Marshal(all)
	if err != nil {
		return nil
	}
	return b
}

// suspendThinking removes thinking with a budget from a request that continues with results, if the model made the
// calls without thinking, or its reasoning cannot be sent back because it is unsigned or from another model. The
// service would answer "When `thinking` is enabled, a final `assistant` message must start with a thinking block". The
// next message of the user enables thinking again.
func (m *Model) suspendThinking(in *bedrockruntime.ConverseStreamInput) (suspended bool) {
	if m.thinking.budget == 0 || !resumesWithoutReasoning(in.Messages) {
		return false
	}
	in.AdditionalModelRequestFields = nil
	if m.thinking.otherFields != nil {
		in.AdditionalModelRequestFields = rawDocument{json: m.thinking.otherFields}
	}
	return true
}

// resumesWithoutReasoning reports whether the messages end with results, and no answer since the last message without
// results begins with reasoning.
func resumesWithoutReasoning(messages []types.Message) bool {
	answers := 0
	for _, m := range slices.Backward(messages) {
		switch {
		case m.Role == types.ConversationRoleUser && countResults(m.Content) == 0:
			return answers > 0
		case m.Role == types.ConversationRoleAssistant:
			answers++
			if _, ok := m.Content[0].(*types.ContentBlockMemberReasoningContent); ok {
				return false
			}
		}
	}
	return answers > 0
}

func (t *thinkingConfig) readField(name string, v any) {
	switch {
	case strings.Contains(name, "think"), strings.Contains(name, "reasoning"):
		if isEnabled(v) {
			t.enableThinking(name, v)
		}
		return
	case name == "toolchoice":
		t.forcesTool = t.forcesTool || forcesTool(v)
		return
	}
	switch v := v.(type) {
	case map[string]any:
		for k, m := range v {
			t.readField(strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(k)), m)
		}
	case []any:
		for _, m := range v {
			t.readField("", m)
		}
	}
}

func (t *thinkingConfig) enableThinking(name string, v any) {
	t.enabled = true
	o, ok := v.(map[string]any)
	if !ok {
		return
	}
	if budget, ok := o["budget_tokens"].(float64); ok && budget > 0 && budget < 1<<30 {
		t.budget = int(budget)
		t.anthropic = true
	}
	t.anthropic = t.anthropic || (name == "thinking" && o["type"] != nil)
}

// isEnabled reports whether a value enables thinking. An unknown form counts as enabled: a false positive only disables
// the forced choice, but the service rejects a request after a false negative.
func isEnabled(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case float64:
		return v != 0
	case string:
		return !slices.Contains([]string{"", "none", "off", "disabled", "false"}, strings.ToLower(v))
	case map[string]any:
		for _, k := range []string{"type", "enabled", "effort", "mode"} {
			if m, ok := v[k]; ok && !isEnabled(m) {
				return false
			}
		}
		return len(v) > 0
	}
	return true
}

// forcesTool reports whether a tool_choice, such as {"type":"any"} or "required", requires a call.
func forcesTool(v any) bool {
	if o, ok := v.(map[string]any); ok {
		v = o["type"]
	}
	s, _ := v.(string)
	return s != "" && s != "auto" && s != "none"
}
