package agent

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

func TestConversationWithCalls(t *testing.T) {
	t.Parallel()
	m := play(
		step{text("Let me "), text("see."), use("c1", "echo", `{"word":"a"}`), use("c2", "echo", `{"word":"b"}`), UsageReport{Usage: Usage{Input: 10, Output: 3}}, calls},
		step{text("Done."), end, UsageReport{Usage: Usage{Input: 20, Output: 1, CacheRead: 5}}},
	)
	a := newAgent(t, m, Limits{Parallel: 1}, echo(t))
	evs, failed := drain(t, a, t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
	require.Nil(t, failed)
	for i, ev := range evs {
		if d, ok := ev.(ToolDone); ok {
			d.Took = 0
			evs[i] = d
		}
	}
	done := evs[len(evs)-1].(Done)
	result := func(s string) tools.Result { return tools.Result{Blocks: []tools.Block{{Text: s}}, Summary: s} }
	require.Equal(t, []Event{
		TextDelta{"Let me "}, TextDelta{"see."},
		UsageReport{Usage: Usage{Input: 10, Output: 3}},
		ToolCalled{ToolUse{"c1", "echo", json.RawMessage(`{"word":"a"}`)}},
		ToolCalled{ToolUse{"c2", "echo", json.RawMessage(`{"word":"b"}`)}},
		ToolDone{ID: "c1", Name: "echo", Result: result("<a>")},
		ToolDone{ID: "c2", Name: "echo", Result: result("<b>")},
		TextDelta{"Done."},
		UsageReport{Usage: Usage{Input: 20, Output: 1, CacheRead: 5}},
		Done{Outcome: OutcomeComplete, StopReason: StopEndTurn, History: done.History, Usage: Usage{Input: 30, Output: 4, CacheRead: 5}},
	}, evs)
	require.Equal(t, []string{
		"user: Go.",
		`assistant: Let me see. [c1 echo {"word":"a"}] [c2 echo {"word":"b"}]`,
		"user: {c1= <a>} {c2= <b>}",
		"assistant: Done.",
	}, lines(done.History))
	require.Len(t, done.History.Turns, 2)

	require.Len(t, m.requests, 2)
	require.Equal(t, "Be brief.", m.requests[0].System)
	require.Zero(t, m.requests[0].MaxTokens, "the Model's own limit")
	require.Equal(t, "echo", m.requests[0].Tools[0].Name)
	require.Len(t, m.requests[0].Messages, 1)
	require.Len(t, m.requests[1].Messages, 3)
}

// Results and the next prompt reach the model as one message, even after a run that failed or a silent model.
func TestHistoryContinuesAfterAnyRun(t *testing.T) {
	t.Parallel()
	m := play(
		step{use("c1", "echo", `{"word":"a"}`), calls}, step{&ModelError{Code: CodeThrottled, Retryable: true}},
		step{text(" \n"), end},
		step{text("Here."), end},
		step{text("Again."), end},
	)
	a := newAgent(t, m, Limits{}, echo(t))
	in := Input{Scope: tenant(t, "acme"), Prompt: "One."}
	done, err := a.Run(t.Context(), in)
	require.ErrorContains(t, err, "throttled")
	first := lines(done.History)
	require.Equal(t, []string{"user: One.", `assistant: [c1 echo {"word":"a"}]`, "user: {c1= <a>}"}, first)

	in.Prompt, in.History = "Two.", done.History
	done, err = a.Run(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, append(first, "user: Two."), lines(done.History))

	in.Prompt, in.History = "Three.", done.History
	before := lines(in.History)
	done, err = a.Run(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, append(before, "user: Three.", "assistant: Here."), lines(done.History))
	require.Equal(t, before, lines(in.History))

	// A prompt is required, unless the history has unanswered content.
	in.Prompt, in.History = " ", done.History
	_, err = a.Run(t.Context(), in)
	require.ErrorContains(t, err, "The message is empty.")
	in.History.Turns = in.History.Turns[:1]
	done, err = a.Run(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, append(first, "assistant: Again."), lines(done.History))

	require.NoError(t, m.bad)
	last := m.requests[3].Messages
	require.Len(t, last, 3)
	require.Len(t, last[2].Parts, 3) // a result and two prompts
}

func TestRunsFromOneHistoryAreIndependent(t *testing.T) {
	t.Parallel()
	a := newAgent(t, modelFunc(func(ctx context.Context, r *Request) iterDeltas {
		parts := r.Messages[len(r.Messages)-1].Parts
		return play(step{text("re " + parts[len(parts)-1].Text), end}).Stream(ctx, r)
	}), Limits{})
	done, err := a.Run(t.Context(), Input{Prompt: "0"})
	require.NoError(t, err)
	h := History{Turns: append(make([]Turn, 0, 8), done.History.Turns...)}
	one, err := a.Run(t.Context(), Input{Prompt: "1", History: h})
	require.NoError(t, err)
	two, err := a.Run(t.Context(), Input{Prompt: "2", History: h})
	require.NoError(t, err)
	require.Equal(t, []string{"user: 0", "assistant: re 0", "user: 1", "assistant: re 1"}, lines(one.History))
	require.Equal(t, []string{"user: 0", "assistant: re 0", "user: 2", "assistant: re 2"}, lines(two.History))
}

func TestModelWithoutStreamIsAnError(t *testing.T) {
	t.Parallel()
	a := newAgent(t, modelFunc(func(context.Context, *Request) iterDeltas { return nil }), Limits{})
	_, failed := drain(t, a, t.Context(), Input{Prompt: "Go."})
	require.Equal(t, CodeInternal, failed.Code)
	require.ErrorContains(t, failed, "panicked")
}

func TestNewRejectsInvalidOptions(t *testing.T) {
	t.Parallel()
	_, err := New(nil, nil)
	require.ErrorContains(t, err, "the model must not be nil")
	_, err = New(play(), &Options{System: "caf\xe9"})
	require.ErrorContains(t, err, "not UTF-8")
	_, err = New(play(), &Options{Tools: tools.Of(echo(t), echo(t))})
	require.ErrorContains(t, err, `two tools are named "echo"`)
}

func TestRunRejectsInvalidInput(t *testing.T) {
	t.Parallel()
	text := func(r Role, s string) Message { return Message{r, []Part{{Text: s}}} }
	call := Message{RoleAssistant, []Part{{Use: &ToolUse{"c1", "echo", json.RawMessage(`{}`)}}}}
	result := Message{RoleUser, []Part{{Result: &ToolResult{ID: "c1"}}}}
	for name, in := range map[string]Input{
		"no prompt":         {},
		"blank prompt":      {Prompt: " \n\t"},
		"prompt not UTF-8":  {Prompt: "\xff"},
		"run not UTF-8":     {Run: "\xff", Prompt: "b"},
		"unpaired call":     {Prompt: "b", History: History{Turns: []Turn{{[]Message{text(RoleUser, "a"), call}}}}},
		"pair across turns": {Prompt: "b", History: History{Turns: []Turn{{[]Message{text(RoleUser, "a"), call}}, {[]Message{result}}}}},
		"assistant first":   {Prompt: "b", History: History{Turns: []Turn{{[]Message{text(RoleAssistant, "a")}}}}},
		"assistant twice":   {Prompt: "b", History: History{Turns: []Turn{{[]Message{text(RoleUser, "a"), text(RoleAssistant, "b")}}, {[]Message{text(RoleAssistant, "a")}}}}},
		"empty turn":        {Prompt: "b", History: History{Turns: []Turn{{}}}},
		"blank first":       {Prompt: "b", History: History{Turns: []Turn{{[]Message{text(RoleUser, " "), text(RoleAssistant, "Hello!")}}}}},
		"blank answer":      {Prompt: "b", History: History{Turns: []Turn{{[]Message{text(RoleUser, "a"), text(RoleAssistant, "\n")}}}}},
		"blank in between":  {Prompt: "b", History: History{Turns: []Turn{{[]Message{text(RoleUser, "a"), text(RoleAssistant, "b")}}, {[]Message{text(RoleUser, "\u2003"), text(RoleAssistant, "c")}}}}},
		"blank alone":       {History: History{Turns: []Turn{{[]Message{{RoleUser, []Part{{Text: " "}, {Text: "\t"}}}}}}}},
		"parts are missing": {Prompt: "b", History: History{Turns: []Turn{{[]Message{{Role: RoleUser}}}}}},
		"an empty part":     {Prompt: "b", History: History{Turns: []Turn{{[]Message{{RoleUser, []Part{{Text: "a"}, {}}}}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			m := play()
			evs, failed := drain(t, newAgent(t, m, Limits{}), t.Context(), in)
			require.Empty(t, evs)
			require.Equal(t, CodeInvalidCall, failed.Code)
			require.NotEmpty(t, failed.Message)
			require.Empty(t, m.requests)
			require.Equal(t, in.History, failed.Done.History)
		})
	}

	_, failed := drain(t, newAgent(t, play(), Limits{}, echo(t)), t.Context(), Input{Prompt: "Go."})
	require.Equal(t, CodeInternal, failed.Code)
	require.ErrorContains(t, failed, "zero scope")
}

func TestSystemFuncReturnsThePromptOfARun(t *testing.T) {
	t.Parallel()
	sc := tenant(t, "acme")
	var got []string
	m := modelFunc(func(_ context.Context, r *Request) iterDeltas {
		got = append(got, r.System)
		return play(step{text("a"), end}).Stream(t.Context(), r)
	})
	n, isDown := 0, true
	a, err := New(m, &Options{SystemFunc: func(_ context.Context, in Input) (string, error) {
		n++
		switch in.Prompt {
		case "fail":
			return "", errors.New("no database")
		case "fail once":
			if isDown {
				return "", errors.New("no database")
			}
		case "bytes":
			return "\xff", nil
		}
		return "You help " + in.Scope.TenantID() + ".", nil
	}})
	require.NoError(t, err)
	_, err = a.Run(t.Context(), Input{Scope: sc, Prompt: "Go."})
	require.NoError(t, err)
	require.Equal(t, []string{"You help acme."}, got)
	require.Equal(t, 1, n)
	for _, prompt := range []string{"fail", "bytes"} {
		_, err = a.Run(t.Context(), Input{Scope: sc, Prompt: prompt})
		failed, ok := errors.AsType[*RunError](err)
		require.True(t, ok)
		require.Equal(t, CodeInternal, failed.Code)
		require.ErrorContains(t, err, "agent: run: internal: The run could not be prepared.: system prompt: ")
	}
	_, err = a.Run(t.Context(), Input{Scope: sc, Run: "r", Prompt: "fail once"})
	failed, ok := errors.AsType[*RunError](err)
	require.True(t, ok)
	isDown = false
	done, err := a.Run(t.Context(), Input{Scope: sc, Run: "r", Resume: failed.Done.Checkpoint})
	require.NoError(t, err)
	require.Equal(t, []string{"user: fail once", "assistant: a"}, lines(done.History), "the run is resumed")

	n = 0
	done, err = a.Run(t.Context(), Input{Scope: sc, Run: "r", Resume: failed.Done.Checkpoint, Prompt: "And?"})
	require.Error(t, err)
	require.Nil(t, done.Checkpoint)
	require.Zero(t, n, "an input that is rejected does not need a prompt")
	_, err = New(m, &Options{System: "a", SystemFunc: func(context.Context, Input) (string, error) { return "", nil }})
	require.ErrorContains(t, err, "only one is accepted")
}
