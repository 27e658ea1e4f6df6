package bedrock_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// No request holds half a surrogate pair: not from a model's arguments, not from a tool's result, and not from a
// history of before they were checked.
func TestHalfSurrogatesOverTheWire(t *testing.T) {
	t.Parallel()
	script := bt.NewScript(
		bt.Reply(bt.ToolUse("c1", "note", `{"text":"\ud99c"}`), bt.ToolUse("c2", "note", `{"text":"ok"}`)),
		bt.Reply(bt.Text("ok")), bt.Reply(bt.Text("and")),
	)
	bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
		tool, err := tools.New("note", "Notes.", func(_ context.Context, _ *tools.Call, in struct {
			Text string `json:"text"`
		}) (json.RawMessage, error) {
			return json.RawMessage(`{"noted":"\ud99c"}`), nil
		})
		require.NoError(t, err)
		a, err := agent.New(m, &agent.Options{Tools: tools.Of(tool)})
		require.NoError(t, err)
		tenant, err := scope.Tenant("acme")
		require.NoError(t, err)
		done, err := a.Run(t.Context(), agent.Input{Scope: tenant, Prompt: "Note it."})
		require.NoError(t, err)
		old := agent.Turn{Messages: []agent.Message{
			{Role: agent.RoleUser, Parts: []agent.Part{text("?")}},
			{Role: agent.RoleAssistant, Parts: []agent.Part{call("c1", "note", `{"text":"\ud99c","a":1,"a":2}`)}},
			{Role: agent.RoleUser, Parts: []agent.Part{result("c1", tools.Block{JSON: json.RawMessage(`{"noted":"\ud99c"}`)})}},
		}}
		_, err = a.Run(t.Context(), agent.Input{Scope: tenant, Prompt: "And?", History: agent.History{Turns: append(done.History.Turns, old)}})
		run, ok := errors.AsType[*agent.RunError](err)
		require.True(t, ok, "a history that the service would refuse is rejected: %v", err)
		require.Equal(t, agent.CodeInvalidCall, run.Code)
		_, err = a.Run(t.Context(), agent.Input{Scope: tenant, Prompt: "And?", History: done.History})
		require.NoError(t, err)
	})
	require.NoError(t, script.Err())
	for _, r := range script.Requests() {
		require.NotContains(t, string(r.Body), `\ud99c`)
	}
}
