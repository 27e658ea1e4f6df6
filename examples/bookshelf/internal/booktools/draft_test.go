package booktools_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/tools"
)

func TestDraftAppliesOnlySuccessfulSetFieldResults(t *testing.T) {
	t.Parallel()
	use := func(id, tool string) agent.Part { return agent.Part{Use: &agent.ToolUse{ID: id, Name: tool}} }
	result := func(id string, isError bool, b ...tools.Block) agent.Part {
		return agent.Part{Result: &agent.ToolResult{ID: id, Result: tools.Result{IsError: isError, Blocks: b}}}
	}
	asJSON := func(s string) tools.Block { return tools.Block{JSON: []byte(s)} }
	draft := booktools.Draft(agent.Turn{Messages: []agent.Message{
		{Parts: []agent.Part{use("1", "set_field"), use("2", "look_up_book"), use("3", "set_field"), use("4", "set_field"), use("5", "set_field"), use("6", "set_field")}},
		{Parts: []agent.Part{
			result("1", false, asJSON(`{"field":"title","value":"Emma"}`)),
			result("2", false, asJSON(`{"field":"title","value":"Of another tool"}`)),
			result("3", true, asJSON(`{"field":"title","value":"Of a failed call"}`)),
			result("4", false, asJSON(`{"field":"pages","value":7}`)),
			result("5", false, asJSON(`{"field":"published_year","value":"a text"}`)),
			result("6", false),
			result("7", false, asJSON(`{"field":"title","value":"Of no call"}`)),
		}},
		{Parts: []agent.Part{use("2", "set_field"), use("1", "check_isbn")}}, // ids are used again
		{Parts: []agent.Part{
			result("2", false, tools.Block{Text: `{"field":"author","value":"Jane Austen"}`}),
			result("1", false, asJSON(`{"field":"title","value":"Of another tool"}`)),
		}},
	}})
	require.JSONEq(t, `{"title":"Emma","author":"Jane Austen"}`, string(draft.Canonical()))
}
