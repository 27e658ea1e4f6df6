package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/object"
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
	for _, want := range allEvents() {
		raw, err := MarshalEvent(want)
		require.NoError(t, err)
		all = append(all, raw)
		got, err := UnmarshalEvent(raw)
		require.NoError(t, err)
		require.Equal(t, want, got)
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

func TestUnmarshalEventIgnoresUnknownFieldsAndNamesUnknownTypes(t *testing.T) {
	t.Parallel()
	got, err := UnmarshalEvent([]byte(`{"later":{"a":1},"delta":"a","type":"text_delta"}`))
	require.NoError(t, err)
	require.Equal(t, TextDelta{"a"}, got)
	got, err = UnmarshalEvent([]byte(`{"type":"tool_result","id":"c1","output":[{"image":{"format":"png","object":{"bucket":"b","key":"tenant=acme/shared/a.png"}}}]}`))
	require.NoError(t, err)
	image := got.(ToolDone).Result.Blocks[0].Image
	require.Empty(t, image.Object.Key(), "an object is unresolved")
	_, err = got.(ToolDone).Result.Resolve()
	require.ErrorIs(t, err, object.ErrInvalid)
	for raw, want := range map[string]string{
		`{"type":"finished"}`:                  `unknown event type "finished"`,
		`{"type":"Text_delta","delta":"a"}`:    "unknown event type",
		`{"delta":"a"}`:                        `unknown event type ""`,
		`{"type":1}`:                           "unknown event type",
		`{"type":"text_delta","delta":1}`:      "cannot unmarshal number",
		`{"type":"step_started","step":"1"}`:   "cannot unmarshal string",
		`{"type":"text_delta","type":"usage"}`: "appears twice",
		`{"type":"text_delta","delta":"\ud8"}`: "not valid JSON",
		`null`:                                 "not a JSON object",
		`{"type":"usage"} {}`:                  "more than one",
	} {
		ev, err := UnmarshalEvent([]byte(raw))
		require.Nil(t, ev, raw)
		require.ErrorContains(t, err, want, raw)
		require.Equal(t, strings.HasPrefix(want, "unknown event type"), errors.Is(err, ErrUnknownEvent), raw)
	}
}

// randomEvent returns an event with random fields.
func randomEvent(r *rand.Rand) Event {
	words := []string{"", "a", "ä€😀", "\u2028<&>", "\"\\\n\x00"}
	word := func() string { return words[r.IntN(len(words))] + words[r.IntN(len(words))] }
	value := func() json.RawMessage {
		raw, _ := json.Marshal(map[string]any{"w" + word(): []any{word(), r.IntN(9), nil}})
		return raw
	}
	counts := func() Usage { return Usage{r.Int64(), r.Int64N(9), r.Int64N(9), r.Int64N(9)} }
	switch r.IntN(12) {
	case 0:
		return StepStarted{r.IntN(100)}
	case 1:
		return StepFinished{r.IntN(100)}
	case 2:
		return TextDelta{word()}
	case 3:
		return ReasoningDelta{word()}
	case 4:
		return CitationPart{Citation{Text: word(), Source: word(), Title: word(), Location: Location{Kind: word(), End: r.IntN(2), URL: word()}}}
	case 5:
		return Partial{JSON: value()}
	case 6:
		return ToolCalled{ToolUse{word(), word(), value()}}
	case 7:
		return ToolProgress{word(), value()}
	case 8:
		blocks := []tools.Block{{Text: word()}, {JSON: value()}, {Document: &tools.Media{Format: "md", Bytes: []byte("x" + word())}}}
		if r.IntN(4) == 0 {
			return ToolDone{ID: word(), Truncated: true, Result: tools.Result{Summary: word()}}
		}
		return ToolDone{ID: word(), Name: word(), Took: time.Duration(r.IntN(9999)) * time.Millisecond,
			Result: tools.Result{Blocks: blocks[:1+r.IntN(3)], Summary: word(), IsError: r.IntN(2) == 0}}
	case 9:
		return ToolPending{word(), word(), value(), word(), word(), time.Unix(r.Int64N(1e9), r.Int64N(1e9)).UTC()}
	case 10:
		return UsageReport{counts(), word()}
	}
	return Compacted{Count: r.IntN(9), Usage: counts()}
}

func TestEventsSurviveTheirJSON(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		want := randomEvent(r)
		raw, err := MarshalEvent(want)
		require.NoError(t, err)
		got, err := UnmarshalEvent(raw)
		require.NoError(t, err)
		require.Equal(t, want, got, "%s", raw)
	}
}

func FuzzUnmarshalEvent(f *testing.F) {
	for _, ev := range allEvents() {
		raw, err := MarshalEvent(ev)
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		one, err := UnmarshalEvent(raw)
		if err != nil {
			return
		}
		again, err := MarshalEvent(one)
		require.NoError(t, err)
		two, err := UnmarshalEvent(again)
		require.NoError(t, err)
		third, err := MarshalEvent(two)
		require.NoError(t, err)
		require.Equal(t, string(again), string(third))
	})
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
