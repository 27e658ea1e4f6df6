package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

var update = flag.Bool("update", false, "write the golden files anew")

// richTurn returns a turn with every kind of part.
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
	return &Checkpoint{Run: "r1", Turns: 5, scope: s.acme, at: moment{
		Answers: 2, Prompt: &turn.Messages[0], Answer: &turn.Messages[1],
		Calls: []callState{{Index: 0, Result: &turn.Messages[2].Parts[0].Result.Result}, {Index: 2, Key: testKey}},
		Notes: []string{"Call 2 of your answer was not run."}, State: state, Usage: Usage{1, 2, 3, 4}, Called: 7, Failing: 1,
	}}
}

// root returns the root of one of the shelf's scopes.
func (s *shelf) root(t testing.TB, sc scope.Scope) *object.Root {
	t.Helper()
	root, err := s.bucket.In(sc)
	require.NoError(t, err)
	return root
}

// decodeTurn decodes a turn and resolves it if there are roots.
func decodeTurn(raw []byte, roots ...*object.Root) (Turn, error) {
	var turn Turn
	if err := json.Unmarshal(raw, &turn); err != nil || len(roots) == 0 {
		return turn, err
	}
	return turn.Resolve(roots...)
}

// decodeCheckpoint is decodeTurn for a checkpoint.
func decodeCheckpoint(raw []byte, roots ...*object.Root) (*Checkpoint, error) {
	c := &Checkpoint{}
	if err := json.Unmarshal(raw, c); err != nil || len(roots) == 0 {
		return c, err
	}
	return c.Resolve(roots...)
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

func TestTurnJSONIsTheDocumentedForm(t *testing.T) {
	t.Parallel()
	s := newShelf(t, nil)
	want := s.richTurn()
	b, err := json.Marshal(want)
	require.NoError(t, err)
	golden(t, "turn.json", b)
	got, err := decodeTurn(b, s.root(t, s.acme))
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, s.ours, got.Messages[0].Parts[0].Image.Object, "pinned as it was")
}

func TestResolveFindsTheObjectsOfTheRootsOnly(t *testing.T) {
	t.Parallel()
	s := newShelf(t, nil)
	b, err := json.Marshal(s.richTurn())
	require.NoError(t, err)
	unresolved, err := decodeTurn(b)
	require.NoError(t, err)

	// The tenant's root contains the objects. Another tenant's does not, and at least one root is required.
	_, err = unresolved.Resolve(s.root(t, tenant(t, "acme")))
	require.NoError(t, err)
	_, err = unresolved.Resolve(s.root(t, s.globex))
	require.ErrorIs(t, err, object.ErrOutside)
	_, err = unresolved.Resolve()
	require.ErrorContains(t, err, "must not be empty")
	elsewhere, err := must.Get(object.New(object.NewMemory(), "another", nil)).In(s.acme)
	require.NoError(t, err)
	_, err = unresolved.Resolve(elsewhere)
	require.ErrorIs(t, err, object.ErrOutside)
	require.Empty(t, unresolved.Messages[0].Parts[0].Image.Object.Key(), "the decoded turn does not change")
	again, err := json.Marshal(unresolved)
	require.NoError(t, err)
	require.Equal(t, string(b), string(again), "unresolved objects keep their form")

	plain := wholeTurn()
	got, err := plain.Resolve()
	require.NoError(t, err, "a turn without objects does not need a root")
	require.Equal(t, plain, got)
}

func TestUnresolvedObjectsAreRejected(t *testing.T) {
	t.Parallel()
	s := newShelf(t, nil)
	b, err := json.Marshal(s.richTurn())
	require.NoError(t, err)
	turn, err := decodeTurn(b)
	require.NoError(t, err)
	image := turn.Messages[0].Parts[0].Image
	b, err = json.Marshal(s.checkpoint(t))
	require.NoError(t, err)
	c, err := decodeCheckpoint(b)
	require.NoError(t, err)
	show, err := tools.New("show", "Shows a cover.", func(context.Context, *tools.Call, struct{}) (tools.Media, error) {
		return *image, nil
	})
	require.NoError(t, err)
	five := slices.Repeat([]Turn{wholeTurn()}, 5)
	for name, in := range map[string]Input{
		"in the history":    {Scope: s.acme, Prompt: "Go.", History: History{Turns: []Turn{turn}}},
		"in the input":      {Scope: s.acme, Prompt: "Go.", Media: []tools.Media{*image}},
		"in a checkpoint":   {Scope: s.acme, Run: "r1", Resume: c, History: History{Turns: five}},
		"without any scope": {Prompt: "Go.", Media: []tools.Media{*image}},
	} {
		for _, objects := range []*object.Bucket{s.bucket, nil} {
			m := play()
			a, err := New(m, &Options{Objects: objects})
			require.NoError(t, err)
			_, err = a.Run(t.Context(), in)
			require.ErrorIs(t, err, object.ErrOutside, name)
			require.ErrorContains(t, err, "unresolved", name)
			require.Empty(t, m.requests, name)
		}
	}
	m := play(step{use("c1", "show", `{}`), calls}, step{text("ok"), end})
	done, err := s.agent(t, m, nil, show).Run(t.Context(), Input{Scope: s.acme, Prompt: "Go."})
	require.NoError(t, err)
	require.Equal(t, "user: {c1! The tool ran, but its result cannot be shown.}", lines(done.History)[2])
	_, _, err = s.root(t, s.acme).Stat(t.Context(), image.Object)
	require.ErrorIs(t, err, object.ErrOutside)
}

func TestTurnJSONRejectsInvalidContent(t *testing.T) {
	t.Parallel()
	s := newShelf(t, nil)
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
		"empty reasoning":         {"assistant", `{"reasoning":{}}`, "the reasoning is empty"},
		"two kinds of reasoning":  {"assistant", `{"reasoning":{"text":"a","redacted":"eA=="}}`, "both redacted and plain"},
		"two in a part":           {"user", `{"text":"a","image":{"format":"png","bytes":"eA=="}}`, "must have exactly one of"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decodeTurn([]byte(`{"messages":[{"role":"` + c.role + `","parts":[` + c.part + `]}]}`))
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestCheckpointJSONIsTheDocumentedForm(t *testing.T) {
	t.Parallel()
	s := newShelf(t, nil)
	want := s.checkpoint(t)
	b, err := json.Marshal(want)
	require.NoError(t, err)
	golden(t, "checkpoint.json", b)
	got, err := decodeCheckpoint(b, s.root(t, s.acme))
	require.NoError(t, err)
	require.Equal(t, want, got)
	_, err = decodeCheckpoint(b, s.root(t, s.globex))
	require.ErrorIs(t, err, object.ErrOutside)

	end := &Checkpoint{Run: "r1", at: moment{Answers: 1, Complete: true, Output: []byte(`{"a":1}`), StopReason: StopToolUse, State: &tools.State{}}}
	require.NoError(t, end.at.State.UnmarshalJSON([]byte(`{}`))) // as in a decoded checkpoint
	b, err = json.Marshal(end)
	require.NoError(t, err)
	golden(t, "checkpoint_end.json", b)
	got, err = decodeCheckpoint(b)
	require.NoError(t, err)
	require.Equal(t, end, got)
}

func TestCheckpointJSONRejects(t *testing.T) {
	t.Parallel()
	s := newShelf(t, nil)
	b, err := json.Marshal(s.checkpoint(t))
	require.NoError(t, err)
	for name, c := range map[string]struct{ from, to, want string }{
		"unknown field":          {`{"run"`, `{"admin":true,"run"`, "unknown field"},
		"no scope that is one":   {`"scope":"t#acme`, `"scope":"t#acme#u#*`, "is not the partition of a scope"},
		"no scope at all":        {`"scope":"t#acme#u#u1`, `"scope":"none`, "is not the partition of a scope"},
		"a foreign object":       {`tenant=acme`, `tenant=globex`, "not found"},
		"more calls":             {`],"notes"`, `,{"index":3,"key":"` + testKey + `"}],"notes"`, "but there are 3 call states"},
		"calls out of order":     {`{"index":2`, `{"index":0`, "not in order"},
		"a call without its key": {`,"key":"` + testKey + `"`, ``, `the invalid key ""`},
		"a short key":            {`"key":"00`, `"key":"`, "the invalid key"},
		"a key beside a result":  {`{"index":0,"result"`, `{"index":0,"key":"` + testKey + `","result"`, "a result and a key"},
		"no run":                 {`"run":"r1"`, `"run":""`, "id is missing"},
		"negative":               {`"called":7`, `"called":-7`, "negative"},
		"a prompt that calls":    {`"prompt":{"role":"user"`, `"prompt":{"role":"assistant"`, "of the assistant"},
		"state that is none":     {`"state":{"uses":3}`, `"state":[]`, "state"},
		"an early output":        {`"called":7`, `"output":{},"called":7`, "not complete"},
		"an early reason":        {`"called":7`, `"stop_reason":"refusal","called":7`, "not complete"},
		"done, and calls":        {`"called":7`, `"complete":true,"called":7`, "a complete run has an answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := bytes.Replace(b, []byte(c.from), []byte(c.to), 1)
			require.NotEqual(t, string(b), string(bad))
			_, err := decodeCheckpoint(bad, s.root(t, s.acme))
			require.ErrorContains(t, err, c.want)
		})
	}
	require.ErrorContains(t, new(Checkpoint).UnmarshalJSON(append(b, b...)), "more than one")
	foreign, err := decodeCheckpoint(bytes.Replace(b, []byte(`"scope":"t#acme`), []byte(`"scope":"t#globex`), 1), s.root(t, s.acme))
	require.NoError(t, err)
	_, err = s.agent(t, play(), nil).Run(t.Context(), Input{Scope: s.acme, Run: "r1", Resume: foreign, History: History{Turns: slices.Repeat([]Turn{wholeTurn()}, 5)}})
	require.ErrorContains(t, err, "another scope")
}

func FuzzRichTurnJSON(f *testing.F) {
	s := newShelf(f, nil)
	root := s.root(f, s.acme)
	b, err := json.Marshal(s.richTurn())
	require.NoError(f, err)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		one, err := decodeTurn(b, root)
		if err != nil {
			return
		}
		require.NoError(t, one.check())
		again, err := json.Marshal(one)
		require.NoError(t, err)
		two, err := decodeTurn(again, root)
		require.NoError(t, err)
		third, err := json.Marshal(two)
		require.NoError(t, err)
		require.Equal(t, string(again), string(third))
	})
}

func FuzzCheckpointJSON(f *testing.F) {
	s := newShelf(f, nil)
	root := s.root(f, s.acme)
	b, err := json.Marshal(s.checkpoint(f))
	require.NoError(f, err)
	f.Add(b)
	f.Add([]byte(`{"run":"r1","answers":1,"turns":0,"usage":{},"called":0,"failing":0,"complete":true,"output":{"a":1}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		one, err := decodeCheckpoint(b, root)
		if err != nil {
			return
		}
		require.NoError(t, one.check())
		again, err := json.Marshal(one)
		require.NoError(t, err)
		two, err := decodeCheckpoint(again, root)
		require.NoError(t, err)
		third, err := json.Marshal(two)
		require.NoError(t, err)
		require.Equal(t, string(again), string(third))
	})
}
