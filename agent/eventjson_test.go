package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

// allEvents returns one event of each type that has a JSON form, with all its fields set.
func allEvents() []Event {
	return []Event{
		StepStarted{1},
		TextDelta{"It is <a> \u2028 \"cover\"."},
		ReasoningDelta{"Hm."},
		CitationPart{Citation{Text: "a cover", Source: "kb", Title: "The page", Quotes: []string{"a", "b"},
			Location: Location{Kind: "page", Index: 1, Start: 2, End: 3}}},
		CitationPart{},
		ToolCalled{ToolUse{"c1", "scan", json.RawMessage(`{"n":12345678901234567890}`)}},
		ToolProgress{"c1", json.RawMessage(`{"done":0.5}`)},
		ToolDone{ID: "c1", Name: "scan", Took: 1500 * time.Millisecond, Result: tools.Result{Summary: "no cover", IsError: true,
			Blocks: []tools.Block{{Text: "no"}, {JSON: json.RawMessage(`[null]`)}, {Image: &tools.Media{Format: "png", Bytes: []byte("x")}}}}},
		ToolDone{},
		ToolDone{ID: "c4", Name: "scan", Result: tools.Result{Summary: "A page"}, Truncated: true},
		ToolPending{ID: "c2", Name: "lend", Input: json.RawMessage(`{"title":"Emma"}`), Approval: "a1", Reason: "Somebody has to agree.",
			Expires: time.Date(2026, 1, 31, 15, 4, 5, 0, time.UTC)},
		ToolPending{ID: "c3", Name: "lend", Input: json.RawMessage(`{}`)},
		UsageReport{Usage: Usage{1, 2, 3, 4}, Model: "m"},
		UsageReport{},
		StepFinished{1},
		Compacted{Count: 2, Usage: Usage{Input: 5}},
		Partial{JSON: json.RawMessage(`{"title":"Mo"}`)},
	}
}

func TestEventJSONIsTheDocumentedForm(t *testing.T) {
	t.Parallel()
	var all []json.RawMessage
	for _, ev := range allEvents() {
		raw, err := MarshalEvent(ev)
		require.NoError(t, err)
		all = append(all, raw)
	}
	raw, err := json.Marshal(all)
	require.NoError(t, err)
	golden(t, "events.json", raw)
}

func TestEventsForTheHostHaveNoJSON(t *testing.T) {
	t.Parallel()
	for _, ev := range []Event{nil, Done{}, Checkpointed{Checkpoint: &Checkpoint{Run: "r"}}} {
		_, err := MarshalEvent(ev)
		require.ErrorContains(t, err, "does not have a JSON form")
	}
	raw, err := MarshalEvent(ToolDone{ID: "c1", Err: errors.New("secret")})
	require.NoError(t, err)
	require.NotContains(t, string(raw), "secret")
	raw, err = MarshalEvent(Compacted{Turns: []Turn{wholeTurn()}, Count: 1})
	require.NoError(t, err)
	require.NotContains(t, string(raw), "isbn")
}

// tell returns the types of a run's events that have a JSON form, with the numbers of the steps.
func tell(t *testing.T, a *Agent, in Input) (told []string, last Done) {
	t.Helper()
	for ev, err := range a.Stream(t.Context(), in) {
		require.NoError(t, err)
		switch ev := ev.(type) {
		case StepStarted:
			told = append(told, fmt.Sprint("start ", ev.Step))
		case StepFinished:
			told = append(told, fmt.Sprint("finish ", ev.Step))
		case Checkpointed:
			told = append(told, "checkpoint")
		case Done:
			last = ev
		default:
			told = append(told, ev.eventType())
		}
	}
	return told, last
}

func TestStepsEncloseTheirEvents(t *testing.T) {
	t.Parallel()
	approved := false
	wait := mustTool(t, "wait", func(context.Context, *tools.Call, string) (string, error) {
		if !approved {
			return "", &tools.PendingError{Reason: "?"}
		}
		return "ok", nil
	})
	m := play(
		step{text("So."), use("c1", "echo", `{"word":"a"}`), UsageReport{Usage: Usage{Input: 1}}, calls},
		step{use("c2", "wait", `{"word":"a"}`), calls},
		step{text("Done."), end},
	)
	a := newAgent(t, m, Limits{}, echo(t), wait)
	in := Input{Scope: tenant(t, "acme"), Run: "r", Prompt: "Go."}
	told, done := tell(t, a, in)
	require.Equal(t, []string{
		"start 1", "text_delta", "usage", "checkpoint", "tool_call", "tool_result", "finish 1", "checkpoint",
		"start 2", "checkpoint", "tool_call", "approval_requested", "checkpoint",
	}, told)
	require.Equal(t, OutcomePending, done.Outcome)

	approved, in.Prompt, in.History, in.Resume = true, "", done.History, done.Checkpoint
	told, done = tell(t, a, in)
	require.Equal(t, []string{
		"tool_call", "tool_result", "finish 2", "checkpoint", "start 3", "text_delta", "finish 3", "checkpoint",
	}, told)
	require.Equal(t, OutcomeComplete, done.Outcome)
}

func TestUsageReportNamesTheModel(t *testing.T) {
	t.Parallel()
	report := UsageReport{Usage: Usage{Input: 1}}
	busy := named{play(step{&ModelError{Code: CodeThrottled}}, step{&ModelError{Code: CodeThrottled}}), "one"}
	other := named{play(step{text("a"), report, end}, step{text("a"), UsageReport{Usage: Usage{Input: 1}, Model: "its own"}, end}), "two"}
	a := newAgent(t, Fallback(busy, other), Limits{})
	for _, want := range []string{"two", "its own"} {
		evs, failed := drain(t, a, t.Context(), Input{Prompt: "Go."})
		require.Nil(t, failed)
		require.Equal(t, UsageReport{Usage: Usage{Input: 1}, Model: want}, evs[1])
	}
}

func TestCompactedReportsItsUsage(t *testing.T) {
	t.Parallel()
	drop := func(_ context.Context, turns []Turn, _ bool) ([]Turn, Usage, error) {
		return turns[1:], Usage{Input: 7}, nil
	}
	a, err := New(play(step{text("a"), end}), &Options{Compact: drop})
	require.NoError(t, err)
	h := History{Turns: []Turn{wholeTurn(), wholeTurn()}}
	evs, failed := drain(t, a, t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go.", History: h})
	require.Nil(t, failed)
	require.Equal(t, Compacted{Turns: h.Turns[1:], Count: 1, Usage: Usage{Input: 7}}, evs[0])
}

func TestTextOfEventsIsEscapedAsLittleAsPossible(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a <b> & \"c\" \\ é\n\x01\u2028": `a <b> & \"c\" \\ é\n\u0001` + "\u2028",
		"half \xe4 rune":                 `half \ufffd rune`,
	} {
		for kind, ev := range map[string]Event{"text": TextDelta{Text: text}, "reasoning": ReasoningDelta{Text: text}} {
			raw, err := AppendEvent([]byte("before "), ev)
			require.NoError(t, err)
			require.Equal(t, `before {"type":"`+kind+`_delta","delta":"`+want+`"}`, string(raw))
		}
	}
	raw, err := MarshalEvent(ToolDone{ID: "1", Name: "f", Result: tools.Result{Summary: "<b>"}})
	require.NoError(t, err)
	require.Contains(t, string(raw), `"summary":"<b>"`)
	raw, err = AppendEvent([]byte("before"), Done{})
	require.Error(t, err)
	require.Equal(t, "before", string(raw))
}

func TestAppendEventOfADeltaDoesNotAllocate(t *testing.T) {
	b := make([]byte, 0, 256)
	var ev Event = TextDelta{Text: "a \"word\" "}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := AppendEvent(b, ev); err != nil {
			t.Fatal(err)
		}
	}))
}
