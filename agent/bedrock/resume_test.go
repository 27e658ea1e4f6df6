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

// A run that fails at the service after its calls is resumed from its error: no call is made again, and the service
// gets the results that it would have got.
func TestResumeAfterTheServiceFailed(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]bt.Step{
		"throttled":       bt.Times(3, bt.Throttled()),
		"denied":          bt.Denied(),
		"cut":             bt.Reply(bt.Text("It"), bt.Cut()),
		"an exception":    bt.Reply(bt.Text("It"), bt.Exception("ModelStreamErrorException", "oh")),
		"cut in mid-call": bt.Reply(bt.ToolUse("c", "look_up", `{"isbn":"1"}`), bt.Cut()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			script := bt.NewScript(
				bt.Reply(bt.ToolUse("a", "look_up", `{"isbn":"1"}`), bt.ToolUse("b", "look_up", `{"isbn":"2"}`)),
				failure,
				bt.Reply(bt.Text("Emma.")),
			)
			bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
				made := map[string]int{}
				tool, err := tools.New("look_up", "Looks a book up.", func(_ context.Context, c *tools.Call, in lookUp) (string, error) {
					made[in.ISBN]++
					return "the book " + in.ISBN, nil
				})
				require.NoError(t, err)
				a, err := agent.New(m, &agent.Options{Tools: tools.Of(tool), Limits: agent.Limits{Parallel: 1}})
				require.NoError(t, err)
				acme, err := scope.Tenant("acme")
				require.NoError(t, err)

				_, err = a.Run(t.Context(), agent.Input{Scope: acme, Run: "1", Prompt: "Which books are these?"})
				failed, ok := errors.AsType[*agent.RunError](err)
				require.True(t, ok)
				b, err := json.Marshal(failed.Done.Checkpoint)
				require.NoError(t, err)
				c := &agent.Checkpoint{}
				require.NoError(t, json.Unmarshal(b, c))
				done, err := a.Run(t.Context(), agent.Input{Scope: acme, Run: "1", Resume: c, History: failed.Done.History})
				require.NoError(t, err)
				require.Equal(t, map[string]int{"1": 1, "2": 1}, made)
				require.Len(t, done.History.Turns, 2)
				require.Equal(t, "Emma.", done.History.Turns[1].Messages[0].Parts[0].Text)
			})
		})
	}
}
