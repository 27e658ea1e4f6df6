package agent

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

// book is a typed answer. The name of its key is reserved in arguments of tools, and accepted in an answer.
type book struct {
	Title   string   `json:"title"`
	Key     string   `json:"key"`
	Year    *int     `json:"year"`
	Authors []author `json:"authors"`
}

type author struct {
	User string `json:"user"`
}

func (b book) Validate() error {
	if b.Title == "?" {
		return errors.New("the title is not on the cover")
	}
	return nil
}

const whole = `{"title":"Moby-Dick","key":"k1","year":1851,"authors":[{"user":"hm"}]}`

// fragments returns a typed answer as it streams: in pieces of n bytes, and then complete.
func fragments(id, input string, n int) step {
	var s step
	for rest := input; rest != ""; {
		piece := rest[:min(n, len(rest))]
		rest = rest[len(piece):]
		s = append(s, UseDelta{ID: id, Name: outputName, Input: piece})
	}
	return append(s, use(id, outputName, input))
}

func TestRunAsReturnsTheTypedAnswer(t *testing.T) {
	t.Parallel()
	year := 1851
	want := book{"Moby-Dick", "k1", &year, []author{{"hm"}}}
	m := play(
		step{text("Let me see."), use("c1", "echo", `{"word":"a"}`), calls},
		append(fragments("c2", whole, 5), calls),
	)
	a := newAgent(t, m, Limits{Calls: 1}, echo(t))
	v, done, err := RunAs[book](t.Context(), a, Input{Scope: tenant(t, "acme"), Prompt: "Go."})
	require.NoError(t, err)
	require.NoError(t, m.bad)
	require.Equal(t, want, v)
	require.Equal(t, OutcomeComplete, done.Outcome)
	require.JSONEq(t, whole, string(done.Output))
	require.Equal(t, []string{
		"user: Go.", `assistant: Let me see. [c1 echo {"word":"a"}]`, "user: {c1= <a>}",
		"assistant: [c2 final_answer " + whole + "]", "user: {c2= The answer has been taken.}",
	}, lines(done.History))
	require.Equal(t, []string{"echo", outputName}, []string{m.requests[0].Tools[0].Name, m.requests[0].Tools[1].Name})
	require.Contains(t, string(m.requests[0].Tools[1].Schema), `"key"`)

	// The conversation continues, with tools or without.
	done, err = newAgent(t, play(step{text("Yes."), end}), Limits{}).Run(t.Context(), Input{Prompt: "Sure?", History: done.History})
	require.NoError(t, err)
	require.Len(t, done.History.Turns, 3)
}

// The model is corrected and then forced to answer. The bound is that of turns without a successful call.
func TestRunAsCorrectsTheModel(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first step
		told  string
		force bool
	}{
		"a text":          {step{text("It is Moby-Dick."), end}, "user: Give your answer now, by a call of final_answer.", true},
		"nothing":         {step{end}, "", true},
		"what misfits":    {step{use("c1", outputName, `{"title":1}`), calls}, "user: {c1! the arguments do not fit: ", false},
		"an unknown name": {step{use("c1", outputName, whole[:len(whole)-1]+`,"x":1}`), calls}, "user: {c1! the arguments do not fit: x: is not known", false},
		"what is invalid": {step{use("c1", outputName, `{"title":"?","key":"","authors":[]}`), calls}, "user: {c1! the answer is not right: the title is not on the cover}", false},
		"what is cut":     {step{use("c1", outputName, `{"title":"`), calls}, "user: Call 1 of your answer, of final_answer, was not run", false},
		"beside a call":   {step{use("c1", outputName, whole), use("c2", "echo", `{"word":"a"}`), calls}, "user: {c1! Not taken: it came beside other calls.", false},
		"twice":           {step{use("c1", outputName, whole), use("c2", outputName, whole), calls}, "user: {c1! Not taken: it came beside other calls.", false},
		"beside a wreck":  {step{use("c1", outputName, whole), use("c2", "echo", `{`), calls}, "user: {c1! Not taken: it came beside other calls.", false},
	} {
		t.Run(name, func(t *testing.T) {
			m := play(c.first, step{use("z", outputName, whole), calls})
			var kinds []string
			var done Done
			for ev, err := range StreamAs[book](t.Context(), newAgent(t, m, Limits{}, echo(t)), Input{Scope: tenant(t, "acme"), Prompt: "Go."}) {
				require.NoError(t, err)
				switch ev := ev.(type) {
				case ToolCalled:
					kinds = append(kinds, ev.Name)
				case ToolDone:
					kinds = append(kinds, ev.Name)
				case Done:
					done = ev
				}
			}
			require.NoError(t, m.bad)
			require.Equal(t, OutcomeComplete, done.Outcome)
			require.Equal(t, whole, string(done.Output))
			require.NotContains(t, kinds, outputName)
			all := lines(done.History)
			if c.told != "" {
				require.Contains(t, all[2], c.told)
			}
			require.Equal(t, Choice{}, m.requests[0].Choice)
			if c.force {
				require.Equal(t, Choice{Name: outputName}, m.requests[1].Choice)
			} else {
				require.Equal(t, Choice{}, m.requests[1].Choice)
			}

			again := play(c.first, c.first, c.first)
			if name == "a text" || name == "nothing" {
				_, done, err := RunAs[book](t.Context(), newAgent(t, again, Limits{}, echo(t)), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
				failed, ok := errors.AsType[*RunError](err)
				require.True(t, ok)
				require.Equal(t, CodeLimit, failed.Code)
				require.Nil(t, done.Output)
				require.NoError(t, done.History.check())
				require.Len(t, again.requests, 3)
			}
		})
	}
}

func TestLastTurnMayBeTheTypedAnswer(t *testing.T) {
	t.Parallel()
	m := play(step{use("c1", "echo", `{"word":"a"}`), calls}, step{use("c2", outputName, whole), calls})
	_, _, err := RunAs[book](t.Context(), newAgent(t, m, Limits{Turns: 2}, echo(t)), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
	require.NoError(t, err)
	m = play(step{text("a"), end})
	_, _, err = RunAs[book](t.Context(), newAgent(t, m, Limits{Turns: 1}, echo(t)), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
	require.ErrorContains(t, err, "within 1 turns")
}

// oops panics when it is validated.
type oops struct {
	Word string `json:"word"`
}

func (oops) Validate() error { panic("a defect") }

// Events do not report the call of a typed answer, so the run's error has the cause.
func TestRunAsErrorHoldsTheValidationError(t *testing.T) {
	t.Parallel()
	again := func(id string) step { return step{use(id, outputName, `{"word":"a"}`), calls} }
	_, _, err := RunAs[oops](t.Context(), newAgent(t, play(again("c1"), again("c2"), again("c3")), Limits{}), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
	require.ErrorContains(t, err, "a defect")
	failed, ok := errors.AsType[*tools.PanicError](err)
	require.True(t, ok)
	require.NotEmpty(t, failed.Stack)
}

func TestRunAsRejectsInvalidTypes(t *testing.T) {
	t.Parallel()
	a := newAgent(t, play(), Limits{})
	_, _, err := RunAs[[]string](t.Context(), a, Input{Prompt: "Go."})
	require.ErrorIs(t, err, tools.ErrSchema)
	_, _, err = RunAs[struct {
		Any map[string]string `json:"any"`
	}](t.Context(), a, Input{Prompt: "Go."})
	require.ErrorIs(t, err, tools.ErrSchema)

	taken := mustTool(t, outputName, nil)
	_, _, err = RunAs[book](t.Context(), newAgent(t, play(), Limits{}, taken), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
	require.ErrorContains(t, err, `the tool name "final_answer" is reserved for the typed answer`)
}

// In a run without a typed answer, a call of its tool is a call of an unknown tool.
func TestOutputToolIsOnlyOfferedToItsRun(t *testing.T) {
	t.Parallel()
	m := play(step{use("c1", outputName, whole), calls}, step{text("ok"), end})
	a := newAgent(t, m, Limits{}, echo(t))
	_, err := outputOf[book](a)
	require.NoError(t, err)
	done, err := a.Run(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
	require.NoError(t, err)
	require.Equal(t, `user: {c1! There is no tool named "final_answer". The tools are: echo.}`, lines(done.History)[2])
	require.Nil(t, done.Output)
}

func TestRunAsFailsUnlessTheRunCompletes(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	v, done, err := RunAs[book](ctx, newAgent(t, play(append(step{text("Hm.")}, func(context.Context) { cancel() })), Limits{}), Input{Prompt: "Go."})
	failed, ok := errors.AsType[*RunError](err)
	require.True(t, ok)
	require.Equal(t, CodeIncomplete, failed.Code)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, OutcomeCancelled, done.Outcome)
	require.Equal(t, done, failed.Done)
	require.Equal(t, "Hm.", done.Partial)
	require.Zero(t, v)

	wait := mustTool(t, "wait", func(context.Context, *tools.Call, string) (string, error) {
		return "", &tools.PendingError{Reason: "?"}
	})
	a := newAgent(t, play(step{use("c1", "wait", `{"word":"a"}`), calls}), Limits{}, wait)
	v, done, err = RunAs[book](t.Context(), a, Input{Scope: tenant(t, "acme"), Run: "r", Prompt: "Go."})
	failed, ok = errors.AsType[*RunError](err)
	require.True(t, ok)
	require.Equal(t, CodeIncomplete, failed.Code)
	require.Equal(t, OutcomePending, done.Outcome)
	require.Equal(t, []string{"c1"}, pendingIDs(done.Checkpoint), "it is resumed from here")
	require.Zero(t, v)
}

// A resumed run returns the answer of its checkpoint, or obtains it if the run was pending.
func TestTypedAnswerSurvivesAResume(t *testing.T) {
	t.Parallel()
	sc := tenant(t, "acme")
	m := conversation(step{text("Hm."), end}, step{use("c1", outputName, whole), calls})
	var at []*Checkpoint
	var turns []Turn
	var done Done
	for ev, err := range StreamAs[book](t.Context(), newAgent(t, m, Limits{}), Input{Scope: sc, Run: "r", Prompt: "Go."}) {
		require.NoError(t, err)
		switch ev := ev.(type) {
		case Checkpointed:
			at = append(at, ev.Checkpoint)
			if ev.Ended != nil {
				turns = append(turns, *ev.Ended)
			}
		case Done:
			done = ev
		}
	}
	require.Len(t, at, 3)
	for _, c := range at {
		b, err := json.Marshal(c)
		require.NoError(t, err)
		c, err = decodeCheckpoint(b)
		require.NoError(t, err)
		m := conversation(step{text("Hm."), end}, append(step{func(context.Context) {}}, use("c1", outputName, whole), calls))
		v, again, err := RunAs[book](t.Context(), newAgent(t, m, Limits{}), Input{Scope: sc, Run: "r", History: History{Turns: turns[:c.Turns]}, Resume: c})
		require.NoError(t, err)
		require.Equal(t, "Moby-Dick", v.Title)
		require.Equal(t, lines(done.History), lines(again.History))
	}
	in := Input{Scope: sc, Run: "r", History: done.History, Resume: done.Checkpoint}
	for _, err := range StreamAs[struct {
		Author string `json:"author"`
	}](t.Context(), newAgent(t, play(), Limits{}), in) {
		failed, ok := errors.AsType[*RunError](err)
		require.True(t, ok, "the answer is of another type")
		require.Equal(t, CodeMalformed, failed.Code)
	}
}

// Each Partial is an object that grows. Another attempt starts again.
func TestPartialsGrowUntilTheAnswer(t *testing.T) {
	t.Parallel()
	m := play(
		append(fragments("c1", `{"title":"Mo`, 4), calls),
		append(fragments("c2", whole, 3), calls),
	)
	var got []string
	last := map[string]any{}
	for ev, err := range StreamAs[book](t.Context(), newAgent(t, m, Limits{}), Input{Prompt: "Go."}) {
		require.NoError(t, err)
		if p, ok := ev.(Partial); ok {
			var v map[string]any
			require.NoError(t, json.Unmarshal(p.JSON, &v))
			if p.ID == "c2" {
				requireGrown(t, last, v)
				last = v
			}
			got = append(got, p.ID+" "+string(p.JSON))
		}
	}
	require.Equal(t, []string{
		`c1 {}`, `c1 {"title":"Mo"}`,
		`c2 {}`, `c2 {"title":"Mo"}`, `c2 {"title":"Moby-"}`, `c2 {"title":"Moby-Dic"}`, `c2 {"title":"Moby-Dick"}`,
	}, got[:7])
	require.Equal(t, "c2 "+whole, got[len(got)-1])

	// A model that does not stream arguments yields one Partial, the complete answer.
	got = nil
	for ev := range StreamAs[book](t.Context(), newAgent(t, play(step{use("c1", outputName, whole), calls}), Limits{}), Input{Prompt: "Go."}) {
		if p, ok := ev.(Partial); ok {
			got = append(got, p.ID+" "+string(p.JSON))
		}
	}
	require.Equal(t, []string{"c1 " + whole}, got)
}
