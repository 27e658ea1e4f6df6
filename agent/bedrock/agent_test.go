package bedrock_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

type lookUp struct {
	ISBN string `json:"isbn"`
}

// The agent's loop over the wire, with a model that misbehaves. The script checks every request by the service's
// rules, so a history that the service would refuse fails the test.
func TestAgentOverTheWire(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script []bt.Step
		code   agent.Code // of the error, or "" if the run completes
		calls  []string   // that were executed
	}{
		"a call and its answer": {
			script: []bt.Step{
				bt.Times(2, bt.Throttled()),
				bt.Reply(bt.Text("So."), bt.ToolUse("a", "look_up", `{"isbn"`, `:"1"}`), bt.ToolUse("b", "look_up", `{"isbn":"2"}`)),
				bt.Reply(bt.Text("Emma.")),
			},
			calls: []string{"1", "2"},
		},
		"calls with a type": {
			script: []bt.Step{
				bt.Reply(slices.Concat([]bt.Piece{bt.Text("So."), bt.Stop("tool_use")},
					typedCall(1, "tool_use", "a", "look_up", `{"isbn":"1"}`),
					typedCall(2, "server_tool_use", "s", "web_search", `{"query":"Emma"}`),
					typedCall(3, "tool_use_v2", "b", "look_up", `{"isbn":"2"}`))...),
				bt.Reply(bt.Text("Emma.")),
			},
			calls: []string{"1", "2"},
		},
		"it mends its arguments": {
			script: []bt.Step{
				bt.Reply(bt.ToolUse("a", "look_up", `{"isbn": 97`)),
				bt.Reply(bt.ToolUse("b", "look_up", `[1]`)),
				bt.Reply(bt.ToolUse("c", "look_up", `{"isbn":"1"}`)),
				bt.Reply(bt.Text("Emma.")),
			},
			calls: []string{"1"},
		},
		"tools that were never offered": {
			script: []bt.Step{
				bt.Reply(bt.ToolUse("a", "delete_all", `{}`)),
				bt.Reply(bt.ToolUse("b", "functions.look_up", `{"isbn":"1"}`)),
				bt.Reply(bt.Text("Sorry.")),
			},
		},
		"it calls and says that it has ended": {
			script: []bt.Step{bt.Reply(bt.ToolUse("a", "look_up", `{"isbn":"1"}`), bt.Stop("end_turn")), bt.Reply(bt.Text("Emma."))},
			calls:  []string{"1"},
		},
		"it says that it calls, and does not": {script: []bt.Step{bt.Reply(bt.Text("So."), bt.Stop("tool_use"))}, code: agent.CodeMalformed},
		"calls side by side": {
			script: []bt.Step{
				bt.Reply(bt.Interleave(bt.ToolUse("b", "look_up", `{"isbn":`, `"1"}`), bt.Text("So."), bt.ToolUse("a", "look_up", `{"isbn":"2`, `"}`))),
				bt.Reply(bt.Text("Emma.")),
			},
			calls: []string{"1", "2"},
		},
		"with citations":       {script: []bt.Step{bt.Reply(bt.Text("Employees receive "), bt.CitedText([]agent.Citation{leave}, "20 days"), bt.Text("."))}},
		"it says nothing":      {script: []bt.Step{bt.Reply()}},
		"throttled to the end": {script: []bt.Step{bt.Times(3, bt.Throttled())}, code: agent.CodeThrottled},
		"denied":               {script: []bt.Step{bt.Denied()}, code: agent.CodeAccessDenied},
		"cut in mid-text":      {script: []bt.Step{bt.Reply(bt.Text("It"), bt.Cut())}, code: agent.CodeTruncated},
		"cut in mid-call":      {script: []bt.Step{bt.Reply(bt.ToolUse("a", "look_up", `{"isbn":"1"}`), bt.Cut())}, code: agent.CodeTruncated},
		"cut after a call":     {script: []bt.Step{bt.Reply(bt.ToolUse("a", "look_up", `{"isbn":"1"}`), bt.Text("and"), bt.Cut())}, code: agent.CodeTruncated},
		"out of tokens":        {script: []bt.Step{bt.Reply(bt.ToolUse("a", "look_up", `{"isbn":"1"}`), bt.Stop("max_tokens"))}, code: agent.CodeTruncated},
		"an exception":         {script: []bt.Step{bt.Reply(bt.Text("It"), bt.Exception("ModelStreamErrorException", "oh"))}, code: agent.CodeUnavailable},
		"filtered":             {script: []bt.Step{bt.Reply(bt.Text("It"), bt.Stop("guardrail_intervened"))}, code: agent.CodeFiltered},
		"calls for ever": {
			script: []bt.Step{bt.Forever(bt.Func(func(r *bt.Request) bt.Step {
				return bt.Reply(bt.ToolUse(fmt.Sprint("call-", len(r.Messages)), "look_up", `{"isbn":"1"}`))
			}))},
			code:  agent.CodeLimit,
			calls: []string{"1", "1", "1"}, // those of the last turn are not run
		},
	} {
		t.Run(name, func(t *testing.T) {
			// The next question must find a history that the service takes, whatever has been before.
			script := bt.NewScript(append(c.script, bt.Reply(bt.Text("Yes.")))...)
			bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
				var calls []string
				tool, err := tools.New("look_up", "Looks a book up.", func(_ context.Context, _ *tools.Call, in lookUp) (string, error) {
					calls = append(calls, in.ISBN)
					return "Emma", nil
				})
				require.NoError(t, err)
				a, err := agent.New(m, &agent.Options{Tools: tools.Of(tool), Limits: agent.Limits{Turns: 4, Parallel: 1}})
				require.NoError(t, err)
				tenant, err := scope.Tenant("acme")
				require.NoError(t, err)
				user, err := tenant.User("reader")
				require.NoError(t, err)

				done, err := a.Run(t.Context(), agent.Input{Scope: user, Run: "1", Prompt: "Which book is this?"})
				if c.code != "" {
					require.Error(t, err)
					re, ok := err.(*agent.RunError) //nolint:errorlint // the contract is the type itself
					require.True(t, ok)
					require.Equal(t, c.code, re.Code)
					require.NotContains(t, re.Message, "arn:")
					done = re.Done
				} else {
					require.NoError(t, err)
				}
				require.Equal(t, c.calls, calls)
				if name == "calls for ever" {
					return
				}
				_, err = a.Run(t.Context(), agent.Input{Scope: user, Run: "2", Prompt: "Sure?", History: done.History})
				require.NoError(t, err)
			})
		})
	}
}

// The results of concurrent calls are sent in the order of the calls, so that the beginning of the next request does
// not depend on which call was faster.
func TestResultsKeepTheOrderOfCalls(t *testing.T) {
	t.Parallel()
	script := bt.NewScript(
		bt.Reply(bt.ToolUse("a", "look_up", `{"isbn":"3"}`), bt.ToolUse("b", "look_up", `{"isbn":"1"}`), bt.ToolUse("c", "look_up", `{"isbn":"2"}`)),
		bt.Reply(bt.Text("Emma.")),
	)
	bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
		tool, err := tools.New("look_up", "Looks a book up.", func(_ context.Context, _ *tools.Call, in lookUp) (string, error) {
			seconds, err := time.ParseDuration(in.ISBN + "s")
			<-time.After(seconds)
			return in.ISBN, err
		})
		require.NoError(t, err)
		a, err := agent.New(m, &agent.Options{Tools: tools.Of(tool)})
		require.NoError(t, err)
		tenant, err := scope.Tenant("acme")
		require.NoError(t, err)
		user, err := tenant.User("reader")
		require.NoError(t, err)
		_, err = a.Run(t.Context(), agent.Input{Scope: user, Run: "1", Prompt: "Which books are these?"})
		require.NoError(t, err)
		var got []string
		for _, p := range script.Requests()[1].Messages[2].Parts {
			got = append(got, p.Result.ID+p.Result.Blocks[0].Text)
		}
		require.Equal(t, []string{"a3", "b1", "c2"}, got)
	})
}

// A typed answer does not force the tool while the model thinks, which the service rejects. The model is asked for the
// answer all the same.
func TestTypedAnswerWithThinking(t *testing.T) {
	t.Parallel()
	type book struct {
		Title string `json:"title"`
	}
	for _, fields := range []string{
		`{"thinking":{"type":"enabled","budget_tokens":8000}}`, `{"thinking":{"type":"adaptive"}}`,
		`{"reasoning_config":{"type":"enabled","budget_tokens":1024}}`,
	} {
		script := bt.NewScript(
			bt.Reply(bt.Reasoning("c2ln", "Hm."), bt.Text("It is Emma.")),
			bt.Reply(bt.Reasoning("c2ln", "Hm."), bt.ToolUse("a", "final_answer", `{"title":"Emma"}`)),
		)
		bubble(t, script, &bedrock.Options{AdditionalModelRequestFields: []byte(fields)}, func(t *testing.T, m *bedrock.Model) {
			a, err := agent.New(m, nil)
			require.NoError(t, err)
			got, _, err := agent.RunAs[book](t.Context(), a, agent.Input{Prompt: "Which book?"})
			require.NoError(t, err)
			require.Equal(t, book{"Emma"}, got)
		})
		require.Zero(t, script.Requests()[1].Choice, fields)
		require.Contains(t, script.Requests()[1].Messages[2].Parts[0].Text, "final_answer")
	}
}
