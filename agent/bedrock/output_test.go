package bedrock_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// city is the answer that the service is asked for; its Population has a bound that the service does not enforce.
type city struct {
	City       string   `json:"city" maxlen:"40"`
	Population int      `json:"population" min:"1" jsonschema:"people within the city proper"`
	Names      []string `json:"names" minitems:"1" maxitems:"5"`
}

// A typed answer by the service's structured output: the text is the answer and comes as Partials, an answer that
// does not fit is corrected, and the next run of the conversation is one that the service accepts.
func TestStructuredOutputOverTheWire(t *testing.T) {
	t.Parallel()
	const good = `{"city":"Paris","population":2161000,"names":["Lutetia"]}`
	script := bt.NewScript(
		bt.Reply(bt.Text(chunks(`{"city":"Paris","population":0,"names":["Lutetia"]}`, 9)...)),
		bt.Reply(bt.Text(""), bt.Reasoning("c2ln", "Hm."), bt.Text(chunks(good, 5)...)),
		bt.Reply(bt.Text("Yes.")),
	)
	bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
		a, err := agent.New(m, &agent.Options{StructuredOutput: true})
		require.NoError(t, err)
		var last agent.Partial
		var done agent.Done
		partials := 0
		for ev, err := range agent.StreamAs[city](t.Context(), a, agent.Input{Prompt: "The capital of France?"}) {
			require.NoError(t, err)
			switch ev := ev.(type) {
			case agent.Partial:
				last = ev
				partials++
			case agent.Done:
				done = ev
			}
		}
		require.JSONEq(t, good, string(done.Output))
		require.JSONEq(t, good, string(last.JSON))
		require.Greater(t, partials, 10)
		r := script.Requests()[0]
		require.JSONEq(t, `{"type":"object","properties":{
			"city":{"type":"string","maxLength":40},
			"population":{"type":"integer","description":"people within the city proper (minimum=1)"},
			"names":{"type":"array","items":{"type":"string"},"minItems":1,"description":"maxItems=5"}
		},"required":["city","population","names"],"additionalProperties":false}`, string(r.Output.Schema))
		require.Empty(t, r.Tools)
		require.Contains(t, script.Requests()[1].Messages[2].Parts[0].Text, "population")

		plain, err := agent.New(m, nil)
		require.NoError(t, err)
		_, err = plain.Run(t.Context(), agent.Input{Prompt: "Sure?", History: done.History})
		require.NoError(t, err)
		require.NotContains(t, string(script.Requests()[2].Body), "outputConfig")
	})
}

// A model without structured output fails, and says so.
func TestModelsWithoutStructuredOutput(t *testing.T) {
	t.Parallel()
	for _, message := range []string{
		"The model returned the following errors: output_config.format: Extra inputs are not permitted",
		"This model doesn't support the outputConfig field. Remove outputConfig and try again.",
	} {
		bubble(t, bt.NewScript(bt.Times(2, bt.Fail(400, "ValidationException", message))), nil, func(t *testing.T, m *bedrock.Model) {
			a, err := agent.New(m, &agent.Options{StructuredOutput: true})
			require.NoError(t, err)
			_, _, err = agent.RunAs[city](t.Context(), a, agent.Input{Prompt: "The capital of France?"})
			re, ok := err.(*agent.RunError) //nolint:errorlint // the contract is the type itself
			require.True(t, ok)
			require.Equal(t, agent.CodeInvalidCall, re.Code)
			require.Equal(t, "The model does not support structured output.", re.Message)

			_, err = collect(t, t.Context(), m, ask("?"))
			require.NotEqual(t, re.Message, modelError(t, err).Message, "it was not asked for")
		})
	}
}

func strict(name, schema string) tools.Spec {
	return tools.Spec{Name: name, Schema: json.RawMessage(schema), Strict: true}
}

// The schemas of strict tools are sent in the form that the service compiles, in which the order of properties stays.
func TestStrictSchemas(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ schema, want string }{
		"as it is": {
			`{"type":"object","properties":{"z":{"type":"string","pattern":"^a","minLength":1,"enum":["a"]},"a":{"type":"boolean"}},"required":["z"],"additionalProperties":false}`,
			`{"type":"object","properties":{"z":{"type":"string","pattern":"^a","minLength":1,"enum":["a"]},"a":{"type":"boolean"}},"required":["z"],"additionalProperties":false}`,
		},
		"bounds": {
			`{"type":"object","properties":{"n":{"type":"number","minimum":0.5,"maximum":1e3,"description":"a \"share\""},"m":{"type":["integer","null"],"multipleOf":5}}}`,
			`{"type":"object","properties":{"n":{"type":"number","description":"a \"share\" (minimum=0.5, maximum=1e3)"},"m":{"type":["integer","null"],"description":"multipleOf=5"}},"additionalProperties":false}`,
		},
		"lists that may be empty": {
			`{"type":"object","properties":{"a":{"type":"array","minItems":0}},"additionalProperties":false}`,
			`{"type":"object","properties":{"a":{"type":"array","minItems":0}},"additionalProperties":false}`,
		},
		"lists": {
			`{"type":"object","properties":{"a":{"type":"array","minItems":2,"maxItems":3,"items":{"type":"object","properties":{"b":{"type":"array","minItems":1,"items":{"type":"integer","exclusiveMinimum":0}}}}}}}`,
			`{"type":"object","properties":{"a":{"type":"array","items":{"type":"object","properties":{"b":{"type":"array","minItems":1,"items":{"type":"integer","description":"exclusiveMinimum=0"}}},"additionalProperties":false},"description":"minItems=2, maxItems=3"}},"additionalProperties":false}`,
		},
		"definitions": {
			`{"type":"object","properties":{"a":{"$ref":"#/$defs/A"},"b":{"anyOf":[{"$ref":"#/$defs/A"},{"type":"null"}]}},"$defs":{"A":{"type":"object","properties":{"minimum":{"type":"integer","minimum":1}}}}}`,
			`{"type":"object","properties":{"a":{"$ref":"#/$defs/A"},"b":{"anyOf":[{"$ref":"#/$defs/A"},{"type":"null"}]}},"$defs":{"A":{"type":"object","properties":{"minimum":{"type":"integer","description":"minimum=1"}},"additionalProperties":false}},"additionalProperties":false}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := ask("?")
			r.Tools = []tools.Spec{strict("x", c.schema), {Name: "y", Schema: json.RawMessage(c.schema)}}
			got := sent(t, nil, r)
			require.Equal(t, c.want, string(got.Tools[0].Schema))
			require.True(t, got.Tools[0].Strict)
			require.Equal(t, tools.Spec{Name: "y", Schema: json.RawMessage(c.schema)}, got.Tools[1], "a tool that is not strict is sent as it is")
			got = sent(t, &bedrock.Options{NoStrict: true}, r)
			require.Equal(t, c.schema, string(got.Tools[0].Schema))
			require.NotContains(t, string(got.Body), "strict")
		})
	}
}

func TestSchemasThatCannotBeStrict(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ schema, want string }{
		"no object":           {`[]`, "not a JSON object"},
		"a list":              {`{"type":"array","items":{"type":"string"}}`, "must be object"},
		"an open map":         {`{"type":"object","properties":{"a":{"type":"object","additionalProperties":{"type":"string"}}}}`, `a: invalid additionalProperties {"type":"string"}: must be false`},
		"anything":            {`{"type":"object","properties":{"a":{"type":"array","items":true}}}`, "a[]: not a JSON object"},
		"a recursive one":     {`{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"object","properties":{"b":{"$ref":"#/$defs/A"}}}}}`, "recursive"},
		"one that is its own": {`{"type":"object","properties":{"a":{"$ref":"#"}}}`, "must name a definition of the schema"},
		"one elsewhere":       {`{"type":"object","properties":{"a":{"$ref":"https://example.com/a"}},"$defs":{}}`, "must name a definition of the schema"},
	} {
		t.Run(name, func(t *testing.T) {
			r := ask("?")
			r.Tools = []tools.Spec{strict("x", c.schema)}
			require.ErrorContains(t, notSent(t, nil, r), c.want)
			r = ask("?")
			r.Output = &tools.Spec{Name: "x", Schema: json.RawMessage(c.schema)}
			require.ErrorContains(t, notSent(t, nil, r), c.want)
		})
	}
	r := ask("?")
	for i := range 21 {
		r.Tools = append(r.Tools, strict(fmt.Sprint("x", i), `{"type":"object"}`))
	}
	require.ErrorContains(t, notSent(t, nil, r), "more than 20 tools are strict")
}

// A tool is strict if its author says so.
func TestStrictToolOverTheWire(t *testing.T) {
	t.Parallel()
	script := bt.NewScript(bt.Reply(append(typedCall(0, "tool_use", "a", "look_up", `{"isbn":"1"}`), bt.Stop("tool_use"))...), bt.Reply(bt.Text("Emma.")))
	bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
		tool, err := tools.NewWith("look_up", "Looks a book up.", lookUpBook, &tools.Options{Strict: true})
		require.NoError(t, err)
		a, err := agent.New(m, &agent.Options{Tools: tools.Of(tool)})
		require.NoError(t, err)
		_, err = a.Run(t.Context(), agent.Input{Scope: reader(t), Prompt: "Which book is this?"})
		require.NoError(t, err)
		require.Equal(t, 2, strings.Count(string(script.Requests()[0].Body)+string(script.Requests()[1].Body), `"strict":true`))
	})
}

func lookUpBook(context.Context, *tools.Call, lookUp) (string, error) { return "Emma", nil }

// reader is the scope of a user.
func reader(t *testing.T) scope.Scope {
	t.Helper()
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	user, err := tenant.User("reader")
	require.NoError(t, err)
	return user
}
