package bedrock_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	"github.com/carrel-go/carrel/tools"
)

// A request continues with the results of calls that were made without thinking, by another model for example. The
// service would reject thinking with a budget there, so that request does not think, and the next question does.
func TestThinkingIsSuspended(t *testing.T) {
	t.Parallel()
	o := &bedrock.Options{
		MaxTokens:                    2000,
		AdditionalModelRequestFields: []byte(`{"thinking":{"type":"enabled","budget_tokens":8000},"top_k":20}`),
	}
	thought := agent.Part{Reasoning: &agent.Reasoning{Text: "Hm.", Signature: "c2ln"}}
	unsigned := agent.Part{Reasoning: &agent.Reasoning{Text: "Hm."}}
	user := func(parts ...agent.Part) agent.Message { return agent.Message{Role: agent.RoleUser, Parts: parts} }
	answer := func(parts ...agent.Part) agent.Message { return agent.Message{Role: agent.RoleAssistant, Parts: parts} }
	results := user(result("a", tools.Block{Text: "1"}))
	for name, c := range map[string]struct {
		messages []agent.Message
		thinks   bool
	}{
		"a question":        {[]agent.Message{user(text("?"))}, true},
		"calls in thought":  {[]agent.Message{user(text("?")), answer(thought, call("a", "x", `{}`)), results}, true},
		"calls without":     {[]agent.Message{user(text("?")), answer(call("a", "x", `{}`)), results}, false},
		"text, then a call": {[]agent.Message{user(text("?")), answer(text("So."), call("a", "x", `{}`)), results}, false},
		"without signature": {[]agent.Message{user(text("?")), answer(unsigned, call("a", "x", `{}`)), results}, false},
		"the turn after":    {[]agent.Message{user(text("?")), answer(call("a", "x", `{}`)), results, answer(text("1")), user(text("?"))}, true},
		"a thought before it": {[]agent.Message{user(text("?")), answer(thought, call("b", "x", `{}`)),
			user(result("b", tools.Block{Text: "1"})), answer(call("a", "x", `{}`)), results}, true},
	} {
		r := &agent.Request{Messages: c.messages, Tools: []tools.Spec{{Name: "x", Schema: []byte(`{"type":"object"}`)}}}
		got := sent(t, o, r)
		if c.thinks {
			require.Contains(t, string(got.Body), "budget_tokens", name)
			require.Equal(t, 10_000, got.MaxTokens, name)
		} else {
			require.NotContains(t, string(got.Body), "thinking", name)
			require.Contains(t, string(got.Body), `"top_k":20`, name)
			require.Equal(t, 2000, got.MaxTokens, name)
		}
	}
}
