package agent

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// named is a script with a ModelInfo.
type named struct {
	*script
	name string
}

func (n named) Info() ModelInfo { return ModelInfo{Model: n.name} }

// signatures returns the signatures in r.
func signatures(r *Request) (out []string) {
	for _, m := range r.Messages {
		for _, p := range m.Parts {
			if p.Reasoning != nil {
				out = append(out, p.Reasoning.Signature+string(p.Reasoning.Redacted))
			}
		}
	}
	return out
}

// Reasoning returns to the model that signed it and to no other, also after it was stored.
func TestReasoningReturnsToItsSignerOnly(t *testing.T) {
	t.Parallel()
	thinks := func(signature string) step {
		return step{ReasoningPart{Reasoning{Text: "hm", Signature: signature}}, ReasoningPart{Reasoning{Redacted: []byte("r" + signature)}}, text("ok"), end}
	}
	ask := func(m Model, h History) (History, error) {
		a, err := New(m, nil)
		require.NoError(t, err)
		done, err := a.Run(t.Context(), Input{Prompt: "Go.", History: h})
		return done.History, err
	}
	a, b := named{play(thinks("A"), thinks("A2"), thinks("A3")), "a"}, named{play(thinks("B"), thinks("B2")), "b"}
	var h History
	for _, m := range []Model{a, b, a, b, a} {
		var err error
		h, err = ask(m, h)
		require.NoError(t, err)
		for i, turn := range h.Turns { // through the JSON of a store
			b, err := turn.MarshalJSON()
			require.NoError(t, err)
			require.NoError(t, h.Turns[i].UnmarshalJSON(b))
		}
	}
	require.NoError(t, a.bad)
	require.NoError(t, b.bad)
	require.Empty(t, signatures(b.requests[0]))
	require.Equal(t, []string{"B", "rB"}, signatures(b.requests[1]))
	require.Equal(t, []string{"A", "rA"}, signatures(a.requests[1]))
	require.Equal(t, []string{"A", "rA", "A2", "rA2"}, signatures(a.requests[2]))

	// Reasoning without the name of a model is not sent to a model with a name.
	old := Turn{}
	require.NoError(t, old.UnmarshalJSON([]byte(`{"messages":[{"role":"user","parts":[{"text":"?"}]},`+
		`{"role":"assistant","parts":[{"reasoning":{"text":"hm","signature":"old"}},{"text":"!"}]}]}`)))
	c := named{play(thinks("C")), "c"}
	_, err := ask(c, History{Turns: []Turn{old}})
	require.NoError(t, err)
	require.Empty(t, signatures(c.requests[0]))
	unnamed := play(thinks("?"))
	_, err = ask(unnamed, History{Turns: []Turn{old}})
	require.NoError(t, err)
	require.Equal(t, []string{"old"}, signatures(unnamed.requests[0]))
}

// Each model of a Fallback receives its own reasoning, in a tool loop, over several runs and after a compaction.
func TestFallbackModelsReceiveTheirOwnReasoning(t *testing.T) {
	t.Parallel()
	busy := step{&ModelError{Code: CodeThrottled}}
	thinks := func(s string, more ...any) step {
		return append(step{ReasoningPart{Reasoning{Text: "hm", Signature: s}}}, more...)
	}
	a := named{play(thinks("A", use("c1", "echo", `{"word":"a"}`), calls), busy, thinks("A2", text("2"), end)), "a"}
	b := named{play(thinks("B", text("1"), end)), "b"}
	m := Fallback(Fallback(a), b)
	agent := newAgent(t, m, Limits{}, echo(t))
	in := Input{Scope: tenant(t, "acme"), Prompt: "Go."}
	done, err := agent.Run(t.Context(), in)
	require.NoError(t, err)
	require.Empty(t, signatures(b.requests[0]))

	turns, _, err := DropOldest(1)(t.Context(), append([]Turn{wholeTurn()}, done.History.Turns...), false)
	require.NoError(t, err)
	in.History = History{Turns: turns}
	_, err = agent.Run(t.Context(), in)
	require.NoError(t, err)
	require.Empty(t, signatures(a.requests[2]), "its own turn has been dropped")
	require.NoError(t, a.bad)
	require.NoError(t, b.bad)
}

// A message that only holds reasoning of another model is left out, and roles still alternate.
func TestMessageOfForeignReasoningIsLeftOut(t *testing.T) {
	t.Parallel()
	m := named{play(step{text("ok"), end}), "b"}
	a, err := New(m, nil)
	require.NoError(t, err)
	_, err = a.Run(t.Context(), Input{Prompt: "Go.", History: History{Turns: []Turn{{Messages: []Message{
		{RoleUser, []Part{{Text: "?"}}}, {RoleAssistant, []Part{{Reasoning: &Reasoning{Text: "hm", Signature: "A", Model: "a"}}}},
	}}}}})
	require.NoError(t, err)
	require.NoError(t, m.bad)
	require.Equal(t, []Message{{RoleUser, []Part{{Text: "?"}, {Text: "Go."}}}}, m.requests[0].Messages)
}
