package bedrock_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
)

// The agent's limit wins if it is set, then the model's, then the model's default.
func TestMaxTokensUnderAnAgent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ limit, option, want int }{{0, 0, 4096}, {0, 2000, 2000}, {500, 2000, 500}, {500, 0, 500}} {
		script := bt.NewScript(bt.Reply(bt.Text("ok")))
		bubble(t, script, &bedrock.Options{MaxTokens: c.option}, func(t *testing.T, m *bedrock.Model) {
			a, err := agent.New(m, &agent.Options{Limits: agent.Limits{MaxTokens: c.limit}})
			require.NoError(t, err)
			_, err = a.Run(t.Context(), agent.Input{Prompt: "?"})
			require.NoError(t, err)
		})
		require.Equal(t, c.want, script.Requests()[0].MaxTokens)
	}
}

// A reason that is new and usage that comes twice do not cost an answer.
func TestOpenStream(t *testing.T) {
	t.Parallel()
	metadata := func(output int) bt.Piece {
		b, err := json.Marshal(map[string]any{"usage": map[string]int{"inputTokens": 7, "outputTokens": output, "totalTokens": 7 + output}})
		require.NoError(t, err)
		return bt.Event("metadata", string(b))
	}
	script := bt.NewScript(bt.Reply(metadata(0), bt.Text("I will not."), bt.Stop("refusal"), metadata(3), metadata(3)))
	bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
		a, err := agent.New(m, nil)
		require.NoError(t, err)
		done, err := a.Run(t.Context(), agent.Input{Prompt: "?"})
		require.NoError(t, err)
		require.Equal(t, "I will not.", done.History.Turns[0].Messages[1].Parts[0].Text)
		require.Equal(t, agent.StopReason("refusal"), done.StopReason)
		require.Equal(t, agent.Usage{Input: 7, Output: 3}, done.Usage)
	})
}
