package bedrock_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
)

// A history that the service would refuse is refused before anything is sent.
func TestHistoriesThatAreNotSent(t *testing.T) {
	t.Parallel()
	said := func(role agent.Role, p ...agent.Part) agent.Message { return agent.Message{Role: role, Parts: p} }
	for name, turn := range map[string]agent.Turn{
		"a blank message first":   {Messages: []agent.Message{said(agent.RoleUser, text(" ")), said(agent.RoleAssistant, text("Hello!"))}},
		"a blank message alone":   {Messages: []agent.Message{said(agent.RoleUser, text("\n"), text("\t"))}},
		"the assistant first":     {Messages: []agent.Message{said(agent.RoleAssistant, text("Hello!"))}},
		"a message without parts": {Messages: []agent.Message{said(agent.RoleUser)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			script := bt.NewScript()
			bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
				a, err := agent.New(m, nil)
				require.NoError(t, err)
				_, err = a.Run(t.Context(), agent.Input{Prompt: "Hi.", History: agent.History{Turns: []agent.Turn{turn}}})
				require.ErrorContains(t, err, "history: turn 0")
			})
			require.Empty(t, script.Requests())
		})
	}
}
