package agent

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

// structuring is a Model that supports structured output.
type structuring struct{ *script }

func (structuring) Info() ModelInfo { return ModelInfo{StructuredOutput: true} }

func structuredAgent(t *testing.T, m *script, l Limits) *Agent {
	t.Helper()
	a, err := New(structuring{m}, &Options{StructuredOutput: true, Limits: l})
	require.NoError(t, err)
	return a
}

// pieces returns a text as it streams, in pieces of n bytes.
func pieces(s string, n int) step {
	var out step
	for ; len(s) > n; s = s[n:] {
		out = append(out, text(s[:n]))
	}
	return append(out, text(s), end)
}

// The text of the answer is the typed answer. It is yielded as Partials, and is a text in the history.
func TestStructuredOutputIsTheTypedAnswer(t *testing.T) {
	t.Parallel()
	m := play(append(step{ReasoningPart{Reasoning{Text: "Hm", Signature: "s"}}, text("\n ")}, pieces(whole+"\n", 7)...))
	var done Done
	var partials []Partial
	for ev, err := range StreamAs[book](t.Context(), structuredAgent(t, m, Limits{}), Input{Prompt: "Which book?"}) {
		require.NoError(t, err)
		switch ev := ev.(type) {
		case TextDelta:
			require.Fail(t, "the answer is no text", ev.Text)
		case Partial:
			partials = append(partials, ev)
		case Done:
			done = ev
		}
	}
	require.NoError(t, m.bad)
	require.JSONEq(t, whole, string(done.Output))
	require.Greater(t, len(partials), 5)
	for i, p := range partials {
		require.Equal(t, partials[0].ID, p.ID)
		require.True(t, i == 0 || len(p.JSON) >= len(partials[i-1].JSON))
	}
	require.JSONEq(t, whole, string(partials[len(partials)-1].JSON))
	q := m.requests[0]
	require.Empty(t, q.Tools)
	require.Zero(t, q.Choice)
	require.Equal(t, outputName, q.Output.Name)
	require.Contains(t, string(q.Output.Schema), `"authors"`)
	require.Equal(t, []string{"user: Which book?", "assistant: <Hm s > \n " + whole + "\n"}, lines(done.History))
}

// An invalid answer, and a text that is not JSON, go back to the model with the reason.
func TestStructuredOutputIsValidated(t *testing.T) {
	t.Parallel()
	m := play(pieces(`{"title":"Emma"}`, 4), pieces(strings.Replace(whole, "Moby-Dick", "?", 1), 50), step{text("I can"), text("not."), end}, pieces(whole, 9))
	var ids, said []string
	for ev, err := range StreamAs[book](t.Context(), structuredAgent(t, m, Limits{Corrections: 4}), Input{Prompt: "Which book?", Run: "r"}) {
		require.NoError(t, err)
		switch ev := ev.(type) {
		case Partial:
			if len(ids) == 0 || ids[len(ids)-1] != ev.ID {
				ids = append(ids, ev.ID)
			}
		case TextDelta:
			said = append(said, ev.Text)
		case Done:
			require.JSONEq(t, whole, string(ev.Output))
			require.Len(t, ev.History.Turns, 4)
		}
	}
	require.NoError(t, m.bad)
	require.Len(t, ids, 3, "each attempt has another ID")
	require.Equal(t, []string{"I can", "not."}, said)
	for i, want := range []string{"key", "the title is not on the cover", "not valid JSON"} {
		last := m.requests[i+1].Messages[len(m.requests[i+1].Messages)-1].Parts[0].Text
		require.True(t, strings.HasPrefix(last, rejection), last)
		require.Contains(t, last, want)
	}

	_, done, err := RunAs[book](t.Context(), structuredAgent(t, play(pieces("No.", 9), pieces("No.", 9), pieces("No.", 9)), Limits{}), Input{Prompt: "?"})
	require.ErrorContains(t, err, "did not answer in the requested form in 3 turns")
	require.ErrorContains(t, err, "not valid JSON")
	require.Empty(t, done.Output)
}

// A model calls its tools first, even one named final_answer, and then answers.
func TestStructuredOutputAllowsTools(t *testing.T) {
	t.Parallel()
	m := play(step{text("Let me see."), use("c1", outputName, `{"word":"a"}`), calls}, pieces(whole, 8))
	tool := mustTool(t, outputName, func(_ context.Context, _ *tools.Call, word string) (string, error) { return word, nil })
	a, err := New(structuring{m}, &Options{StructuredOutput: true, Tools: tools.Of(tool)})
	require.NoError(t, err)
	v, done, err := RunAs[book](t.Context(), a, Input{Scope: tenant(t, "acme"), Prompt: "Go."})
	require.NoError(t, err)
	require.NoError(t, m.bad)
	require.Equal(t, "Moby-Dick", v.Title)
	require.Equal(t, []string{
		"user: Go.", "assistant: Let me see. [c1 final_answer {\"word\":\"a\"}]", "user: {c1= a}", "assistant: " + whole,
	}, lines(done.History))
	require.Equal(t, outputName, m.requests[0].Tools[0].Name)
	require.NotNil(t, m.requests[0].Output)
}

func TestStructuredOutputSurvivesAResume(t *testing.T) {
	t.Parallel()
	m := play(pieces(`{"title":"Emma"}`, 50), pieces(whole, 50))
	a := structuredAgent(t, m, Limits{})
	var last *Checkpoint
	var h History
	for ev, err := range StreamAs[book](t.Context(), a, Input{Prompt: "?", Run: "r"}) {
		require.NoError(t, err)
		if c, ok := ev.(Checkpointed); ok {
			last = c.Checkpoint
			h.Turns = append(h.Turns, *c.Ended)
		}
	}
	v, _, err := RunAs[book](t.Context(), a, Input{Run: "r", History: h, Resume: last})
	require.NoError(t, err)
	require.Equal(t, "Moby-Dick", v.Title)
	require.Len(t, m.requests, 2)
}

func TestStructuredOutputNeedsASupportingModel(t *testing.T) {
	t.Parallel()
	able, unable := structuring{play()}, described{play()}
	for _, m := range []Model{play(), unable, Fallback(able, unable), Fallback(unable, able)} {
		_, err := New(m, &Options{StructuredOutput: true})
		require.ErrorContains(t, err, "does not support structured output")
	}
	_, err := New(Fallback(able, able), &Options{StructuredOutput: true})
	require.NoError(t, err)
	m := play(append(fragments("c1", whole, 50), calls))
	_, _, err = RunAs[book](t.Context(), newAgent(t, structuring{m}, Limits{}), Input{Prompt: "?"})
	require.NoError(t, err, "by the tool unless the option says otherwise")
	require.Nil(t, m.requests[0].Output)
}
