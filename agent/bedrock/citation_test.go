package bedrock_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
)

// Cited text comes whole, its citations are parts, and the next request holds the text alone.
func TestCitationsOverTheWire(t *testing.T) {
	script := bt.NewScript(
		bt.Reply(bt.Text("Employees receive "), bt.CitedText([]agent.Citation{leave}, "20 days ", "annual leave"), bt.Text(". For more, ask.")),
		bt.Reply(bt.Text("Yes.")),
	)
	bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
		a, err := agent.New(m, nil)
		require.NoError(t, err)
		done, err := a.Run(t.Context(), agent.Input{Prompt: "How much leave?"})
		require.NoError(t, err)
		want := cited("20 days annual leave", leave).Citation
		require.Equal(t, []agent.Part{
			text("Employees receive "), text("20 days annual leave"), {Citation: &want}, text(". For more, ask."),
		}, done.History.Turns[0].Messages[1].Parts)
		_, err = a.Run(t.Context(), agent.Input{Prompt: "Sure?", History: done.History})
		require.NoError(t, err)
		require.Equal(t, []agent.Part{text("Employees receive "), text("20 days annual leave"), text(". For more, ask.")},
			script.Requests()[1].Messages[1].Parts)
	})
}
