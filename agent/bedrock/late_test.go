package bedrock_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
)

// An unknown event after messageStop, a pause and a stop for the service's own calls do not cost the answer.
func TestAnswersThatEndOddly(t *testing.T) {
	t.Parallel()
	server := bt.Event("contentBlockStart", `{"contentBlockIndex":7,"start":{"toolUse":{"toolUseId":"s","name":"web","type":"server_tool_use"}}}`)
	stop := bt.Event("contentBlockStop", `{"contentBlockIndex":7}`)
	for name, c := range map[string]struct {
		replies []bt.Step
		skipped map[string]int
	}{
		"an event after the end": {[]bt.Step{bt.Reply(
			bt.Event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"Yes."}}`),
			bt.Event("contentBlockStop", `{"contentBlockIndex":0}`),
			bt.Event("messageStop", `{"stopReason":"end_turn"}`), bt.Event("traceEvent", `{"x":1}`),
			bt.Event("metadata", `{"usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2}}`),
			bt.Truncate(),
		)}, map[string]int{"unknown:traceEvent": 1}},
		"a pause": {[]bt.Step{bt.Reply(bt.Text("I search."), server, stop, bt.Stop("pause_turn")), bt.Reply(bt.Text("Yes."))},
			map[string]int{"server_tool_use": 1}},
		"a stop for calls of the service": {[]bt.Step{bt.Reply(bt.Text("Yes."), server, stop, bt.Stop("tool_use"))},
			map[string]int{"server_tool_use": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, bt.NewScript(c.replies...), nil, func(t *testing.T, m *bedrock.Model) {
				a, err := agent.New(m, nil)
				require.NoError(t, err)
				done, err := a.Run(t.Context(), agent.Input{Prompt: "?"})
				require.NoError(t, err)
				last := done.History.Turns[len(done.History.Turns)-1].Messages
				require.Equal(t, []agent.Part{text("Yes.")}, last[len(last)-1].Parts)
				require.Equal(t, c.skipped, done.Skipped)
			})
		})
	}
}
