package agent

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/tools"
)

// requireSendable fails unless all arguments and results of the requests are strict JSON.
func requireSendable(t *testing.T, m *script) {
	t.Helper()
	require.NoError(t, m.bad)
	for _, r := range m.requests {
		for _, msg := range r.Messages {
			for _, p := range msg.Parts {
				if p.Use != nil {
					require.NoError(t, strictjson.CheckObject(p.Use.Input))
				}
				if p.Result != nil {
					for _, b := range p.Result.Blocks {
						if b.JSON != nil {
							require.NoError(t, strictjson.Check(b.JSON))
						}
					}
				}
			}
		}
	}
}

// Arguments that only some readers accept as JSON are not run or sent back as a call: a text quotes them.
func TestLenientArgumentsAreQuotedAsText(t *testing.T) {
	t.Parallel()
	for name, input := range map[string]string{
		"half a surrogate pair": `{"word":"\ud99c"}`, "the other half": `{"word":"\udc00!"}`, "the halves exchanged": `{"word":"\udc00\ud99c"}`,
		"in a name": `{"\ud99c":"a"}`, "deeper": `{"word":"a","x":[{"y":"\ud99c"}]}`, "not UTF-8": "{\"word\":\"\xff\"}",
		"a name twice": `{"word":"a","word":"b"}`, "too deep": strings.Repeat(`{"a":`, 1001) + "1" + strings.Repeat("}", 1001),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := play(step{use("c1", "echo", input), calls}, step{text("ok"), end}, step{text("yes"), end})
			a := newAgent(t, m, Limits{}, echo(t))
			in := Input{Scope: tenant(t, "acme"), Prompt: "Go."}
			done, err := a.Run(t.Context(), in)
			require.NoError(t, err)
			b, err := json.Marshal(done.History.Turns)
			require.NoError(t, err)
			require.NoError(t, strictjson.Check(b))
			in.History = done.History
			_, err = a.Run(t.Context(), in)
			require.NoError(t, err)
			requireSendable(t, m)
			note := done.History.Turns[0].Messages[2].Parts[0].Text
			require.Contains(t, note, "The arguments were: "+string(strictjson.Repair([]byte(input)))[:10])
			require.Less(t, len(note), 2*maxQuoted)
		})
	}
}

// A tool's result in such JSON is repaired, also if it is truncated, or becomes a failed result.
func TestLenientResultsAreRepairedOrFail(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{`{"a":"\ud99c"}`, `["\udc00"]`, `"\ud99c"`, `{"a":1,"a":2}`, `{"a":"` + strings.Repeat("x", 500) + `\ud99c"}`} {
		for _, mw := range [][]tools.Middleware{nil, {tools.Truncate(300)}} {
			tool, err := tools.New("get", "Gets.", func(context.Context, *tools.Call, struct{}) (json.RawMessage, error) {
				return json.RawMessage(raw), nil
			}, mw...)
			require.NoError(t, err)
			m := play(step{use("c1", "get", `{}`), calls}, step{text("ok"), end})
			_, err = newAgent(t, m, Limits{}, tool).Run(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
			require.NoError(t, err)
			requireSendable(t, m)
		}
	}
}

// Arguments and results that only some readers accept as JSON are rejected, in memory and as a stored turn.
func TestHistoryRejectsLenientJSON(t *testing.T) {
	t.Parallel()
	const stored = `{"messages":[{"role":"user","parts":[{"text":"Go."}]},` +
		`{"role":"assistant","parts":[{"use":{"id":"c1","name":"echo","input":INPUT}}]},` +
		`{"role":"user","parts":[{"result":{"id":"c1","blocks":[{"text":"t"},{"json":RESULT}]}}]}]}`
	for name, values := range map[string][2]string{
		"half a surrogate pair in arguments": {`{"a":"\ud99c"}`, `{}`}, "a name twice in arguments": {`{"a":1,"a":2}`, `{}`},
		"half a surrogate pair in a result": {`{}`, `["\udc00"]`}, "a name twice in a result": {`{}`, `[{"b":1,"b":2}]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := strings.NewReplacer("INPUT", values[0], "RESULT", values[1]).Replace(stored)
			require.ErrorContains(t, new(Turn).UnmarshalJSON([]byte(raw)), "agent: unmarshal turn: ")

			result := tools.Result{Blocks: []tools.Block{{Text: "t"}, {JSON: json.RawMessage(values[1])}}}
			h := History{Turns: []Turn{wholeTurn(), {Messages: []Message{
				{RoleUser, []Part{{Text: "Go."}}},
				{RoleAssistant, []Part{{Use: &ToolUse{"c1", "echo", json.RawMessage(values[0])}}}},
				{RoleUser, []Part{{Result: &ToolResult{"c1", result}}}},
			}}}}
			_, err := newAgent(t, play(step{text("ok"), end}), Limits{}).
				Run(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "On.", History: h})
			failed, ok := errors.AsType[*RunError](err)
			require.True(t, ok, "%v", err)
			require.Equal(t, CodeInvalidCall, failed.Code)
		})
	}
}

// Arguments and results as deep as they are accepted survive the JSON of turns, checkpoints and events.
func TestDeepestArgumentsAndResultsSurviveTheirJSON(t *testing.T) {
	t.Parallel()
	deep := json.RawMessage(strings.Repeat(`{"a":`, strictjson.MaxDepth) + "1" + strings.Repeat("}", strictjson.MaxDepth))
	look, err := tools.New("look", "Looks.", func(context.Context, *tools.Call, struct{}) (json.RawMessage, error) {
		return deep, nil
	})
	require.NoError(t, err)
	m := play(step{use("c1", "look", `{}`), use("c2", "unknown", string(deep)), calls}, step{text("ok"), end})
	for ev, err := range newAgent(t, m, Limits{}, look).Stream(t.Context(), Input{Scope: tenant(t, "acme"), Run: "r", Prompt: "Go."}) {
		require.NoError(t, err)
		if c, ok := ev.(Checkpointed); ok {
			b, err := json.Marshal(c.Checkpoint)
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(b, new(Checkpoint)))
			continue
		}
		if d, ok := ev.(Done); ok {
			require.Equal(t, deep, d.History.Turns[0].Messages[2].Parts[0].Result.Blocks[0].JSON)
			b, err := json.Marshal(d.History.Turns)
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(b, new([]Turn)))
			continue
		}
		b, err := MarshalEvent(ev)
		require.NoError(t, err)
		_, err = strictjson.ParseEnvelope(b)
		require.NoError(t, err)
	}
}
