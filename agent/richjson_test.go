package agent

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

var update = flag.Bool("update", false, "write the golden files anew")

// richTurn holds all that a turn can hold.
func (s *shelf) richTurn() Turn {
	return Turn{Messages: []Message{
		{RoleUser, []Part{
			{Image: &tools.Media{Format: "png", Object: s.ours}},
			{Image: &tools.Media{Format: "webp", Bytes: []byte("RIFF")}},
			{Document: &tools.Media{Format: "pdf", Object: s.ours.Unpinned()}},
			{Video: &tools.Media{Format: "mp4", Object: s.ours}},
			{Text: "What is <this>?"},
		}},
		{RoleAssistant, []Part{
			{Reasoning: &Reasoning{Text: "A cover.", Signature: "c2ln"}},
			{Reasoning: &Reasoning{Redacted: []byte{0, 1, 255}}},
			{Reasoning: &Reasoning{Signature: "alone"}},
			{Text: "Let me see."},
			{Citation: &Citation{Text: "Let me see.", Source: "kb", Title: "The <page>", Quotes: []string{"a", "b"},
				Location: Location{Kind: "page", Index: 0, Start: 1, End: 2}}},
			{Citation: &Citation{Location: Location{Kind: "web", URL: "https://example.com/?a=b&c", Domain: "example.com"}}},
			{Citation: &Citation{}},
			{Use: &ToolUse{"c1", "scan", json.RawMessage(`{"n":1}`)}},
			{Use: &ToolUse{"c2", "look", json.RawMessage(`{}`)}},
		}},
		{RoleUser, []Part{
			{Result: &ToolResult{"c1", tools.Result{Blocks: []tools.Block{
				{Image: &tools.Media{Format: "jpeg", Object: s.ours}}, {Document: &tools.Media{Format: "md", Bytes: []byte("# A")}}, {Video: &tools.Media{Format: "three_gp", Bytes: []byte("x")}}, {Text: "and text"}, {JSON: json.RawMessage(`null`)},
			}, Summary: "an ISBN"}}},
			{Result: &ToolResult{"c2", tools.Result{Blocks: []tools.Block{{Text: "no"}}, IsError: true, Summary: "no"}}},
		}},
	}}
}

// testKey is an idempotency key.
const testKey = "00c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf"

func (s *shelf) checkpoint(t testing.TB) *Checkpoint {
	turn := s.richTurn()
	state := &tools.State{}
	var n int
	require.NoError(t, state.Update("uses", &n, func() error { n = 3; return nil }))
	return &Checkpoint{
		Run: "r1", Scope: s.acme, turn: 2, Turns: 5, prompt: &turn.Messages[0], answer: &turn.Messages[1],
		calls: []callState{{index: 0, result: &turn.Messages[2].Parts[0].Result.Result}, {index: 2, key: testKey}},
		notes: []string{"Call 2 of your answer was not run."}, state: state, usage: Usage{1, 2, 3, 4}, called: 7, failing: 1,
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	var pretty bytes.Buffer
	require.NoError(t, json.Indent(&pretty, got, "", "  "))
	pretty.WriteByte('\n')
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile("testdata/"+file, pretty.Bytes(), 0o644))
	}
	want, err := os.ReadFile("testdata/" + file)
	require.NoError(t, err)
	require.Equal(t, string(want), pretty.String())
}

func TestRichTurnJSON(t *testing.T) {
	s := newShelf(t, nil)
	want := s.richTurn()
	b, err := want.Encode(s.acme)
	require.NoError(t, err)
	golden(t, "turn.json", b)
	root, err := s.bucket.In(s.acme)
	require.NoError(t, err)
	got, err := DecodeTurn(b, root)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, s.ours, got.Messages[0].Parts[0].Image.Object, "pinned as it was")

	// A tenant's root holds it too, another's does not, and without one there are no objects.
	wide, err := s.bucket.In(tenant(t, "acme"))
	require.NoError(t, err)
	_, err = DecodeTurn(b, wide)
	require.NoError(t, err)
	foreign, err := s.bucket.In(s.globex)
	require.NoError(t, err)
	_, err = DecodeTurn(b, foreign)
	require.ErrorIs(t, err, object.ErrOutside)
	_, err = DecodeTurn(b, nil)
	require.ErrorContains(t, err, "no root")
	elsewhere, err := must.Get(object.New(object.NewMemory(), "another", nil)).In(s.acme)
	require.NoError(t, err)
	_, err = DecodeTurn(b, elsewhere)
	require.ErrorIs(t, err, object.ErrOutside)

	_, err = want.Encode(s.globex)
	require.ErrorIs(t, err, object.ErrOutside)
	_, err = want.Encode(scope.Scope{})
	require.ErrorIs(t, err, object.ErrOutside)
	_, err = json.Marshal(want)
	require.ErrorContains(t, err, "takes a scope")

	// Without objects json.Marshal will do, also where the turn is plain.
	want = Turn{Messages: []Message{{RoleUser, []Part{{Image: &tools.Media{Format: "gif", Bytes: []byte("x")}}}}, {RoleAssistant, []Part{{Reasoning: &Reasoning{Text: "a"}}, {Text: "b"}}}}}
	b, err = json.Marshal(want)
	require.NoError(t, err)
	got = Turn{}
	require.NoError(t, json.Unmarshal(b, &got))
	require.Equal(t, want, got)
	b, err = wholeTurn().Encode(s.acme)
	require.NoError(t, err)
	plain, err := json.Marshal(wholeTurn())
	require.NoError(t, err)
	require.Equal(t, string(plain), string(b))
}

func TestRichTurnJSONRefuses(t *testing.T) {
	s := newShelf(t, nil)
	root, err := s.bucket.In(s.acme)
	require.NoError(t, err)
	ref, err := s.ours.MarshalJSON()
	require.NoError(t, err)
	for name, c := range map[string]struct{ role, part, want string }{
		"another format":          {"user", `{"image":{"format":"bmp","bytes":"eA=="}}`, "must be one of"},
		"a document as image":     {"user", `{"image":{"format":"pdf","bytes":"eA=="}}`, "must be one of"},
		"an image as document":    {"user", `{"document":{"format":"png","bytes":"eA=="}}`, "must be one of"},
		"a video as image":        {"user", `{"image":{"format":"mp4","bytes":"eA=="}}`, "must be one of"},
		"a video of another kind": {"user", `{"video":{"format":"avi","bytes":"eA=="}}`, "must be one of"},
		"a video of nobody's":     {"assistant", `{"video":{"format":"mp4","bytes":"eA=="}}`, "a video in a message of the assistant"},
		"nothing":                 {"user", `{"image":{"format":"png"}}`, "must have either bytes or an object"},
		"both":                    {"user", `{"image":{"format":"png","bytes":"eA==","object":` + string(ref) + `}}`, "must have either bytes or an object"},
		"no base64":               {"user", `{"image":{"format":"png","bytes":"?"}}`, "illegal base64"},
		"a key":                   {"user", `{"image":{"format":"png","object":"tenant=acme/x"}}`, "not a JSON object"},
		"null":                    {"user", `{"image":{"format":"png","object":null}}`, "not a JSON object"},
		"an open member":          {"user", `{"image":{"format":"png","url":"http://169.254.169.254/"}}`, `unknown field "url"`},
		"of the assistant":        {"assistant", `{"image":{"format":"png","bytes":"eA=="}}`, "an image in a message of the assistant"},
		"reasoning of the user":   {"user", `{"reasoning":{"text":"a"}}`, "reasoning in a message of the user"},
		"a citation of the user":  {"user", `{"citation":{"text":"a"}}`, "a citation in a message of the user"},
		"an open citation":        {"assistant", `{"citation":{"url":"a"}}`, `unknown field "url"`},
		"a negative place":        {"assistant", `{"citation":{"location":{"start":-1}}}`, "negative place"},
		"empty reasoning":         {"assistant", `{"reasoning":{}}`, "without content"},
		"two kinds of reasoning":  {"assistant", `{"reasoning":{"text":"a","redacted":"eA=="}}`, "redacted and is not"},
		"two in a part":           {"user", `{"text":"a","image":{"format":"png","bytes":"eA=="}}`, "not exactly one of"},
		"nothing of version 2":    {"user", `{"text":"a"}`, "version 2, want 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := DecodeTurn([]byte(`{"v":2,"messages":[{"role":"`+c.role+`","parts":[`+c.part+`]}]}`), root)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestCheckpointJSON(t *testing.T) {
	s := newShelf(t, nil)
	root, err := s.bucket.In(s.acme)
	require.NoError(t, err)
	want := s.checkpoint(t)
	b, err := want.Encode(s.acme)
	require.NoError(t, err)
	golden(t, "checkpoint.json", b)
	got, err := DecodeCheckpoint(b, root)
	require.NoError(t, err)
	require.Equal(t, want, got)

	end := &Checkpoint{Run: "r1", turn: 1, Complete: true, output: []byte(`{"a":1}`), state: &tools.State{}}
	b, err = end.Encode(scope.Scope{})
	require.NoError(t, err)
	golden(t, "checkpoint_end.json", b)
	got, err = DecodeCheckpoint(b, nil)
	require.NoError(t, err)
	require.Equal(t, end, got)

	_, err = want.Encode(s.globex)
	require.ErrorContains(t, err, "another scope")
	_, err = want.Encode(tenant(t, "acme"))
	require.ErrorContains(t, err, "another scope")
	stolen := *want
	stolen.Scope = s.globex
	_, err = stolen.Encode(s.globex)
	require.ErrorIs(t, err, object.ErrOutside)
}

func TestCheckpointJSONRefuses(t *testing.T) {
	s := newShelf(t, nil)
	root, err := s.bucket.In(s.acme)
	require.NoError(t, err)
	b, err := s.checkpoint(t).Encode(s.acme)
	require.NoError(t, err)
	for name, c := range map[string]struct{ from, to, want string }{
		"another version":        {`{"v":2`, `{"v":1`, "unsupported version 1: must be one of [2]"},
		"unknown field":          {`{"v":2`, `{"v":2,"admin":true`, "unknown field"},
		"no scope that is one":   {`"scope":"t#acme`, `"scope":"t#acme#u#*`, "is not the partition of a scope"},
		"a foreign scope":        {`"scope":"t#acme`, `"scope":"t#globex`, "not found"},
		"a foreign object":       {`tenant=acme`, `tenant=globex`, "not found"},
		"another's result":       {`"result":{"id":"c1"`, `"result":{"id":"c2"`, "another's result"},
		"more calls":             {`],"notes"`, `,{"index":3,"key":"` + testKey + `"}],"notes"`, "the state of 3"},
		"calls out of order":     {`{"index":2`, `{"index":0`, "not in order"},
		"a call without its key": {`,"key":"` + testKey + `"`, ``, `the invalid key ""`},
		"a short key":            {`"key":"00`, `"key":"`, "the invalid key"},
		"a key beside a result":  {`{"index":0,"result"`, `{"index":0,"key":"` + testKey + `","result"`, "a result and a key"},
		"no run":                 {`"run":"r1"`, `"run":""`, "no run"},
		"negative":               {`"called":7`, `"called":-7`, "negative"},
		"a prompt that calls":    {`"prompt":{"role":"user"`, `"prompt":{"role":"assistant"`, "of the assistant"},
		"state that is none":     {`"state":{"uses":3}`, `"state":[]`, "state"},
		"an early output":        {`"called":7`, `"output":{},"called":7`, "not complete"},
		"done, and calls":        {`"called":7`, `"complete":true,"called":7`, "not at its end"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := bytes.Replace(b, []byte(c.from), []byte(c.to), 1)
			require.NotEqual(t, string(b), string(bad))
			_, err := DecodeCheckpoint(bad, root)
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err = DecodeCheckpoint(append(b, b...), root)
	require.ErrorContains(t, err, "more than one")
}

func FuzzRichTurnJSON(f *testing.F) {
	s := newShelf(f, nil)
	root, err := s.bucket.In(s.acme)
	require.NoError(f, err)
	b, err := s.richTurn().Encode(s.acme)
	require.NoError(f, err)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		one, err := DecodeTurn(b, root)
		if err != nil {
			return
		}
		require.NoError(t, one.check())
		again, err := one.Encode(s.acme)
		require.NoError(t, err)
		two, err := DecodeTurn(again, root)
		require.NoError(t, err)
		third, err := two.Encode(s.acme)
		require.NoError(t, err)
		require.Equal(t, string(again), string(third))
	})
}

func FuzzCheckpointJSON(f *testing.F) {
	s := newShelf(f, nil)
	root, err := s.bucket.In(s.acme)
	require.NoError(f, err)
	b, err := s.checkpoint(f).Encode(s.acme)
	require.NoError(f, err)
	f.Add(b)
	f.Add([]byte(`{"v":2,"run":"r1","turn":1,"turns":0,"usage":{},"called":0,"failing":0,"complete":true,"output":{"a":1}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		one, err := DecodeCheckpoint(b, root)
		if err != nil {
			return
		}
		require.NoError(t, one.check())
		again, err := one.Encode(one.Scope)
		if err != nil { // what it says of itself does not contain its objects
			require.ErrorIs(t, err, object.ErrOutside)
			return
		}
		two, err := DecodeCheckpoint(again, root)
		require.NoError(t, err)
		third, err := two.Encode(two.Scope)
		require.NoError(t, err)
		require.Equal(t, string(again), string(third))
	})
}
