package agent

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

func wholeTurn() Turn {
	return Turn{[]Message{
		{RoleUser, []Part{{Text: "What is <this>?"}}},
		{RoleAssistant, []Part{
			{Text: "Let me see."},
			{Use: &ToolUse{"c1", "scan", json.RawMessage(`{"n":12345678901234567890,"deep":[{"a":null}]}`)}},
			{Use: &ToolUse{"c2", "look", json.RawMessage(`{}`)}},
		}},
		{RoleUser, []Part{
			{Result: &ToolResult{"c1", tools.Result{Blocks: []tools.Block{{JSON: json.RawMessage(`{"isbn":"9780141439549"}`)}, {Text: "and text"}}, Summary: "an ISBN"}}},
			{Result: &ToolResult{"c2", tools.Result{Blocks: []tools.Block{{Text: ""}, {JSON: json.RawMessage(`null`)}}, IsError: true}}},
			{Text: "A note."},
		}},
	}}
}

func TestTurnSurvivesItsJSON(t *testing.T) {
	t.Parallel()
	want := wholeTurn()
	b, err := json.Marshal(want)
	require.NoError(t, err)
	require.JSONEq(t, `{"messages":[
		{"role":"user","parts":[{"text":"What is <this>?"}]},
		{"role":"assistant","parts":[{"text":"Let me see."},
			{"use":{"id":"c1","name":"scan","input":{"n":12345678901234567890,"deep":[{"a":null}]}}},
			{"use":{"id":"c2","name":"look","input":{}}}]},
		{"role":"user","parts":[
			{"result":{"id":"c1","summary":"an ISBN","blocks":[{"json":{"isbn":"9780141439549"}},{"text":"and text"}]}},
			{"result":{"id":"c2","is_error":true,"blocks":[{"text":""},{"json":null}]}},
			{"text":"A note."}]}]}`, string(b))
	var got Turn
	require.NoError(t, json.Unmarshal(b, &got))
	require.Equal(t, want, got)

	// A turn inside another document.
	b, err = json.Marshal(map[string]any{"turns": []Turn{want, want}})
	require.NoError(t, err)
	var in struct{ Turns []Turn }
	require.NoError(t, json.Unmarshal(b, &in))
	require.Equal(t, []Turn{want, want}, in.Turns)
}

func TestTurnJSONRejectsInvalidTurns(t *testing.T) {
	t.Parallel()
	whole, err := json.Marshal(wholeTurn())
	require.NoError(t, err)
	swap := func(old, new string) string {
		t.Helper()
		s := strings.Replace(string(whole), old, new, 1)
		require.NotEqual(t, string(whole), s)
		return s
	}
	for name, c := range map[string]struct{ doc, want string }{
		"nothing":              {`null`, "not a JSON object"},
		"unknown field":        {swap(`{"messages"`, `{"w":1,"messages"`), `unknown field "w"`},
		"another case":         {swap(`{"messages"`, `{"Messages":[],"messages"`), `unknown field "Messages"`},
		"a name twice":         {swap(`{"messages"`, `{"messages":[],"messages"`), "appears twice"},
		"half a surrogate":     {swap(`A note.`, `\ud99c`), "half of a surrogate pair"},
		"unknown part":         {swap(`{"text":"A note."}`, `{"audio":"x"}`), `unknown field "audio"`},
		"unknown role":         {swap(`"role":"assistant"`, `"role":"system"`), `unknown role "system"`},
		"empty part":           {swap(`{"text":"A note."}`, `{}`), "must have exactly one of"},
		"two in a part":        {swap(`{"text":"A note."}`, `{"text":"a","use":{"id":"c3","name":"a","input":{}}}`), "must have exactly one of"},
		"parts are missing":    {swap(`[{"text":"What is \u003cthis\u003e?"}]`, `[]`), "parts are missing"},
		"messages are missing": {`{"messages":[]}`, "messages are missing"},
		"call without result":  {swap(`{"result":{"id":"c2","blocks":[{"text":""},{"json":null}],"is_error":true}},`, ``), `the call "c2" lacks a result`},
		"result without call":  {swap(`{"use":{"id":"c2","name":"look","input":{}}}`, `{"text":"x"}`), `the result "c2" does not match a call`},
		"two calls, one id":    {swap(`"use":{"id":"c2"`, `"use":{"id":"c1"`), `two calls have the id "c1"`},
		"two results, one id":  {swap(`"result":{"id":"c2"`, `"result":{"id":"c1"`), `the result "c1" does not match a call`},
		"call by the user":     {swap(`{"text":"A note."}`, `{"use":{"id":"c3","name":"a","input":{}}}`), "a call in a message of the user"},
		"result after text":    {swap(`{"result":{"id":"c1"`, `{"text":"x"},{"result":{"id":"c1"`), "results must come before"},
		"input no object":      {swap(`"input":{}`, `"input":[]`), "not a JSON object"},
		"no input":             {swap(`,"input":{}`, ``), "not valid JSON"},
		"bad name":             {swap(`"name":"look"`, `"name":"look at"`), "does not match"},
		"bad id":               {swap(`"use":{"id":"c2"`, `"use":{"id":"\u0000"`), "a control character"},
		"empty block":          {swap(`{"text":"and text"}`, `{}`), "holds 0 things"},
		"ends with a call":     {`{"messages":[{"role":"assistant","parts":[{"use":{"id":"c1","name":"a","input":{}}}]}]}`, `the call "c1" lacks a result`},
		"begins with results":  {`{"messages":[{"role":"user","parts":[{"result":{"id":"c1","blocks":[]}}]}]}`, `the result "c1" does not match a call`},
		"one side twice":       {`{"messages":[{"role":"user","parts":[{"text":"a"}]},{"role":"user","parts":[{"text":"b"}]}]}`, "two messages of the user"},
		"cut":                  {string(whole[:len(whole)/2]), "unexpected end"},
	} {
		t.Run(name, func(t *testing.T) {
			was := Turn{Messages: []Message{{RoleUser, []Part{{Text: "as before"}}}}}
			got := was
			if name == "nothing" { // json.Unmarshal does not call UnmarshalJSON for null
				require.ErrorContains(t, got.UnmarshalJSON([]byte(c.doc)), c.want)
			} else {
				require.ErrorContains(t, json.Unmarshal([]byte(c.doc), &got), c.want)
			}
			require.Equal(t, was, got)
		})
	}
	require.ErrorContains(t, new(Turn).UnmarshalJSON(append(whole, whole...)), "more than one JSON value")
}

func TestTurnMarshalRejectsIncompleteTurns(t *testing.T) {
	t.Parallel()
	for want, broken := range map[string]Turn{
		"messages are missing": {},
		"lacks a result":       {wholeTurn().Messages[:2]},
		"not UTF-8":            {[]Message{{RoleUser, []Part{{Text: "\xff"}}}}},
	} {
		_, err := json.Marshal(broken)
		require.ErrorContains(t, err, want)
	}
}

// A turn that decodes is complete, and decodes equally again.
func FuzzTurnJSON(f *testing.F) {
	b, err := json.Marshal(wholeTurn())
	require.NoError(f, err)
	f.Add(b)
	f.Add([]byte(`{"messages":[{"role":"user","parts":[{"text":"a"}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var one, two Turn
		if one.UnmarshalJSON(b) != nil {
			return
		}
		require.NoError(t, one.check())
		again, err := json.Marshal(one)
		require.NoError(t, err)
		require.NoError(t, two.UnmarshalJSON(again))
		third, err := json.Marshal(two)
		require.NoError(t, err)
		require.Equal(t, string(again), string(third))
	})
}
