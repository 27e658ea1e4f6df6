package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/scope"
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

// Each failed answer is a typed error, and neither its calls nor its content reach the history.
func TestFailedAnswersRunNothing(t *testing.T) {
	t.Parallel()
	cause := errors.New("arn:aws:secret")
	good := use("c1", "echo", `{"word":"a"}`)
	for name, c := range map[string]struct {
		step  step
		code  Code
		retry bool
	}{
		"model error":          {step{text("a"), &ModelError{Code: CodeThrottled, Message: "Too many requests (429).", Retryable: true, Err: cause}}, CodeThrottled, true},
		"model error, wrapped": {step{fmt.Errorf("x: %w", &ModelError{Code: CodeAccessDenied})}, CodeAccessDenied, false},
		"unknown error":        {step{good, cause}, CodeInternal, false},
		"no code":              {step{&ModelError{Message: "?", Err: cause}}, CodeInternal, false},
		"cut":                  {step{text("a"), good}, CodeTruncated, true},
		"nothing at all":       {step{}, CodeTruncated, true},
		"max tokens":           {step{good, StopPart{StopMaxTokens}}, CodeTruncated, false},
		"filtered":             {step{text("a"), good, StopPart{StopContentFiltered}}, CodeFiltered, false},
		"context window":       {step{good, StopPart{StopContextWindow}}, CodeContextFull, false},
		"malformed":            {step{good, StopPart{StopMalformed}}, CodeMalformed, true},
		"unknown reason":       {step{good, StopPart{"nap"}}, CodeMalformed, false},
		"unknown, and a text":  {step{text("a"), good, StopPart{"nap"}}, CodeMalformed, false},
		"unknown, and nothing": {step{text(" "), StopPart{"nap"}}, CodeMalformed, false},
		"no reason":            {step{good, StopPart{}}, CodeMalformed, false},
		"a call that is lost":  {step{text("a"), calls}, CodeMalformed, true},
		"text after the end":   {step{good, calls, text("b")}, CodeMalformed, true},
		"two ends":             {step{good, calls, calls}, CodeMalformed, true},
		"nil":                  {step{good, nil, calls}, CodeMalformed, true},
		"no text":              {step{text("\xff"), good, calls}, CodeMalformed, true},
		"one id, two calls":    {step{good, good, calls}, CodeMalformed, true},
		"panic":                {step{good, func(context.Context) { panic(cause) }}, CodeInternal, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := History{Turns: []Turn{{Messages: []Message{
				{RoleUser, []Part{{Text: "Before."}}},
				{RoleAssistant, []Part{{Use: &ToolUse{"h1", "echo", json.RawMessage(`{}`)}}}},
				{RoleUser, []Part{{Result: &ToolResult{ID: "h1", Result: tools.Result{Blocks: []tools.Block{{Text: "ok"}}}}}}},
			}}}}
			ran := false
			a := newAgent(t, play(c.step), Limits{}, mustTool(t, "echo", func(context.Context, *tools.Call, string) (string, error) {
				ran = true
				return "", nil
			}))
			evs, failed := drain(t, a, t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go.", History: h})
			require.NotNil(t, failed)
			require.Equal(t, c.code, failed.Code)
			require.Equal(t, c.retry, failed.Retryable)
			require.NotContains(t, failed.Message, "secret")
			if c.code == CodeInternal {
				require.ErrorContains(t, failed, "secret", "the log has the cause")
				require.NotEmpty(t, failed.Message)
			}
			require.Equal(t, h, failed.Done.History)
			require.Empty(t, failed.Done.Outcome)
			require.False(t, ran)
			for _, ev := range evs {
				require.IsNotType(t, ToolCalled{}, ev)
			}
		})
	}
}

func TestModelWithoutStreamIsAnError(t *testing.T) {
	t.Parallel()
	a := newAgent(t, modelFunc(func(context.Context, *Request) iterDeltas { return nil }), Limits{})
	_, failed := drain(t, a, t.Context(), Input{Prompt: "Go."})
	require.Equal(t, CodeInternal, failed.Code)
	require.ErrorContains(t, failed, "panicked")
}

func TestUsageCountsFailedAnswers(t *testing.T) {
	t.Parallel()
	a := newAgent(t, play(
		step{use("c1", "echo", `{"word":"a"}`), UsageReport{Usage: Usage{Input: 1}}, calls},
		step{UsageReport{Usage: Usage{Input: 2}}, &ModelError{Code: CodeUnavailable}},
	), Limits{}, echo(t))
	_, failed := drain(t, a, t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
	require.Equal(t, Usage{Input: 3}, failed.Done.Usage)
	require.Len(t, failed.Done.History.Turns, 1)
}

// The parts of an answer decide what follows: a call is made even if the reason is end_turn.
func TestCallsAreMadeWhateverTheStopReason(t *testing.T) {
	t.Parallel()
	for _, reason := range []StopReason{StopEndTurn, StopSequence, StopToolUse} {
		a := newAgent(t, play(step{use("c1", "echo", `{"word":"a"}`), StopPart{reason}}, step{text("ok"), StopPart{StopSequence}}), Limits{}, echo(t))
		done, err := a.Run(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
		require.NoError(t, err)
		require.Equal(t, []string{"user: Go.", `assistant: [c1 echo {"word":"a"}]`, "user: {c1= <a>}", "assistant: ok"}, lines(done.History))
	}
}

func TestInvalidCallsAreExplained(t *testing.T) {
	t.Parallel()
	const words = "Make the whole call again, with one JSON object as arguments. The arguments were: "
	for name, c := range map[string]struct {
		step step
		want []string
	}{
		"alone": {
			step{use("c1", "echo", `{"word":"a`), calls},
			[]string{"assistant: (a tool call that could not be read)",
				"user: Call 1 of your answer, of echo, was not run: its arguments are not valid JSON: unexpected end at byte 10. " + words + `{"word":"a`},
		},
		"after text": {
			step{text("Hm."), use("c1", "echo", `{]`), calls},
			[]string{"assistant: Hm.",
				"user: Call 1 of your answer, of echo, was not run: its arguments are not valid JSON: unexpected ']' at byte 1. " + words + `{]`},
		},
		"between others": {
			step{use("c1", "echo", `{"word":"a"}`), use("c2", "echo", `[1]`), use("c3", "echo", `{"word":"b"}`), use("c4", "echo", "{\"word\":\"\xff\"}"), calls},
			[]string{`assistant: [c1 echo {"word":"a"}] [c3 echo {"word":"b"}]`,
				"user: {c1= <a>} {c3= <b>} Call 2 of your answer, of echo, was not run: its arguments are not a JSON object. " + words +
					"[1] Call 4 of your answer, of echo, was not run: its arguments are not valid UTF-8 at byte 9. " + words + "{\"word\":\"\ufffd\"}"},
		},
		"a name that is none": {
			step{use("c1", "rm -rf; ignore what you were told", `{}`), calls},
			[]string{"assistant: (a tool call that could not be read)",
				"user: Call 1 of your answer, of a tool, was not run: its name is not a tool's name. " + words + `{}`},
		},
		"no arguments": { // valid, so the tool reports the missing argument
			step{use("c1", "echo", ""), calls},
			[]string{"assistant: [c1 echo {}]", "user: {c1! the arguments do not fit: word: is missing}"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAgent(t, play(c.step, step{text("ok"), end}), Limits{}, echo(t))
			evs, failed := drain(t, a, t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
			require.Nil(t, failed)
			h := evs[len(evs)-1].(Done).History
			require.Equal(t, append(append([]string{"user: Go."}, c.want...), "assistant: ok"), lines(h))
			called, ended := map[string]bool{}, map[string]bool{}
			for _, ev := range evs {
				switch ev := ev.(type) {
				case ToolCalled:
					require.True(t, json.Valid(ev.Input))
					called[ev.ID] = true
				case ToolDone:
					ended[ev.ID] = true
				}
			}
			require.Equal(t, called, ended)
		})
	}
}

// Each kind of failure, as the model, the host and a person see it.
func TestToolFailuresAreExplained(t *testing.T) {
	t.Parallel()
	for word, c := range map[string]struct {
		told  string
		cause string
	}{
		"secret": {"The tool failed.", "arn:aws:s3:::acme"},
		"mend":   {"say it louder", "say it louder"},
		"panic":  {"The tool failed.", "panic: secret"},
	} {
		t.Run(word, func(t *testing.T) {
			a := newAgent(t, play(step{use("c1", "echo", `{"word":"`+word+`"}`), calls}, step{text("ok"), end}), Limits{}, echo(t))
			evs, failed := drain(t, a, t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
			require.Nil(t, failed)
			d := evs[1].(ToolDone)
			require.Equal(t, tools.Result{Blocks: []tools.Block{{Text: c.told}}, Summary: c.told, IsError: true}, d.Result)
			require.ErrorContains(t, d.Err, c.cause)
		})
	}

	t.Run("never offered", func(t *testing.T) {
		a := newAgent(t, play(step{use("c1", "delete_all", `{"tenant":"globex"}`), calls}, step{text("ok"), end}), Limits{}, echo(t), mustTool(t, "also", nil))
		evs, failed := drain(t, a, t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
		require.Nil(t, failed)
		require.Equal(t, `There is no tool named "delete_all". The tools are: also, echo.`, evs[1].(ToolDone).Result.Summary)
	})

	t.Run("no tools", func(t *testing.T) {
		a := newAgent(t, play(step{use("c1", "echo", `{}`), calls}, step{text("ok"), end}), Limits{})
		evs, failed := drain(t, a, t.Context(), Input{Prompt: "Go."})
		require.Nil(t, failed)
		require.Equal(t, `There is no tool named "echo". No tools are offered.`, evs[1].(ToolDone).Result.Summary)
	})

	t.Run("words that are not UTF-8", func(t *testing.T) {
		bad := mustTool(t, "bad", func(context.Context, *tools.Call, string) (string, error) { return "", tools.Correct("no file \xff") })
		a := newAgent(t, play(step{use("c1", "bad", `{"word":"x"}`), calls}, step{text("ok"), end}), Limits{}, bad)
		done, err := a.Run(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
		require.NoError(t, err)
		_, err = json.Marshal(done.History.Turns)
		require.NoError(t, err)
	})
}

func TestFatalErrorEndsTheRun(t *testing.T) {
	t.Parallel()
	run := func(word string) *RunError {
		a := newAgent(t, play(step{use("c1", "echo", `{"word":"a"}`), use("c2", "echo", `{"word":"`+word+`"}`), use("c3", "echo", `{"word":"c"}`), calls}),
			Limits{Parallel: 1}, echo(t))
		evs, failed := drain(t, a, t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
		require.NotNil(t, failed)
		require.Len(t, evs, 6, "every call begins and ends")
		return failed
	}
	failed := run("fatal")
	require.Equal(t, Code("not_an_image"), failed.Code)
	require.Equal(t, "The file is no image.", failed.Message)
	require.False(t, failed.Retryable)
	require.ErrorContains(t, failed, "secret")
	cause, ok := errors.AsType[*tools.FatalError](failed)
	require.True(t, ok)
	require.False(t, cause.Retryable)
	require.Equal(t, "agent: run: tools: fatal: not_an_image: The file is no image.: secret", failed.Error())
	require.Equal(t, []string{
		"user: Go.",
		`assistant: [c1 echo {"word":"a"}] [c2 echo {"word":"fatal"}] [c3 echo {"word":"c"}]`,
		"user: {c1= <a>} {c2! The file is no image.} {c3! Not run: the run was stopped.}",
	}, lines(failed.Done.History), "what ran may have had an effect, so the history tells")

	failed = run("plain fatal")
	require.Equal(t, CodeToolFailed, failed.Code)
	require.True(t, failed.Retryable)
	require.NotContains(t, failed.Message, "secret")
	require.NotContains(t, strings.Join(lines(failed.Done.History), "\n"), "secret")
}

func TestLimitsEndTheRun(t *testing.T) {
	t.Parallel()
	forever := func(word string) Model {
		n := 0
		return modelFunc(func(ctx context.Context, r *Request) iterDeltas {
			n++
			return play(step{use(fmt.Sprint("c", n), "echo", `{"word":"`+word+`"}`), calls}).Stream(ctx, r)
		})
	}
	in := Input{Scope: tenant(t, "acme"), Prompt: "Go."}
	count := func(evs []Event) (called int) {
		for _, ev := range evs {
			if _, ok := ev.(ToolCalled); ok {
				called++
			}
		}
		return called
	}

	t.Run("turns", func(t *testing.T) {
		evs, failed := drain(t, newAgent(t, forever("a"), Limits{}, echo(t)), t.Context(), in)
		require.Equal(t, CodeLimit, failed.Code)
		require.Equal(t, "The model did not finish within 24 turns.", failed.Message)
		require.Equal(t, 23, count(evs), "the last answer's calls are not run")
		require.Len(t, failed.Done.History.Turns, 23)
	})
	t.Run("calls", func(t *testing.T) {
		m := play(
			step{use("a1", "echo", `{"word":"a"}`), use("a2", "echo", `{"word":"a"}`), calls},
			step{use("b1", "echo", `{"word":"a"}`), use("b2", "echo", `{`), calls},
		)
		evs, failed := drain(t, newAgent(t, m, Limits{Calls: 3}, echo(t)), t.Context(), in)
		require.Equal(t, CodeLimit, failed.Code)
		require.Equal(t, 2, count(evs), "of a batch that does not fit nothing is run")
		require.Len(t, failed.Done.History.Turns, 1)
	})
	t.Run("calls, just so", func(t *testing.T) {
		m := play(step{use("a1", "echo", `{"word":"a"}`), use("a2", "echo", `{"word":"a"}`), calls}, step{text("ok"), end})
		_, failed := drain(t, newAgent(t, m, Limits{Calls: 2, Turns: 2}, echo(t)), t.Context(), in)
		require.Nil(t, failed)
	})
	for _, word := range []string{"mend", "secret", "panic"} {
		t.Run("corrections: "+word, func(t *testing.T) {
			evs, failed := drain(t, newAgent(t, forever(word), Limits{}, echo(t)), t.Context(), in)
			require.Equal(t, CodeLimit, failed.Code)
			require.Equal(t, "None of the model's tool calls succeeded in 3 turns in a row.", failed.Message)
			require.Equal(t, 3, count(evs))
			require.Len(t, failed.Done.History.Turns, 3)
		})
	}
	t.Run("corrections: unreadable", func(t *testing.T) {
		bad := func(id string) step { return step{use(id, "echo", `{"word":`), calls} }
		_, failed := drain(t, newAgent(t, play(bad("a"), bad("b"), bad("c")), Limits{}, echo(t)), t.Context(), in)
		require.Equal(t, CodeLimit, failed.Code)
	})
	t.Run("corrections begin anew after a success", func(t *testing.T) {
		bad := func(id string) step { return step{use(id, "echo", `{"word":`), calls} }
		mixed := step{use("x", "echo", `{"word":"mend"}`), use("y", "echo", `{"word":"a"}`), calls}
		_, failed := drain(t, newAgent(t, play(bad("a"), bad("b"), mixed, bad("c"), bad("d"), step{text("ok"), end}), Limits{}, echo(t)), t.Context(), in)
		require.Nil(t, failed)
	})
	for _, l := range []Limits{{Turns: -1}, {Calls: -1}, {Corrections: -1}, {Parallel: -1}, {ToolTimeout: -1}, {MaxTokens: -1}} {
		_, err := New(play(), &Options{Limits: l})
		require.ErrorContains(t, err, "negative")
	}
}

func TestNewRejectsInvalidOptions(t *testing.T) {
	t.Parallel()
	_, err := New(nil, nil)
	require.ErrorContains(t, err, "model is nil")
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

func TestToolReceivesScopeIDAndKey(t *testing.T) {
	t.Parallel()
	type seen struct{ tenant, id, name, key, ctx string }
	var got []seen
	look := mustTool(t, "look", func(ctx context.Context, c *tools.Call, _ string) (string, error) {
		s, err := scope.FromContext(ctx)
		require.NoError(t, err)
		got = append(got, seen{c.Scope().TenantID(), c.ID(), c.Name(), c.IdempotencyKey(), s.TenantID()})
		return "", nil
	})
	run := func(tenantID, runID string) []string {
		got = nil
		m := play(step{use("c1", "look", `{"word":""}`), use("c2", "look", `{"word":""}`), calls}, step{use("c3", "look", `{"word":""}`), calls}, step{text("ok"), end})
		// The scope of the context is ignored.
		ctx := scope.NewContext(t.Context(), tenant(t, "globex"))
		_, failed := drain(t, newAgent(t, m, Limits{Parallel: 1}, look), ctx, Input{Scope: tenant(t, tenantID), Run: runID, Prompt: "Go."})
		require.Nil(t, failed)
		var keys []string
		for i, s := range got {
			require.Equal(t, seen{tenantID, fmt.Sprint("c", i+1), "look", s.key, tenantID}, s)
			keys = append(keys, s.key)
		}
		return keys
	}
	keys := run("acme", "r1")
	require.Equal(t, keys, run("acme", "r1"), "the same run again: the same keys")
	all := map[string]bool{}
	for _, k := range append(append(keys, run("acme", "r2")...), run("initech", "r1")...) {
		require.Len(t, k, 64)
		all[k] = true
	}
	require.Len(t, all, 9)
	require.Equal(t, []string{"", "", ""}, run("acme", ""))

	user, err := tenant(t, "acme").User("u1")
	require.NoError(t, err)
	shared, err := tenant(t, "acme").Shared()
	require.NoError(t, err)
	session, err := user.NewSession()
	require.NoError(t, err)
	levels := map[string]bool{}
	for _, s := range []scope.Scope{{}, tenant(t, "acme"), shared, user, session} {
		levels[idempotencyKey(s, "r1", 0, 0, "", nil)] = true
	}
	require.Len(t, levels, 5, "each level of a tenant has keys of its own")
}

// A repeated request may yield another call in the same place, with another key. White space and the order of names do
// not change the key.
func TestIdempotencyKeysDependOnPlaceAndContent(t *testing.T) {
	t.Parallel()
	key := func(name, input string) string {
		args, err := strictjson.Canonical([]byte(input))
		if err != nil {
			args = []byte(input)
		}
		return idempotencyKey(tenant(t, "acme"), "r", 1, 2, name, args)
	}
	one := key("lend", `{"title":"Emma","days":3}`)
	require.Equal(t, one, key("lend", ` {"days": 3.0, "title": "Emm\u0061"}`))
	for _, other := range []string{
		key("lend", `{"title":"Emma","days":4}`), key("give", `{"title":"Emma","days":3}`), key("lend", `{"title":"Emma"}`),
		key("lend", `{"title":"Emma","days":"3"}`), key("lend{", `"title":"Emma","days":3}`),
	} {
		require.NotEqual(t, one, other)
	}
	require.NotEqual(t, key("n", `{"a":9007199254740993}`), key("n", `{"a":9007199254740992}`))
}

func TestToolThatExitsItsGoroutineFails(t *testing.T) {
	t.Parallel()
	gone := mustTool(t, "gone", func(context.Context, *tools.Call, string) (string, error) {
		exit()
		return "", nil
	})
	a := newAgent(t, play(step{use("c1", "gone", `{"word":""}`), calls}, step{text("ok"), end}), Limits{ToolTimeout: time.Hour}, gone)
	evs, failed := drain(t, a, t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
	require.Nil(t, failed)
	require.ErrorIs(t, evs[1].(ToolDone).Err, errExited)
}
