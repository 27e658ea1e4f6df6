package bedrock_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// A model writes integers as 3.0 and gets lists that are empty, not null; a typed answer reads 1813.0 as 1813.
func TestNumbersAndListsOverTheWire(t *testing.T) {
	t.Parallel()
	type page struct {
		Page int `json:"page"`
	}
	type marks struct {
		Marks []string `json:"marks"`
	}
	type book struct {
		Year  int `json:"year"`
		Pages []struct {
			Number uint16 `json:"number"`
		} `json:"pages"`
	}
	script := bt.NewScript(
		bt.Reply(bt.ToolUse("a", "read", `{"page":3.0}`)),
		bt.Reply(bt.ToolUse("b", "final_answer", `{"year":1813.0,"pages":[{"number":1e2}]}`)),
	)
	bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
		tool, err := tools.New("read", "Reads a page.", func(_ context.Context, _ *tools.Call, in page) (marks, error) {
			require.Equal(t, 3, in.Page)
			return marks{}, nil
		})
		require.NoError(t, err)
		a, err := agent.New(m, &agent.Options{Tools: tools.Of(tool)})
		require.NoError(t, err)
		tenant, err := scope.Tenant("acme")
		require.NoError(t, err)
		got, done, err := agent.RunAs[book](t.Context(), a, agent.Input{Scope: tenant, Prompt: "When was it printed?"})
		require.NoError(t, err)
		require.Equal(t, 1813, got.Year)
		require.EqualValues(t, 100, got.Pages[0].Number)
		require.Equal(t, `{"year":1813,"pages":[{"number":100}]}`, string(done.Output))
		require.Contains(t, string(script.Requests()[1].Body), `{"json":{"marks":[]}}`)
	})
}

// Half a surrogate pair in a result reaches the service as U+FFFD, and JSON that cannot be repaired as a failed result,
// so the conversation continues.
func TestResultsWithDefectsOverTheWire(t *testing.T) {
	t.Parallel()
	script := bt.NewScript(
		bt.Reply(bt.ToolUse("a", "read", `{"doc":"{\"text\":\"\\ud99c\"}"}`), bt.ToolUse("b", "read", `{"doc":"{\"a\":1,\"a\":2}"}`)),
		bt.Reply(bt.Text("Emma.")),
		bt.Reply(bt.Text("Yes.")),
	)
	bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
		tool, err := tools.New("read", "Reads a document.", func(_ context.Context, _ *tools.Call, in struct {
			Doc string `json:"doc"`
		}) (tools.Block, error) {
			return tools.Block{JSON: []byte(in.Doc)}, nil
		}, tools.Truncate(256))
		require.NoError(t, err)
		a, err := agent.New(m, &agent.Options{Tools: tools.Of(tool)})
		require.NoError(t, err)
		tenant, err := scope.Tenant("acme")
		require.NoError(t, err)
		done, err := a.Run(t.Context(), agent.Input{Scope: tenant, Prompt: "Which book is this?"})
		require.NoError(t, err)
		_, err = a.Run(t.Context(), agent.Input{Scope: tenant, Prompt: "Sure?", History: done.History})
		require.NoError(t, err)
		for _, r := range script.Requests()[1:] {
			require.Contains(t, string(r.Body), `{"json":{"text":"\ufffd"}}`)
			require.Contains(t, string(r.Body), `"status":"error"`)
		}
	})
}
