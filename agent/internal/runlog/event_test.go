package runlog

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tools"
)

// The test fails if the agent renames a field.
func TestDecodeReadsTheAgentsEvents(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 31, 15, 4, 5, 0, time.UTC)
	usage := agent.Usage{Input: 1, Output: 2, CacheRead: 3, CacheWrite: 4}
	input := json.RawMessage(`{"a":1}`)
	where := agent.Location{Kind: "page", Index: 1, Start: 2, End: 3}
	for _, tc := range []struct {
		event agent.Event
		want  Event
	}{
		{agent.StepStarted{Step: 2}, Event{Type: StepStarted, Step: 2}},
		{agent.StepFinished{Step: 2}, Event{Type: StepFinished, Step: 2}},
		{agent.TextDelta{Text: "a"}, Event{Type: TextDelta, Delta: "a"}},
		{agent.ReasoningDelta{Text: "b"}, Event{Type: ReasoningDelta, Delta: "b"}},
		{agent.CitationPart{Citation: agent.Citation{Text: "t", Source: "s", Title: "n", Quotes: []string{"q"}, Location: where}},
			Event{Type: Citation, Text: "t", Source: "s", Title: "n", Quotes: []string{"q"}, Location: where}},
		{agent.ToolCalled{ToolUse: agent.ToolUse{ID: "c", Name: "f", Input: input}}, Event{Type: ToolCall, ID: "c", Name: "f", Input: input}},
		{agent.ToolProgress{ID: "c", Value: input}, Event{Type: ToolProgress, ID: "c", Value: input}},
		{agent.ToolDone{ID: "c", Name: "f", Result: tools.Result{Summary: "s", IsError: true}, Took: 7 * time.Millisecond},
			Event{Type: ToolResult, ID: "c", Name: "f", Summary: "s", IsError: true, Duration: 7}},
		{agent.ToolPending{ID: "c", Name: "f", Input: input, Approval: "x", Reason: "r", Expires: at},
			Event{Type: ApprovalRequested, ID: "c", Tool: "f", Input: input, Approval: "x", Reason: "r", Expires: at}},
		{agent.Partial{JSON: input}, Event{Type: Partial, Value: input}},
		{agent.Compacted{Count: 3, Usage: usage}, Event{Type: Compacted, Turns: 3, Spent: usage}},
		{agent.UsageReport{Usage: usage, Model: "m"}, Event{Type: Usage, Usage: usage, Model: "m"}},
	} {
		raw, err := agent.MarshalEvent(tc.event)
		require.NoError(t, err)
		got, err := decode(string(raw))
		require.NoError(t, err)
		require.Equal(t, tc.want, got, "%s", raw)
	}
}

func TestBlocksReadsTheOutputOfACall(t *testing.T) {
	t.Parallel()
	want := []tools.Block{{Text: "a"}, {JSON: json.RawMessage(`[1]`)}}
	raw, err := agent.MarshalEvent(agent.ToolDone{ID: "c", Name: "f", Result: tools.Result{Blocks: want}})
	require.NoError(t, err)
	e, err := decode(string(raw))
	require.NoError(t, err)
	got, err := e.Blocks()
	require.NoError(t, err)
	require.Equal(t, want, got)
	_, err = (&Event{Output: json.RawMessage(`{"typed":"answer"}`)}).Blocks()
	require.Error(t, err)
}

func TestDecodeIgnoresUnknownTypes(t *testing.T) {
	t.Parallel()
	e, err := decode(`{"type":"of_a_later_version","step":"a word","colour":"red"}`)
	require.NoError(t, err)
	require.Equal(t, Event{Type: "of_a_later_version"}, e)
	_, err = decode(`{"type":"step_started","step":"a word"}`)
	require.Error(t, err)
}

func TestDecodeRejectsEventsThatDoNotNameTheirCall(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		`{"type":"tool_call"}`, `{"type":"tool_call","id":"c"}`, `{"type":"tool_call","name":"f"}`, `{"type":"tool_progress"}`,
		`{"type":"tool_result","id":"c","name":""}`, `{"type":"approval_requested","id":"c"}`, `{"type":"custom","value":1}`,
	} {
		_, err := decode(data)
		require.ErrorContains(t, err, " without ", data)
	}
}

func decode(data string) (Event, error) {
	return Decode(replay.Event{ID: "000000000001.0000", Data: json.RawMessage(data)})
}
