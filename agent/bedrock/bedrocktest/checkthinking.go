package bedrocktest

import (
	"encoding/json"
	"fmt"
	"slices"
)

// minThinkingBudget is the smallest budget of tokens to think.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html
const minThinkingBudget = 1024

// checkThinking refuses options that Anthropic's thinking excludes. Its field has two names.
// Source: https://platform.claude.com/docs/en/build-with-claude/extended-thinking, "Feature compatibility".
func checkThinking(in *wireRequest) string {
	t := readThinking(in.AdditionalModelRequestFields)
	if t == nil || (t.Type != "enabled" && t.Type != "adaptive") {
		return ""
	}
	if c := in.ToolConfig; c != nil && c.ToolChoice != nil && (c.ToolChoice.Any != nil || c.ToolChoice.Tool != nil) {
		return modelErrorMessage("Thinking may not be enabled when tool_choice forces tool use.")
	}
	if t.Type == "enabled" && t.Budget < minThinkingBudget {
		return modelErrorMessage("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
	}
	if i := findUnthinkingAnswer(in.Messages); i >= 0 && t.Type == "enabled" {
		found := "tool_use"
		if in.Messages[i].Content[0].Text != nil {
			found = "text"
		}
		const format = "messages.%d.content.0.type: Expected `thinking` or `redacted_thinking`, but found `%s`. " +
			"When `thinking` is enabled, a final `assistant` message must start with a thinking block."
		return modelErrorMessage(fmt.Sprintf(format, i, found))
	}
	c := in.InferenceConfig
	switch {
	case c == nil:
	case c.MaxTokens != nil && *c.MaxTokens <= t.Budget:
		return modelErrorMessage("`max_tokens` must be greater than `thinking.budget_tokens`.")
	case c.Temperature != nil && *c.Temperature != 1:
		return modelErrorMessage("`temperature` may only be set to 1 when thinking is enabled or in adaptive mode.")
	case c.TopP != nil && *c.TopP < 0.95:
		return modelErrorMessage("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled or in " +
			"adaptive mode.")
	}
	return ""
}

// findUnthinkingAnswer returns the index of the answer with the first calls since the user's last message, if the
// messages end with results and no answer since then begins with reasoning; otherwise it returns -1.
// Source: https://platform.claude.com/docs/en/build-with-claude/extended-thinking, "Toggling thinking modes in
// conversations".
func findUnthinkingAnswer(messages []wireMessage) int {
	first := -1
	for i, m := range slices.Backward(messages) {
		switch {
		case m.Role == "assistant" && m.Content[0].Reasoning != nil:
			return -1
		case m.Role == "assistant":
			first = i
		case !m.hasResults():
			return first
		}
	}
	return first
}

type wireThinking struct {
	Type   string `json:"type"`
	Budget int    `json:"budget_tokens"`
}

// readThinking returns nil if the fields do not enable thinking in Anthropic's form.
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
