package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// modelFunc is a function as a Model.
type modelFunc func(ctx context.Context, r *Request) iter.Seq2[Delta, error]

func (f modelFunc) Stream(ctx context.Context, r *Request) iter.Seq2[Delta, error] { return f(ctx, r) }

// step is one answer: each piece is a Delta, an error, or a func(context.Context) that runs in between.
type step []any

// script is a Model that plays one step for each request, keeps the requests, and records the first invalid one.
type script struct {
	mu       sync.Mutex
	steps    []step
	requests []*Request
	ctxs     []context.Context
	bad      error
}

func play(steps ...step) *script { return &script{steps: steps} }

func (s *script) Stream(ctx context.Context, r *Request) iter.Seq2[Delta, error] {
	return func(yield func(Delta, error) bool) {
		s.mu.Lock()
		n := len(s.requests)
		s.requests = append(s.requests, r)
		s.ctxs = append(s.ctxs, ctx)
		if err := checkRequest(r); err != nil && s.bad == nil {
			s.bad = fmt.Errorf("request %d: %w", n, err)
		}
		s.mu.Unlock()
		if n >= len(s.steps) {
			yield(nil, errors.New("the script is at its end"))
			return
		}
		for _, piece := range s.steps[n] {
			switch p := piece.(type) {
			case Delta:
				if !yield(p, nil) {
					return
				}
			case error:
				yield(nil, p)
				return
			case func(context.Context):
				p(ctx)
			case nil:
				if !yield(nil, nil) {
					return
				}
			}
		}
	}
}

// checkRequest checks the guarantees of Request, independently of the package's checks.
func checkRequest(r *Request) error {
	if r.MaxTokens < 0 {
		return errors.New("negative MaxTokens")
	}
	if !slices.IsSortedFunc(r.Tools, func(a, b tools.Spec) int { return map[bool]int{true: -1, false: 1}[a.Name < b.Name] }) {
		return errors.New("the tools are not in order")
	}
	want := RoleUser
	var open []string
	for i, m := range r.Messages {
		if m.Role != want {
			return fmt.Errorf("message %d is the %s's", i, m.Role)
		}
		want = map[Role]Role{RoleUser: RoleAssistant, RoleAssistant: RoleUser}[m.Role]
		if len(m.Parts) == 0 {
			return fmt.Errorf("message %d is empty", i)
		}
		results, calls, err := checkParts(m)
		if err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
		if !slices.Equal(results, open) {
			return fmt.Errorf("message %d: results %q for calls %q", i, results, open)
		}
		open = calls
	}
	if len(r.Messages) == 0 || want != RoleAssistant || len(open) > 0 {
		return errors.New("the last word is not the user's")
	}
	return nil
}

// checkParts checks a message of a request and returns the ids of its results and calls.
func checkParts(m Message) (results, calls []string, _ error) {
	for j, p := range m.Parts {
		switch {
		case p.Result != nil && j != len(results):
			return nil, nil, errors.New("a result does not lead")
		case p.Result != nil:
			results = append(results, p.Result.ID)
		case p.Use != nil && (!json.Valid(p.Use.Input) || p.Use.Input[0] != '{'):
			return nil, nil, fmt.Errorf("the arguments are not an object: %s", p.Use.Input)
		case p.Use != nil && slices.Contains(calls, p.Use.ID):
			return nil, nil, fmt.Errorf("id %q again", p.Use.ID)
		case p.Use != nil:
			calls = append(calls, p.Use.ID)
		case (p.Image != nil || p.Document != nil) && m.Role != RoleUser:
			return nil, nil, fmt.Errorf("media of the %s", m.Role)
		case p.Image != nil, p.Document != nil:
		case (p.Reasoning != nil || p.Citation != nil) && m.Role != RoleAssistant:
			return nil, nil, fmt.Errorf("reasoning or a citation of the %s", m.Role)
		case p.Reasoning != nil, p.Citation != nil:
		case p.Text == "":
			return nil, nil, errors.New("an empty part")
		}
	}
	return results, calls, nil
}

func use(id, name, input string) UsePart {
	return UsePart{ToolUse{ID: id, Name: name, Input: json.RawMessage(input)}}
}

func text(s string) TextDelta { return TextDelta{s} }

var (
	end   = StopPart{StopEndTurn}
	calls = StopPart{StopToolUse}
)

// mustTool returns a tool whose argument is a word.
func mustTool(t testing.TB, name string, f func(ctx context.Context, c *tools.Call, word string) (string, error)) *tools.Tool {
	t.Helper()
	type in struct {
		Word string `json:"word"`
	}
	tool, err := tools.New(name, "The tool "+name+".", func(ctx context.Context, c *tools.Call, in in) (string, error) {
		return f(ctx, c, in.Word)
	})
	require.NoError(t, err)
	return tool
}

// echo returns a tool that returns its word, or fails in the way that the word names.
func echo(t testing.TB) *tools.Tool {
	return mustTool(t, "echo", func(_ context.Context, _ *tools.Call, word string) (string, error) {
		switch word {
		case "secret":
			return "", errors.New("secret: arn:aws:s3:::acme")
		case "mend":
			return "", tools.Correct("say it louder")
		case "fatal":
			return "", tools.Fatal(&tools.FatalError{Code: "not_an_image", Message: "The file is no image.", Err: errors.New("secret")})
		case "plain fatal":
			return "", tools.Fatal(errors.New("secret"))
		case "panic":
			panic("secret")
		}
		return "<" + word + ">", nil
	})
}

func newAgent(t testing.TB, m Model, l Limits, ts ...*tools.Tool) *Agent {
	t.Helper()
	a, err := New(m, &Options{System: "Be brief.", Tools: tools.Of(ts...), Limits: l})
	require.NoError(t, err)
	return a
}

func tenant(t testing.TB, id string) scope.Scope {
	t.Helper()
	s, err := scope.Tenant(id)
	require.NoError(t, err)
	return s
}

// drain returns the events of a run without those of its steps, and its error, if any.
func drain(t testing.TB, a *Agent, ctx context.Context, in Input) ([]Event, *RunError) {
	t.Helper()
	var evs []Event
	var failed *RunError
	for ev, err := range a.Stream(ctx, in) {
		require.Nil(t, failed, "an event after the error")
		if n := len(evs); n > 0 {
			require.IsNotType(t, Done{}, evs[n-1], "an event after Done")
		}
		if err != nil {
			require.Nil(t, ev)
			var ok bool
			failed, ok = errors.AsType[*RunError](err)
			require.True(t, ok)
			continue
		}
		switch ev.(type) {
		case StepStarted, StepFinished:
		default:
			evs = append(evs, ev)
		}
	}
	if failed == nil {
		require.NotEmpty(t, evs)
		require.IsType(t, Done{}, evs[len(evs)-1], "no end")
	}
	if s, ok := a.model.(*script); ok {
		require.NoError(t, s.bad)
	}
	return evs, failed
}

// lines returns a history as one readable line for each message.
func lines(h History) []string {
	var out []string
	for _, t := range h.Turns {
		for _, m := range t.Messages {
			s := string(m.Role) + ":"
			for _, p := range m.Parts {
				switch {
				case p.Use != nil:
					s += fmt.Sprintf(" [%s %s %s]", p.Use.ID, p.Use.Name, p.Use.Input)
				case p.Reasoning != nil:
					s += fmt.Sprintf(" <%s %s %s>", p.Reasoning.Text, p.Reasoning.Signature, p.Reasoning.Redacted)
				case p.Image != nil:
					s += fmt.Sprintf(" (%s %s)", p.Image.Format, content(p.Image))
				case p.Document != nil:
					s += fmt.Sprintf(" (%s %s)", p.Document.Format, content(p.Document))
				case p.Result != nil:
					mark := "="
					if p.Result.IsError {
						mark = "!"
					}
					s += fmt.Sprintf(" {%s%s %s}", p.Result.ID, mark, p.Result.Blocks[0].Text)
				default:
					s += " " + p.Text
				}
			}
			out = append(out, s)
		}
	}
	return out
}

type iterDeltas = iter.Seq2[Delta, error]

func exit() { runtime.Goexit() }
