package bedrock_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// ids returns the ids of a message's calls, or of its results.
func ids(m agent.Message) (out []string) {
	for _, p := range m.Parts {
		if p.Use != nil {
			out = append(out, p.Use.ID)
		}
		if p.Result != nil {
			out = append(out, p.Result.ID)
		}
	}
	return out
}

// Ids that the service refuses are replaced, in the call and in its result, by ids that stay the same while the
// conversation grows. Others stay as they are.
func TestCallIDs(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 65)
	var all []agent.Message
	say := func(role agent.Role, p ...agent.Part) { all = append(all, agent.Message{Role: role, Parts: p}) }
	answers := [][]string{
		{"tooluse_a-1", "functions.read:0"}, {" functions.read:0", "call|fc_1", "ü", long, long + "y", ""}, {"call_0"}, {"call_0", ""}, {"call_0"},
	}
	say(agent.RoleUser, text("?"))
	script := bt.NewScript(bt.Forever(bt.Reply(bt.Text("ok"))))
	bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
		for _, answer := range answers {
			var calls, results []agent.Part
			for _, id := range answer {
				calls, results = append(calls, call(id, "x", `{}`)), append(results, result(id, tools.Block{Text: "for " + id}))
			}
			say(agent.RoleAssistant, calls...)
			say(agent.RoleUser, results...)
			_, err := collect(t, t.Context(), m, &agent.Request{Messages: all})
			require.NoError(t, err)
		}
	})
	require.NoError(t, script.Err())

	requests := script.Requests()
	last := requests[len(requests)-1].Messages
	for _, r := range requests {
		for i, m := range r.Messages {
			require.Equal(t, ids(m), ids(last[i]), "an id has changed")
		}
	}
	seen := map[string]bool{}
	for i, answer := range answers {
		got := ids(last[2*i+1])
		require.Equal(t, got, ids(last[2*i+2]))
		for j, id := range got {
			require.NotContains(t, seen, id)
			seen[id] = true
			require.Equal(t, "for "+answer[j], last[2*i+2].Parts[j].Result.Blocks[0].Text)
		}
	}
	require.Equal(t, answers[0], ids(last[1]), "what the service accepts stays")
	require.Equal(t, answers[2], ids(last[5]))
}

// No replacement is equal to another id of the request, not even if somebody chose the ids to that end.
func TestCallIDsAreInjective(t *testing.T) {
	t.Parallel()
	send := func(id ...string) []string {
		script := bt.NewScript(bt.Reply(bt.Text("ok")))
		var got []string
		bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
			var calls, results []agent.Part
			for _, id := range id {
				calls, results = append(calls, call(id, "x", `{}`)), append(results, result(id, tools.Block{Text: "r"}))
			}
			_, err := collect(t, t.Context(), m, &agent.Request{Messages: []agent.Message{
				{Role: agent.RoleUser, Parts: []agent.Part{text("?")}}, {Role: agent.RoleAssistant, Parts: calls}, {Role: agent.RoleUser, Parts: results},
			}})
			require.NoError(t, err)
			got = ids(script.Requests()[0].Messages[1])
		})
		require.NoError(t, script.Err())
		return got
	}
	replaced := send("a b")
	got := send("a b", replaced[0])
	require.Equal(t, replaced[0], got[1])
	require.NotEqual(t, got[0], got[1])
}

// Runs continue with any ids of the service, as does the next run with the history.
func TestCallIDsOverTheWire(t *testing.T) {
	t.Parallel()
	step := func(id ...string) bt.Step {
		var pieces []bt.Piece
		for _, id := range id {
			pieces = append(pieces, bt.ToolUse(id, "look_up", `{"isbn":"1"}`))
		}
		return bt.Reply(pieces...)
	}
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	script := bt.NewScript(step("call_0"), step("call_0"), step(" functions.read:0"), step("call|fc_1", strings.Repeat("x", 65)), step("", ""),
		bt.Reply(bt.Text("done")), step("call_0"), bt.Reply(bt.Text("again")))
	bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
		tool, err := tools.New("look_up", "Looks up.", func(context.Context, *tools.Call, lookUp) (string, error) { return "Emma", nil })
		require.NoError(t, err)
		a, err := agent.New(m, &agent.Options{Tools: tools.Of(tool)})
		require.NoError(t, err)
		done, err := a.Run(t.Context(), agent.Input{Scope: tenant, Prompt: "?"})
		require.NoError(t, err)
		_, err = a.Run(t.Context(), agent.Input{Scope: tenant, Prompt: "And?", History: done.History})
		require.NoError(t, err)
	})
	require.NoError(t, script.Err())
	require.Len(t, script.Requests(), 8)
}
