package bedrock

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/tools"
)

// A request with thinking never forces a tool, in whatever form thinking is enabled.
func TestThinkingForcesNoTool(t *testing.T) {
	t.Parallel()
	for fields, thinks := range map[string]bool{
		`{"thinking":{"type":"enabled","budget_tokens":1024}}`:              true,
		`{"thinking":{"type":"adaptive"},"output_config":{"effort":"low"}}`: true,
		`{"thinking":{"type":"something_new"}}`:                             true,
		`{"reasoning_config":{"type":"enabled","budget_tokens":1024}}`:      true,
		`{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"low"}}`: true,
		`{"reasoning_config":"high"}`:                                       true,
		`{"reasoning":{"effort":"medium"}}`:                                 true,
		`{"reasoning_effort":"low"}`:                                        true,
		`{"chat_template_kwargs":{"enable_thinking":true}}`:                 true,
		`{"thinking_budget":1024}`:                                          true,
		`{"thinking_mode":"enabled"}`:                                       true,
		`{"think":true}`:                                                    true,
		`{"enable_reasoning":true}`:                                         true,
		`{"thinking_level":"high"}`:                                         true,
		`{"thinking_budget":0,"think":false,"thinking_mode":"off"}`:         false,
		`{"thinking":true}`:                                                 true,
		`{"thinking":{"type":"disabled"}}`:                                  false,
		`{"reasoning_config":{"type":"disabled"}}`:                          false,
		`{"reasoning":{"enabled":false}}`:                                   false,
		`{"reasoning":{"effort":"none"}}`:                                   false,
		`{"reasoning_effort":"none"}`:                                       false,
		`{"enable_thinking":false,"thinking":null}`:                         false,
		`{"top_k":20,"inferenceConfig":{"topK":5}}`:                         false,
	} {
		m := must(New(bt.NewClient("http://localhost"), "any-model", &Options{AdditionalModelRequestFields: []byte(fields)}))
		for _, c := range []agent.Choice{{Any: true}, {Name: "x"}} {
			r := question()
			r.Tools, r.Choice = []tools.Spec{{Name: "x", Schema: []byte(`{"type":"object"}`)}}, c
			in, err := m.newInput(t.Context(), r)
			require.NoError(t, err)
			require.Len(t, in.ToolConfig.Tools, 1)
			require.Equal(t, thinks, in.ToolConfig.ToolChoice == nil, fields)
		}
	}
}

// The service requires a token limit above the thinking budget, in the options and in a request.
func TestLimitExceedsThinkingBudget(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ option, request, want int }{
		{0, 0, 8000 + 4096}, {2000, 0, 10_000}, {0, 1024, 9024}, {9000, 0, 9000}, {8000, 0, 16_000}, {2000, 9000, 9000},
	} {
		m := must(New(bt.NewClient("http://localhost"), "any-model", &Options{
			MaxTokens: c.option, AdditionalModelRequestFields: []byte(`{"thinking":{"type":"enabled","budget_tokens":8000}}`),
		}))
		r := question()
		r.MaxTokens = c.request
		in, err := m.newInput(t.Context(), r)
		require.NoError(t, err)
		require.EqualValues(t, c.want, *in.InferenceConfig.MaxTokens)
	}
}
