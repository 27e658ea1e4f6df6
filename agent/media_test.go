package agent

import (
	"context"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

func (s *shelf) agent(t testing.TB, m Model, audit *refusals, ts ...*tools.Tool) *Agent {
	t.Helper()
	o := &Options{Objects: s.bucket, Tools: tools.Of(ts...)}
	if audit != nil {
		o.Audit = audit
	}
	a, err := New(m, o)
	require.NoError(t, err)
	return a
}

// Media reach the model unchanged, and the model may load objects.
func TestMediaPrecedeThePrompt(t *testing.T) {
	t.Parallel()
	s := newShelf(t, nil)
	var got []byte
	m := modelFunc(func(ctx context.Context, r *Request) iterDeltas {
		b, err := r.Load(ctx, r.Messages[0].Parts[0].Image.Object, 9)
		require.NoError(t, err)
		got = b
		_, err = r.Load(ctx, r.Messages[0].Parts[0].Image.Object, 8)
		require.ErrorIs(t, err, object.ErrTooLarge)
		_, err = r.Load(ctx, s.theirs, 100)
		require.ErrorIs(t, err, object.ErrNotFound)
		return play(step{text("A cover."), end}).Stream(ctx, r)
	})
	done, err := s.agent(t, m, nil).Run(t.Context(), Input{Scope: s.acme, Prompt: "What is this?", Media: []tools.Media{
		{Format: "png", Object: s.ours}, picture("J"), paper("P"),
	}})
	require.NoError(t, err)
	require.Equal(t, "OUR BYTES", string(got))
	require.Equal(t, []string{"user: (png cover.png) (gif J) (pdf P) What is this?", "assistant: A cover."}, lines(done.History))

	// Media alone are a valid message. Objects cannot be loaded without a bucket.
	p := play(step{text("Yes."), end})
	_, err = newAgent(t, p, Limits{}).Run(t.Context(), Input{Scope: s.acme, Media: []tools.Media{{Format: "png", Object: s.ours}}})
	require.NoError(t, err)
	require.Nil(t, p.requests[0].Load)
}

// The scope of every medium that a part or a block can hold is checked, and every one is resolved.
func TestEveryFieldWithMediaIsChecked(t *testing.T) {
	t.Parallel()
	s := newShelf(t, nil)
	root := must.Get(s.bucket.In(s.acme))
	theirs := &tools.Media{Format: "png", Object: s.theirs}
	a := s.agent(t, play(), nil)
	check := func(field string, p Part) {
		t.Helper()
		found := 0
		for m := range eachMedium([]Part{p}) {
			require.Same(t, theirs, m.Media, field)
			found++
		}
		require.Equal(t, 1, found, field)
		require.ErrorIs(t, a.checkRefs(t.Context(), reach{own: s.acme}, []Part{p}), object.ErrOutside, field)
		_, err := Turn{[]Message{{RoleUser, []Part{p}}}}.Resolve(root)
		require.ErrorIs(t, err, object.ErrOutside, field)
	}
	medium := reflect.TypeFor[*tools.Media]()
	seen := 0
	for i := range reflect.TypeFor[Part]().NumField() {
		var p Part
		if f := reflect.ValueOf(&p).Elem().Field(i); f.Type() == medium {
			f.Set(reflect.ValueOf(theirs))
			check("Part."+reflect.TypeFor[Part]().Field(i).Name, p)
			seen++
		}
	}
	for i := range reflect.TypeFor[tools.Block]().NumField() {
		var b tools.Block
		if f := reflect.ValueOf(&b).Elem().Field(i); f.Type() == medium {
			f.Set(reflect.ValueOf(theirs))
			name := "Block." + reflect.TypeFor[tools.Block]().Field(i).Name
			res := tools.Result{Blocks: []tools.Block{{Text: "a"}, b}}
			check(name, Part{Result: &ToolResult{ID: "c1", Result: res}})
			require.True(t, hasMedia(res), name)
			require.ErrorIs(t, a.checkResult(t.Context(), reach{own: s.acme}, res), object.ErrOutside, name)
			seen++
		}
	}
	require.Equal(t, 2*int(mediaKinds), seen)
	require.False(t, hasMedia(tools.Result{Blocks: []tools.Block{{Text: "a"}, {JSON: []byte(`1`)}}}))
}

// A file of another tenant is rejected before the model is asked, wherever it is named, and reported.
func TestForeignMediaAreRejected(t *testing.T) {
	t.Parallel()
	s := newShelf(t, nil)
	elsewhere, ref := (&shelf{bucket: must.Get(object.New(object.NewMemory(), "another", nil))}).put(t, "acme", "a.png", "x")
	require.Equal(t, s.acme, elsewhere)
	said := func(p Part) History {
		return History{Turns: []Turn{{Messages: []Message{{RoleUser, []Part{p, {Text: "a"}}}, {RoleAssistant, []Part{{Text: "b"}}}}}}}
	}
	foreign := &tools.Media{Format: "png", Object: s.theirs}
	result := History{Turns: []Turn{wholeTurn()}}
	result.Turns[0].Messages[2].Parts[0].Result.Blocks = []tools.Block{{Image: foreign}}
	for name, c := range map[string]struct {
		in      Input
		outside bool
	}{
		"another tenant's":         {Input{Media: []tools.Media{*foreign}}, true},
		"of another bucket":        {Input{Media: []tools.Media{{Format: "png", Object: ref}}}, true},
		"in the history":           {Input{Prompt: "a", History: said(Part{Image: foreign})}, true},
		"as an old document":       {Input{Prompt: "a", History: said(Part{Document: &tools.Media{Format: "pdf", Object: s.theirs}})}, true},
		"in an old result":         {Input{Prompt: "a", History: result}, true},
		"of no format":             {Input{Media: []tools.Media{{Format: "exe", Bytes: []byte("x")}}}, false},
		"without a format":         {Input{Media: []tools.Media{{Bytes: []byte("x")}}}, false},
		"without content":          {Input{Media: []tools.Media{{Format: "png"}}}, false},
		"with two contents":        {Input{Media: []tools.Media{{Format: "png", Bytes: []byte("x"), Object: s.ours}}}, false},
		"an old one of no format":  {Input{Prompt: "a", History: said(Part{Image: &tools.Media{Format: "pdf", Bytes: []byte("x")}})}, false},
		"two things in one of old": {Input{Prompt: "a", History: said(Part{Text: "a", Image: &tools.Media{Format: "png", Bytes: []byte("x")}})}, false},
	} {
		t.Run(name, func(t *testing.T) {
			heard := &refusals{}
			m := play()
			c.in.Scope = s.acme
			evs, failed := drain(t, s.agent(t, m, heard), t.Context(), c.in)
			require.Empty(t, evs)
			require.Equal(t, CodeInvalidCall, failed.Code)
			require.NotContains(t, failed.Message, "globex")
			require.Empty(t, m.requests)
			if c.outside {
				require.ErrorIs(t, failed, object.ErrOutside)
				require.Len(t, heard.all, 1)
				require.Equal(t, "agent.Media", heard.all[0].Op)
			}
		})
	}
}

// The model only learns that the tool failed.
func TestForeignMediaOfToolsFailTheCall(t *testing.T) {
	t.Parallel()
	s := newShelf(t, nil)
	show := func(m tools.Media) *tools.Tool {
		tool, err := tools.New("show", "Shows a cover.", func(context.Context, *tools.Call, struct{}) (tools.Result, error) {
			return tools.Result{Blocks: []tools.Block{{Image: &m}}, Summary: "a cover"}, nil
		})
		require.NoError(t, err)
		return tool
	}
	heard := &refusals{}
	steps := []step{{use("c1", "show", `{}`), calls}, {text("ok"), end}}
	done, err := s.agent(t, play(steps...), heard, show(tools.Media{Format: "png", Object: s.ours})).Run(t.Context(), Input{Scope: s.acme, Prompt: "Go."})
	require.NoError(t, err)
	require.Equal(t, s.ours, done.History.Turns[0].Messages[2].Parts[0].Result.Blocks[0].Image.Object)
	require.Empty(t, heard.all)

	done, err = s.agent(t, play(steps...), heard, show(tools.Media{Format: "png", Object: s.theirs})).Run(t.Context(), Input{Scope: s.acme, Prompt: "Go."})
	require.NoError(t, err)
	require.Equal(t, "user: {c1! The tool ran, but its result cannot be shown.}", lines(done.History)[2])
	require.Len(t, heard.all, 1)
}

// Reasoning keeps its place and is not part of the text.
func TestReasoningIsSentBackUnchanged(t *testing.T) {
	t.Parallel()
	m := play(
		step{ReasoningDelta{"h"}, ReasoningDelta{"m"}, ReasoningPart{Reasoning{Text: "hm", Signature: "s1"}}, ReasoningPart{Reasoning{Redacted: []byte("x")}}, ReasoningPart{},
			text("Let me "), text("see."), ReasoningPart{Reasoning{Signature: "s2"}}, use("c1", "echo", `{"word":"a"}`), calls},
		step{ReasoningPart{Reasoning{Text: "?"}}, use("c2", "echo", `{`), calls},
		step{ReasoningPart{Reasoning{Text: "nothing comes of it"}}, end},
	)
	evs, failed := drain(t, newAgent(t, m, Limits{}, echo(t)), t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
	require.Nil(t, failed)
	require.Equal(t, []Event{ReasoningDelta{"h"}, ReasoningDelta{"m"}, TextDelta{"Let me "}, TextDelta{"see."}}, evs[:4])
	h := evs[len(evs)-1].(Done).History
	all := lines(h)
	require.Equal(t, `assistant: <hm s1 > <  x> Let me see. < s2 > [c1 echo {"word":"a"}]`, all[1])
	require.Equal(t, "assistant: <?  > (a tool call that could not be read)", all[3])
	require.Len(t, all, 5, "reasoning that led to nothing leaves no message")
	require.Equal(t, []Part{
		{Reasoning: &Reasoning{Text: "hm", Signature: "s1"}}, {Reasoning: &Reasoning{Redacted: []byte("x")}}, {Text: "Let me see."},
		{Reasoning: &Reasoning{Signature: "s2"}},
	}, m.requests[1].Messages[1].Parts[:4])

	for _, bad := range []Reasoning{{Text: "\xff"}, {Text: "a", Redacted: []byte("x")}} {
		_, failed := drain(t, newAgent(t, play(step{ReasoningPart{bad}, text("a"), end}), Limits{}), t.Context(), Input{Prompt: "Go."})
		require.Equal(t, CodeMalformed, failed.Code)
	}
}

func TestCacheIsRequested(t *testing.T) {
	t.Parallel()
	m := play(step{text("a"), end})
	a, err := New(m, &Options{Cache: true})
	require.NoError(t, err)
	_, err = a.Run(t.Context(), Input{Prompt: "Go."})
	require.NoError(t, err)
	require.True(t, m.requests[0].Cache)
}

// The text and the usage of an incomplete answer are in Done, and the text is not in the history.
func TestIncompleteTextIsReported(t *testing.T) {
	t.Parallel()
	used := UsageReport{Usage: Usage{Input: 5, Output: 2}}
	first := step{text("First."), use("c1", "echo", `{"word":"a"}`), calls}
	for name, s := range map[string]step{
		"cancelled":      {text("Let "), used, text("me"), func(context.Context) {}, nil},
		"cut":            {text("Let "), used, text("me")},
		"failed":         {text("Let "), used, text("me"), &ModelError{Code: CodeUnavailable}},
		"too long":       {text("Let "), used, text("me"), StopPart{StopMaxTokens}},
		"with reasoning": {text("Let "), ReasoningPart{Reasoning{Text: "hm"}}, used, text("me"), use("c2", "echo", `{"word":"a"}`)},
		"panics":         {text("Let "), used, text("me"), func(context.Context) { panic("adapter") }},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if name == "cancelled" {
				s[3] = func(context.Context) { cancel() }
				s[4] = context.Canceled
			}
			done, err := newAgent(t, play(first, s), Limits{}, echo(t)).Run(ctx, Input{Scope: tenant(t, "acme"), Prompt: "Go."})
			if name == "cancelled" {
				require.NoError(t, err)
				require.Equal(t, OutcomeCancelled, done.Outcome)
			} else {
				require.Error(t, err)
			}
			require.Equal(t, "Let me", done.Partial)
			require.Equal(t, Usage{Input: 5, Output: 2}, done.Usage)
			require.Len(t, lines(done.History), 3)
		})
	}
	done, err := newAgent(t, play(step{text("whole"), end}), Limits{}).Run(t.Context(), Input{Prompt: "Go."})
	require.NoError(t, err)
	require.Empty(t, done.Partial)
}

// A checkpoint with another tenant's object in a result is not resumed, although its JSON is valid.
func TestForeignMediaOfCheckpointsAreRejected(t *testing.T) {
	t.Parallel()
	s := newShelf(t, nil)
	heard, m := &refusals{}, play()
	foreign := tools.Result{Blocks: []tools.Block{{Image: &tools.Media{Format: "png", Object: s.theirs}}}}
	_, err := s.agent(t, m, heard).Run(t.Context(), Input{Scope: s.acme, Run: "r", Resume: &Checkpoint{
		Run: "r", scope: s.acme, at: moment{Answers: 1, Called: 2, Prompt: &Message{RoleUser, []Part{{Text: "Go."}}},
			Answer: &Message{RoleAssistant, []Part{{Use: &ToolUse{"c1", "show", []byte(`{}`)}}, {Use: &ToolUse{"c2", "show", []byte(`{}`)}}}},
			Calls:  []callState{{Index: 0, Result: &foreign}, {Index: 1, Key: testKey}}},
	}})
	require.ErrorIs(t, err, object.ErrOutside)
	require.Len(t, heard.all, 1)
	require.Empty(t, m.requests)
}
