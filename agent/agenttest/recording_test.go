package agenttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/tools"
)

// full is a conversation with everything in it that there is.
func full() recording {
	v, _ := newVault(nil)
	first := &agent.Request{
		System: "You keep a shelf.\nBe brief.", MaxTokens: 512, Cache: true, Choice: agent.Choice{Any: true},
		Tools: []tools.Spec{lookUp, {Name: "odd", Schema: json.RawMessage(`{`)}},
		Messages: []agent.Message{{Role: agent.User, Parts: []agent.Part{
			{Text: "Which book is this? I am at " + url},
			{Image: &tools.Media{Format: "png", Bytes: []byte("\x89PNG")}},
			{Document: &tools.Media{Format: "pdf", Bytes: []byte("%PDF")}},
			{Video: &tools.Media{Format: "mp4", Bytes: []byte("ftyp")}},
		}}},
	}
	second := clone(first)
	second.Messages = append(second.Messages,
		agent.Message{Role: agent.Assistant, Parts: []agent.Part{
			{Reasoning: &agent.Reasoning{Text: "I look\nit up.", Signature: "c2ln"}},
			{Text: "Let me <look>."},
			{Citation: &agent.Citation{Text: "Let me <look>.", Title: "Shelf", Quotes: []string{"key " + key},
				Location: agent.Location{Kind: "page", Index: 1, Start: 2, End: 3}}},
			{Citation: &agent.Citation{Source: "s"}},
			{Use: &agent.ToolUse{ID: "c1", Name: "look_up", Input: json.RawMessage(`{ "word" : "emma", "n": 1e400 }`)}},
		}},
		agent.Message{Role: agent.User, Parts: []agent.Part{
			{Result: &agent.ToolResult{ID: "c1", Result: tools.Result{IsError: true, Summary: "one", Blocks: []tools.Block{
				{Text: "key " + key}, {}, {JSON: json.RawMessage(`null`)}, {JSON: json.RawMessage(`nul`)},
				{Image: &tools.Media{Format: "jpeg", Bytes: []byte{0xff}}}}}}},
			{Text: "caf\xc3"},
		}})
	other := clone(first)
	other.System = "You keep another."
	return recording{Exchanges: []exchange{
		{Request: v.request(first), Answer: v.answer([]agent.Delta{
			agent.ReasoningDelta{Text: "I look\n"}, agent.ReasoningDelta{Text: "it up."}, Think("I look\nit up.", "c2ln"),
			agent.ReasoningPart{Reasoning: agent.Reasoning{Redacted: []byte{1, 2}}},
			Say("Let me "), Say("<look>."), agent.CitationPart{Citation: agent.Citation{Text: "Let me <look>.", Title: "Shelf",
				Quotes: []string{"q"}, Location: agent.Location{Kind: "web", URL: "https://example.com/a", Domain: "example.com"}}},
			agent.SkippedPart{Kind: "server_tool_use"}, agent.UseDelta{ID: "c1", Name: "look_up", Input: `{"wo`}, agent.UseDelta{ID: "c1", Input: `rd":"emma"}`},
			Call("c1", "look_up", `{ "word": "emma" }`), Call("c2", "look_up", `{"word"`), Call("c3", "look_up", ""), Stop(agent.ToolUseReason),
			agent.UsagePart{Usage: agent.Usage{Input: 1, Output: 2, CacheRead: 3, CacheWrite: 4}}})},
		{Request: v.request(second), Answer: v.answer([]agent.Delta{Say("It is "), Say(""), Say("Emma.\n"), Say("\xff")}), Error: v.failure(
			&agent.ModelError{Code: agent.Throttled, Message: "Later.", Retryable: true, Err: fmt.Errorf("arn:aws:iam::111122223333:role/r is throttled")})},
		{Request: v.request(second), Answer: []delta{}, Error: v.failure(fmt.Errorf("lost"))},
		{Request: v.request(other), Answer: v.answer([]agent.Delta{Say("Wh")}), End: left},
		{Request: v.request(first), Answer: []delta{}, End: cancelled},
	}}
}

// The file as a person reads it. It holds down: several lines are an array, what fits is on one line, a request that
// goes on from another holds what is new, secrets and bytes are not there, what is no JSON or no UTF-8 survives.
func TestGolden(t *testing.T) {
	got, err := full().encode()
	require.NoError(t, err)
	path := filepath.Join("testdata", "conversation.json")
	if os.Getenv("UPDATE") != "" {
		require.NoError(t, os.WriteFile(path, got, 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
	for _, s := range []string{key, session, sig, "111122223333"} {
		require.NotContains(t, string(got), s)
	}
	rec, err := decodeRecording(got)
	require.NoError(t, err)
	same(t, full(), rec)
}

// same compares what two recordings hold.
func same(t *testing.T, want, got recording) {
	t.Helper()
	require.Len(t, got.Exchanges, len(want.Exchanges))
	for i := range want.Exchanges {
		a, err := compact(want.Exchanges[i])
		require.NoError(t, err)
		b, err := compact(got.Exchanges[i])
		require.NoError(t, err)
		require.Equal(t, string(a), string(b), "exchange %d", i+1)
		for j, d := range want.Exchanges[i].Answer {
			require.True(t, reflect.DeepEqual(d.delta(), got.Exchanges[i].Answer[j].delta()), "delta %d", j)
		}
	}
}

func TestPretty(t *testing.T) {
	long := strings.Repeat("x", width)
	require.Equal(t, "{\"a\": [1, {}, []], \"b\": \":,\"}\n", string(pretty([]byte(`{"a":[1,{},[]],"b":":,"}`))))
	require.Equal(t, "[\n  \""+long+"\",\n  {\n    \"k\\\"\": \""+long+"\",\n    \"l\": 1\n  }\n]\n", string(pretty([]byte(`["`+long+`",{"k\"":"`+long+`","l":1}]`))))
	require.Equal(t, "7\n", string(pretty([]byte(`7`))))
}

func TestDecodeRefuses(t *testing.T) {
	x := func(s string) string { return `{"agenttest":1,"exchanges":[` + s + `]}` }
	for in, want := range map[string]string{
		``:                             "EOF",
		`{"agenttest":2}`:              "version 2, want 1",
		`{}`:                           "version 0",
		`{"agenttest":1} {}`:           "more than one JSON value",
		`{"agenttest":1,"more":1}`:     "unknown field",
		x(`{"request":{"stream":1}}`):  "unknown field",
		x(`{"end":"bored"}`):           `the end "bored"`,
		x(`{"end":"left","error":{}}`): "both an error and an end",
		x(`{"request":{"continues":1,"messages":[]}}`):                                "exchange 1: it continues exchange 1",
		x(`{"request":{"continues":-1,"messages":[]}}`):                               "it continues exchange -1",
		x(`{"request":{"messages":[]}},{"request":{"continues":1,"system":"s"}}`):     "exchange 2: a request that continues another holds messages alone",
		x(`{"request":{"messages":[{"role":"user","parts":[{"text":7}]}]}}`):          "a text is",
		x(`{"request":{"messages":[{"role":"user","parts":[{"text":{"hex":""}}]}]}}`): "unknown field",
	} {
		_, err := decodeRecording([]byte(in))
		require.ErrorContains(t, err, want, in)
		require.ErrorContains(t, err, "agenttest: decode recording: ")
	}
}

// What a person has laid out in another way is the same recording.
func TestDecodeByHand(t *testing.T) {
	b, err := full().encode()
	require.NoError(t, err)
	var laid bytes.Buffer
	require.NoError(t, json.Indent(&laid, b, "", "        "))
	rec, err := decodeRecording(laid.Bytes())
	require.NoError(t, err)
	same(t, full(), rec)
}

// record → file → recording, for whatever comes.
func FuzzRecording(f *testing.F) {
	f.Add("Which?\n", []byte(`{"word":"emma"}`), []byte(`null`), "c1", false)
	f.Add("caf\xc3\r\n\u2028<>&", []byte(`{"word`), []byte(`"\ud800"`), "\x00", true)
	f.Add("\n\n", []byte("[1 , 2]"), []byte("\"\xff\""), "", false)
	f.Fuzz(func(t *testing.T, said string, input, block []byte, id string, cache bool) {
		v := vaultOf(t)
		r := &agent.Request{System: said, MaxTokens: len(input), Cache: cache, Choice: agent.Choice{Name: id},
			Tools:    []tools.Spec{{Name: id, Description: said, Schema: block}},
			Messages: []agent.Message{{Role: agent.Role(id), Parts: []agent.Part{{Text: said}, {Image: &tools.Media{Format: id, Bytes: block}}}}}}
		next := clone(r)
		next.Messages = append(next.Messages, agent.Message{Role: agent.Assistant, Parts: []agent.Part{
			{Use: &agent.ToolUse{ID: id, Name: said, Input: input}},
			{Result: &agent.ToolResult{ID: id, Result: tools.Result{Summary: said, Blocks: []tools.Block{{JSON: block}, {Text: said}}}}},
			{Reasoning: &agent.Reasoning{Text: said, Signature: id, Redacted: block}}}})
		deltas := []agent.Delta{Say(said), agent.ReasoningDelta{Text: said}, agent.UseDelta{ID: id, Name: id, Input: said}, Call(id, id, string(input)),
			Think(said, id), Stop(agent.Reason(id)), Spent(int64(len(id)), -1)}
		want := recording{Exchanges: []exchange{
			{Request: v.request(r), Answer: v.answer(deltas)},
			{Request: v.request(next), Answer: v.answer(deltas[:1]), Error: v.failure(&agent.ModelError{Code: agent.Code(id), Message: said})},
			{Request: v.request(r), Answer: []delta{}, End: left},
		}}
		b, err := want.encode()
		require.NoError(t, err)
		got, err := decodeRecording(b)
		require.NoError(t, err, "%s", b)
		same(t, want, got)
		again, err := got.encode()
		require.NoError(t, err)
		require.Equal(t, string(b), string(again))
	})
}

// A file that anybody has written is refused or read, and what was read is written in the same way for ever.
func FuzzDecode(f *testing.F) {
	b, err := full().encode()
	require.NoError(f, err)
	f.Add(b)
	f.Add([]byte(`{"agenttest":1,"exchanges":[{"request":{"messages":null},"answer":null}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, err := decodeRecording(b)
		if err != nil {
			return
		}
		b, err = rec.encode()
		require.NoError(t, err)
		again, err := decodeRecording(b)
		require.NoError(t, err)
		b2, err := again.encode()
		require.NoError(t, err)
		require.Equal(t, string(b), string(b2))
	})
}
