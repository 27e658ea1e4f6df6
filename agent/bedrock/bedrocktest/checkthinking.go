package bedrocktest

import (
	"encoding/json"
)

// minThinkingBudget is the smallest budget of tokens to think.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html
const minThinkingBudget = 1024

// checkThinking applies what Anthropic's thinking excludes. Its field has two names.
// Source: https://platform.claude.com/docs/en/build-with-claude/extended-thinking, "Feature compatibility".
func checkThinking(in *wireRequest) string {
	t := readThinking(in.AdditionalModelRequestFields)
	if t == nil || (t.Type != "enabled" && t.Type != "adaptive") {
		return ""
	}
	if c := in.ToolConfig; c != nil && c.ToolChoice != nil && (c.ToolChoice.Any != nil || c.ToolChoice.Tool != nil) {
		return modelErrors("Thinking may not be enabled when tool_choice forces tool use.")
	}
	if t.Type == "enabled" && t.Budget < minThinkingBudget {
		return modelErrors("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
	}
	c := in.InferenceConfig
	switch {
	case c == nil:
	case c.MaxTokens != nil && *c.MaxTokens <= t.Budget:
		return modelErrors("`max_tokens` must be greater than `thinking.budget_tokens`.")
	case c.Temperature != nil && *c.Temperature != 1:
		return modelErrors("`temperature` may only be set to 1 when thinking is enabled or in adaptive mode.")
	case c.TopP != nil && *c.TopP < 0.95:
		return modelErrors("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled or in adaptive mode.")
	}
	return ""
}

type wireThinking struct {
	Type   string `json:"type"`
	Budget int    `json:"budget_tokens"`
}

// readThinking returns nil if the fields ask for no thinking, or in a form of another maker.
func readThinking(fields json.RawMessage) *wireThinking {
	var all map[string]json.RawMessage
	if json.Unmarshal(fields, &all) != nil {
		return nil
	}
	for _, name := range []string{"thinking", "reasoning_config"} {
		var t wireThinking
		if j, ok := all[name]; ok && json.Unmarshal(j, &t) == nil {
			return &t
		}
	}
	return nil
}
