package runner

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/tools"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestEventsHaveAStableForm(t *testing.T) {
	t.Parallel()
	run := &Run{ID: "s.2", Prompt: "Which book?", Media: []tools.Media{{Format: "png", Bytes: []byte("x")}}}
	continuing := &Run{ID: "s.3", Continues: "s.2"}
	var got bytes.Buffer
	add := func(raw json.RawMessage, err error) {
		require.NoError(t, err)
		got.Write(append(raw, '\n'))
	}
	add(encodeQueued(run))
	add(encodeStarted(continuing))
	addAll := func(events []json.RawMessage, err error) {
		require.NoError(t, err)
		for _, raw := range events {
			add(raw, nil)
		}
	}
	addAll(encodeMessage(run, nil))
	addAll(encodeMessage(continuing, []decision{{Approval: "a1", Approved: false, Reason: "Too old."}, {Approval: "a2", Approved: true}}))
	add(encodeCustom(Custom{Name: "metadata_update", Value: json.RawMessage(`{"title":"Emma"}`)}))
	add(encodeRetract(""))
	add(encodeRetract("000000000002.0001"))
	add(encodeEnd(Result{Status: StatusComplete, Output: json.RawMessage(`{"title":"Emma"}`)}))
	add(encodeEnd(Result{Status: StatusComplete, StopReason: agent.StopEndTurn}))
	add(encodeEnd(Result{Status: StatusComplete, StopReason: "refusal"}))
	add(encodeEnd(Result{Status: StatusPending}))
	add(encodeEnd(newFailure(&agent.RunError{Code: agent.CodeThrottled, Message: "Too busy.", Retryable: true})))
	add(encodeEnd(newFailure(&agent.RunError{Code: agent.CodeLimit, Message: "Too many turns."})))
	add(encodeEnd(newFailure(errors.New("secret"))))
	add(encodeToolDone(agent.ToolDone{ID: "c1", Name: "find", Took: time.Second, Result: tools.Result{
		Blocks: []tools.Block{{Text: strings.Repeat("x", maxOutput)}}, Summary: "A page",
	}}))
	const path = "testdata/events.jsonl"
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o750))
		require.NoError(t, os.WriteFile(path, got.Bytes(), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got.String())
}

func TestMergeDeltasKeepsTheText(t *testing.T) {
	t.Parallel()
	marshal := func(ev agent.Event) json.RawMessage {
		raw, err := agent.MarshalEvent(ev)
		require.NoError(t, err)
		return raw
	}
	for name, c := range map[string]struct {
		first, second agent.Event
		want          string
	}{
		"text":          {agent.TextDelta{Text: "a\"\\\n"}, agent.TextDelta{Text: "é\" }"}, `{"type":"text_delta","delta":"a\"\\\né\" }"}`},
		"reasoning":     {agent.ReasoningDelta{Text: "a"}, agent.ReasoningDelta{Text: "b"}, `{"type":"reasoning_delta","delta":"ab"}`},
		"empty":         {agent.TextDelta{}, agent.TextDelta{Text: "b"}, `{"type":"text_delta","delta":"b"}`},
		"partial":       {agent.Partial{JSON: json.RawMessage(`{"a":1}`)}, agent.Partial{JSON: json.RawMessage(`{"a":12}`)}, `{"type":"partial","value":{"a":12}}`},
		"other kinds":   {agent.TextDelta{Text: "a"}, agent.ReasoningDelta{Text: "b"}, ""},
		"not deltas":    {agent.StepStarted{Step: 1}, agent.StepStarted{Step: 2}, ""},
		"text and call": {agent.TextDelta{Text: "a"}, agent.ToolProgress{ID: "c", Value: json.RawMessage("1")}, ""},
	} {
		got, ok := MergeDeltas(marshal(c.first), marshal(c.second))
		assert.Equal(t, c.want != "", ok, name)
		if ok {
			assert.JSONEq(t, c.want, string(got), name)
		}
	}
}

func FuzzMergeDeltas(f *testing.F) {
	f.Add("a", "b")
	f.Add("\"", "\\")
	f.Add("\x80", "\u2028<")
	f.Fuzz(func(t *testing.T, a, b string) {
		first, err := agent.MarshalEvent(agent.TextDelta{Text: a})
		require.NoError(t, err)
		second, err := agent.MarshalEvent(agent.TextDelta{Text: b})
		require.NoError(t, err)
		whole, err := agent.MarshalEvent(agent.TextDelta{Text: strings.ToValidUTF8(a, "\ufffd") + strings.ToValidUTF8(b, "\ufffd")})
		require.NoError(t, err)
		got, ok := MergeDeltas(first, second)
		require.True(t, ok)
		var x, y agent.TextDelta
		require.NoError(t, json.Unmarshal(got, &x))
		require.NoError(t, json.Unmarshal(whole, &y))
		if strings.ToValidUTF8(a, "") == a && strings.ToValidUTF8(b, "") == b {
			require.Equal(t, y, x)
		}
	})
}

func BenchmarkMergeDeltas(b *testing.B) {
	b.ReportAllocs()
	first := make(json.RawMessage, 0, 1<<20)
	first = append(first, `{"type":"text_delta","delta":"a"}`...)
	second := json.RawMessage(`{"type":"text_delta","delta":" token"}`)
	for b.Loop() {
		if len(first) > 1<<19 {
			first = first[:0]
			first = append(first, `{"type":"text_delta","delta":"a"}`...)
		}
		first, _ = MergeDeltas(first, second)
	}
}
