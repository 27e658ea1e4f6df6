package bedrock_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/tools"
)

var update = flag.Bool("update", false, "write the goldens anew")

func text(s string) agent.Part { return agent.Part{Text: s} }

func call(id, name, input string) agent.Part {
	return agent.Part{Use: &agent.ToolUse{ID: id, Name: name, Input: json.RawMessage(input)}}
}

func result(id string, blocks ...tools.Block) agent.Part {
	return agent.Part{Result: &agent.ToolResult{ID: id, Result: tools.Result{Blocks: blocks}}}
}

func failure(id, message string) agent.Part {
	p := result(id, tools.Block{Text: message})
	p.Result.IsError = true
	return p
}

// The request on the wire, to the byte. bedrocktest checks each of them by the service's rules as well.
func TestRequestGoldens(t *testing.T) {
	t.Parallel()
	lookUp := tools.Spec{
		Name: "look_up", Description: "Looks a book up.",
		Schema: json.RawMessage(`{"type":"object","properties":{"isbn":{"type":"string"}},"required":["isbn"]}`),
	}
	goldens(t, nil, map[string]*agent.Request{
		"plain": ask("Which book is this?"),
		"conversation": {
			System: "You know books. <b>Use</b> the tools & \"say\" what you find.",
			Messages: []agent.Message{
				{Role: agent.RoleUser, Parts: []agent.Part{text("Which book is this?")}},
				{Role: agent.RoleAssistant, Parts: []agent.Part{text("Let me look."), call("a", "look_up", `{"isbn": "978","z":1e400,"a":0.10}`), call("b", "look_up", `{}`)}},
				{Role: agent.RoleUser, Parts: []agent.Part{
					result("a", tools.Block{JSON: json.RawMessage(`{"title": "Emma", "b": 1, "a": 2}`)}, tools.Block{Text: "found"}),
					failure("b", "isbn is missing"),
				}},
				{Role: agent.RoleAssistant, Parts: []agent.Part{text("Emma.")}},
				{Role: agent.RoleUser, Parts: []agent.Part{text("Sure? 📚\u2028")}},
			},
			Tools:     []tools.Spec{lookUp, {Name: "scan", Schema: json.RawMessage(`{"type":"object"}`)}},
			MaxTokens: 900,
		},
		// A history that ends in tool results, then a new prompt: one user message, results leading.
		"merged": {
			Messages: []agent.Message{
				{Role: agent.RoleUser, Parts: []agent.Part{text("one")}},
				{Role: agent.RoleUser, Parts: []agent.Part{text("two")}},
				{Role: agent.RoleAssistant, Parts: []agent.Part{text("hm")}},
				{Role: agent.RoleAssistant, Parts: []agent.Part{call("a", "look_up", `{}`)}},
				{Role: agent.RoleUser, Parts: []agent.Part{text("before"), result("a", tools.Block{Text: "ok"})}},
				{Role: agent.RoleUser, Parts: []agent.Part{text("after")}},
			},
			Tools: []tools.Spec{lookUp},
		},
		// Blank texts go, an emptied message goes with them, and its neighbours meet.
		"blank": {
			System: " \n",
			Messages: []agent.Message{
				{Role: agent.RoleUser, Parts: []agent.Part{text(""), text("one"), text(" \t\u00a0\n")}},
				{Role: agent.RoleAssistant, Parts: []agent.Part{text("\n")}},
				{Role: agent.RoleUser, Parts: []agent.Part{text(" two ")}},
			},
			Tools: []tools.Spec{{Name: "scan", Description: " ", Schema: json.RawMessage(`{"type":"object"}`)}},
		},
		// Results may be empty, blank text, or JSON other than an object.
		"results": {
			Messages: []agent.Message{
				{Role: agent.RoleUser, Parts: []agent.Part{text("go")}},
				{Role: agent.RoleAssistant, Parts: []agent.Part{call("a", "x", `{}`), call("b", "x", `{}`), call("c", "x", `{}`), call("d", "x", `{}`)}},
				{Role: agent.RoleUser, Parts: []agent.Part{
					result("a"), result("b", tools.Block{Text: " "}),
					result("c", tools.Block{JSON: json.RawMessage(`[1,2]`)}, tools.Block{JSON: json.RawMessage(`null`)}),
					result("d", tools.Block{JSON: json.RawMessage(" {}")}),
				}},
			},
			Tools: []tools.Spec{{Name: "x", Schema: json.RawMessage(`{"type":"object"}`)}},
		},
		// No tools are offered any more, yet toolConfig must be there.
		"retired": {
			Messages: []agent.Message{
				{Role: agent.RoleUser, Parts: []agent.Part{text("go")}},
				{Role: agent.RoleAssistant, Parts: []agent.Part{call("a", "x", `{}`), call("b", "y", `{}`), call("c", "x", `{}`)}},
				{Role: agent.RoleUser, Parts: []agent.Part{result("a"), result("b"), result("c")}},
			},
		},
	})
}

// goldens compares requests on the wire with testdata.
func goldens(t *testing.T, o *bedrock.Options, requests map[string]*agent.Request) {
	t.Helper()
	for name, r := range requests {
		t.Run(name, func(t *testing.T) {
			var indented bytes.Buffer // keeps the order and the spelling of everything
			require.NoError(t, json.Indent(&indented, sent(t, o, r).Body, "", "  "))
			indented.WriteByte('\n')
			golden := filepath.Join("testdata", name+".json")
			if *update {
				require.NoError(t, os.WriteFile(golden, indented.Bytes(), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), indented.String())
		})
	}
}

// sent returns a request as it arrives. It must be one that the service takes.
func sent(t *testing.T, o *bedrock.Options, r *agent.Request) bt.Request {
	t.Helper()
	script := bt.NewScript(bt.Reply(bt.Text("ok")))
	bubble(t, script, o, func(t *testing.T, m *bedrock.Model) {
		_, err := collect(t, t.Context(), m, r)
		require.NoError(t, err)
	})
	return script.Requests()[0]
}

// notSent expects that the model refuses a request before anything is sent.
func notSent(t *testing.T, o *bedrock.Options, r *agent.Request) *agent.ModelError {
	t.Helper()
	var me *agent.ModelError
	script := bt.NewScript()
	bubble(t, script, o, func(t *testing.T, m *bedrock.Model) {
		_, err := collect(t, t.Context(), m, r)
		me = modelError(t, err)
	})
	require.Empty(t, script.Requests())
	if errors.Is(me, bedrock.ErrLimit) {
		require.Equal(t, "There are more or larger files in a message than the model takes.", me.Message)
	} else {
		require.Equal(t, "The request to the model is not valid.", me.Message)
	}
	require.Equal(t, agent.CodeInvalidCall, me.Code)
	require.False(t, me.Retryable)
	return me
}

// A request that cannot be adapted is refused before anything is sent.
func TestRequestsThatAreNotSent(t *testing.T) {
	t.Parallel()
	with := func(p ...agent.Part) *agent.Request {
		return &agent.Request{Messages: []agent.Message{{Role: agent.RoleUser, Parts: p}}}
	}
	offering := func(schema string) *agent.Request {
		r := ask("?")
		r.Tools = []tools.Spec{{Name: "x", Schema: json.RawMessage(schema)}}
		return r
	}
	tooMany := ask("?")
	tooMany.MaxTokens = math.MaxInt32 + 1
	negative := ask("?")
	negative.MaxTokens = -1
	for name, r := range map[string]*agent.Request{
		"no message":                 {},
		"only blank text":            with(text(" "), text("")),
		"input that is no JSON":      with(call("a", "x", `{"isbn":`)),
		"input that adds a field":    with(call("a", "x", `{}},"text":"smuggled"`)),
		"input that is no object":    with(call("a", "x", `[1]`)),
		"no input":                   with(call("a", "x", ``)),
		"a result that is no JSON":   with(result("a", tools.Block{JSON: json.RawMessage(`{`)})),
		"no schema":                  offering(``),
		"a schema that is no JSON":   offering(`{"type":"object"`),
		"a schema that is no object": offering(`true`),
		"too many tokens":            tooMany,
		"negative tokens":            negative,
		"reasoning of the user's":    with(text("?"), agent.Part{Reasoning: &agent.Reasoning{Signature: "c2ln"}}),
	} {
		t.Run(name, func(t *testing.T) {
			notSent(t, nil, r)
		})
	}
}

func TestMaxTokensIsAlwaysSent(t *testing.T) {
	t.Parallel()
	script := bt.NewScript(bt.Forever(bt.Reply()))
	ask900 := ask("?")
	ask900.MaxTokens = 900
	bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
		_, err := collect(t, t.Context(), m, ask("?"))
		require.NoError(t, err)
	})
	bubble(t, script, &bedrock.Options{MaxTokens: 77}, func(t *testing.T, m *bedrock.Model) {
		_, err := collect(t, t.Context(), m, ask("?"))
		require.NoError(t, err)
		_, err = collect(t, t.Context(), m, ask900)
		require.NoError(t, err)
	})
	var got []int
	for _, r := range script.Requests() {
		got = append(got, r.MaxTokens)
	}
	require.Equal(t, []int{4096, 77, 900}, got)
}
