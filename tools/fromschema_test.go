package tools_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

// echoArgs returns the arguments that it receives.
func echoArgs(_ context.Context, c *tools.Call) (tools.Result, error) {
	return tools.Result{Blocks: []tools.Block{{JSON: c.Args()}}}, nil
}

func fromSchema(t *testing.T, schema string, o *tools.Options) *tools.Tool {
	t.Helper()
	tool, err := tools.FromSchema("foreign", "Is from elsewhere.", json.RawMessage(schema), echoArgs, o)
	require.NoError(t, err)
	return tool
}

// The schemas are those that other SDKs write: from zod, and from pydantic with its definitions and optional values.
func TestForeignSchemasAreReadAndClosed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ schema, want string }{
		"no arguments": {
			`{"type":"object"}`,
			`{"type":"object","properties":{},"additionalProperties":false}`,
		},
		"zod": {
			`{"type":"object","properties":{"city":{"type":"string","minLength":1,"description":"the city"},` +
				`"days":{"type":"integer","exclusiveMinimum":0,"maximum":10,"default":3},"unit":{"enum":["c","f"]}},` +
				`"required":["city"],"additionalProperties":false,"$schema":"http://json-schema.org/draft-07/schema#"}`,
			`{"type":"object","required":["city"],"properties":{"city":{"type":"string","description":"the city","minLength":1},` +
				`"days":{"type":"integer","maximum":10},"unit":{"type":"string","enum":["c","f"]}},"additionalProperties":false}`,
		},
		"pydantic": {
			`{"$defs":{"Place":{"properties":{"lat":{"title":"Lat","type":"number"}},"required":["lat"],"title":"Place","type":"object"}},` +
				`"properties":{"place":{"$ref":"#/$defs/Place","description":"where"},` +
				`"note":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null,"title":"Note"},` +
				`"all":{"allOf":[{"$ref":"#/$defs/Place"}]},` +
				`"many":{"type":"array","maxItems":2,"items":{"$ref":"#/$defs/Place"}}},"required":["place","note"],"type":"object"}`,
			`{"type":"object","required":["place","note"],"properties":{` +
				`"place":{"type":"object","description":"where","required":["lat"],"properties":{"lat":{"type":"number"}},"additionalProperties":false},` +
				`"note":{"type":"string"},` +
				`"all":{"type":"object","required":["lat"],"properties":{"lat":{"type":"number"}},"additionalProperties":false},` +
				`"many":{"type":"array","maxItems":2,"items":{"type":"object","required":["lat"],` +
				`"properties":{"lat":{"type":"number"}},"additionalProperties":false}}},"additionalProperties":false}`,
		},
		"constraints that are left to the function": {
			`{"type":"object","properties":{"mail":{"type":"string","format":"idn-email","pattern":"^(?!x)","contentEncoding":"base64"},` +
				`"day":{"type":"string","format":"date","pattern":"^2"},"n":{"type":"number","multipleOf":2},"on":{"type":"boolean","const":true}},` +
				`"if":{"properties":{"n":{"const":2}}},"then":{"required":["mail"]}}`,
			`{"type":"object","properties":{"mail":{"type":"string"},"day":{"type":"string","pattern":"^2","format":"date"},` +
				`"n":{"type":"number"},"on":{"type":"boolean"}},"additionalProperties":false}`,
		},
	} {
		require.JSONEq(t, c.want, string(fromSchema(t, c.schema, nil).Spec().Schema), name)
	}
}

func TestArgumentsFitForeignSchemas(t *testing.T) {
	t.Parallel()
	tool := fromSchema(t, `{"type":"object","required":["note","city"],"properties":{
		"city":{"type":"string","maxLength":5,"enum":["Bonn","Köln"]},"note":{"type":["string","null"]},
		"level":{"enum":[1,2,null]},"tags":{"type":"array","items":{"anyOf":[{"type":"integer"},{"type":"null"}]}},
		"day":{"type":"string","format":"date"},"way":{"const":"up"}}}`, nil)
	for args, want := range map[string]string{
		`{"city":"Bonn","note":null,"level":null,"tags":[1,null],"day":null,"way":"up"}`: "",
		`{"city":"Bonn","note":"x","level":2.0}`:                                         "",
		`{"city":null,"note":"x"}`:                                                       "city: must be a string, not null",
		`{"city":"Ulm","note":"x"}`:                                                      `city: must be one of "Bonn", "Köln", not "Ulm"`,
		`{"city":"Bonn"}`:                                                                "note: is missing",
		`{"city":"Bonn","note":1}`:                                                       "note: must be a string or null, not 1",
		`{"city":"Bonn","note":"","level":3}`:                                            "level: must be one of 1, 2, not 3",
		`{"city":"Bonn","note":"","tags":["x"]}`:                                         "tags[0]: must be",
		`{"city":"Bonn","note":"","day":"today"}`:                                        "day: must be a valid date",
		`{"city":"Bonn","note":"","way":"down"}`:                                         `way: must be one of "up"`,
		`{"city":"Bonn","note":"","tenant":"globex"}`:                                    "tenant: is not known here",
		`{"city":"Bonn","city":"Köln","note":""}`:                                        "the arguments are",
		`[]`: "must be an object, not an array",
	} {
		res, err := tool.Call(t.Context(), tools.NewCall(tools.CallOptions{Args: json.RawMessage(args)}))
		if want == "" {
			require.NoError(t, err, args)
			require.JSONEq(t, args, string(res.Blocks[0].JSON))
			continue
		}
		var correction *tools.CorrectionError
		require.ErrorAs(t, err, &correction, args)
		require.Contains(t, correction.Message, want, args)
		require.True(t, correction.Arguments)
	}
}

func TestForeignSchemasThatAskForAnIdentityOrAnythingAreRejected(t *testing.T) {
	t.Parallel()
	property := func(schema string) string { return `{"type":"object","properties":{"a":` + schema + `}}` }
	deep := strings.Repeat(`{"type":"array","items":`, 40) + `{"type":"string"}` + strings.Repeat("}", 40)
	var wide strings.Builder
	for i := range 600 {
		fmt.Fprintf(&wide, `"p%d":{"$ref":"#/$defs/two"},`, i)
	}
	for name, c := range map[string]struct{ schema, want string }{
		"tenant":             {`{"type":"object","properties":{"tenant":{"type":"string"}}}`, `tenant: the word "tenant" is reserved`},
		"nested":             {property(`{"type":"object","properties":{"userId":{"type":"string"}}}`), `a.userId: the word "user" is reserved`},
		"in a list":          {property(`{"type":"array","items":{"type":"object","properties":{"S3Key":{"type":"string"}}}}`), `a[].S3Key`},
		"behind a reference": {`{"$defs":{"d":{"type":"object","properties":{"arn":{"type":"string"}}}},"type":"object","properties":{"a":{"$ref":"#/$defs/d"}}}`, `a.arn`},
		"a look-alike":       {`{"type":"object","properties":{"tеnant":{"type":"string"}}}`, "the name does not match"},
		"an open root":       {`{"type":"object","additionalProperties":true}`, "it is an open map"},
		"an open object":     {property(`{"type":"object"}`), "a: it is an open map"},
		"a typed map":        {property(`{"type":"object","additionalProperties":{"type":"string"}}`), "a: it is an open map"},
		"patterns of names":  {property(`{"type":"object","properties":{},"patternProperties":{".*":{"type":"string"}}}`), "a: it is an open map"},
		"anything":           {property(`{}`), "a: must have one type"},
		"true":               {property(`true`), "a: must have one type"},
		"two types":          {property(`{"type":["string","object"]}`), "a: must have one type"},
		"alternatives":       {property(`{"anyOf":[{"type":"string"},{"type":"integer"}]}`), "a: must have one type"},
		"a list of anything": {property(`{"type":"array"}`), "a[]: must have one type"},
		"a type of its own":  {property(`{"type":"file"}`), "a: must have one type"},
		"a mixed enum":       {property(`{"type":"string","enum":["a",1]}`), "a: the values of an enum must be of the type string"},
		"a number as a text": {property(`{"type":"integer","minimum":"1"}`), `a: invalid minimum "1"`},
		"a negative length":  {property(`{"type":"string","maxLength":-1}`), "a: invalid maxLength -1"},
		"an unknown name":    {`{"type":"object","properties":{},"required":["a"]}`, `"a" is required, but is not a property`},
		"another document":   {property(`{"$ref":"https://example.com/schema"}`), "does not name one of the schema's $defs"},
		"a recursion":        {`{"$defs":{"d":{"type":"array","items":{"$ref":"#/$defs/d"}}},"type":"object","properties":{"a":{"$ref":"#/$defs/d"}}}`, "recursive"},
		"a loop":             {`{"$defs":{"d":{"$ref":"#/$defs/d"}},"type":"object","properties":{"a":{"$ref":"#/$defs/d"}}}`, "a: must have one type"},
		"too deep":           {property(deep), "32 levels"},
		"too many values":    {`{"$defs":{"two":{"type":"array","items":{"type":"string"}}},"type":"object","properties":{` + wide.String() + `"z":{"type":"string"}}}`, "1000 values"},
		"too large":          {`{"type":"object","title":"` + strings.Repeat("x", 64<<10) + `"}`, "must have at most 65536"},
		"a list":             {`[]`, "the schema is"},
		"a root of text":     {`{"type":"string"}`, "the root must have the type object"},
		"a nullable root":    {`{"type":["object","null"]}`, "the root must have the type object"},
		"a duplicate name":   {`{"type":"object","properties":{"a":{"type":"string"},"a":{"type":"string"}}}`, "the schema is"},
		"nothing":            {``, "the schema is"},
	} {
		_, err := tools.FromSchema("foreign", "Is from elsewhere.", json.RawMessage(c.schema), echoArgs, nil)
		require.ErrorIs(t, err, tools.ErrSchema, name)
		require.ErrorContains(t, err, c.want, name)
	}
	allowed := fromSchema(t, `{"type":"object","properties":{"sort_key":{"type":"string"}}}`, &tools.Options{Allow: []string{"sort_key"}})
	require.Contains(t, string(allowed.Spec().Schema), "sort_key")
	for _, f := range []func() (*tools.Tool, error){
		func() (*tools.Tool, error) {
			return tools.FromSchema("a b", "x", []byte(`{"type":"object"}`), echoArgs, nil)
		},
		func() (*tools.Tool, error) {
			return tools.FromSchema("a", " ", []byte(`{"type":"object"}`), echoArgs, nil)
		},
		func() (*tools.Tool, error) { return tools.FromSchema("a", "x", []byte(`{"type":"object"}`), nil, nil) },
		func() (*tools.Tool, error) {
			return tools.FromSchema("a", "x", []byte(`{"type":"object"}`), echoArgs, nil, nil)
		},
	} {
		_, err := f()
		require.Error(t, err)
	}
}

// Middleware may run the function twice, or with a Call that it has made.
func TestMiddlewareOfForeignTools(t *testing.T) {
	t.Parallel()
	remade := func(next tools.Handler) tools.Handler {
		return func(ctx context.Context, c *tools.Call) (tools.Result, error) {
			if _, err := next(ctx, tools.NewCall(tools.CallOptions{Args: json.RawMessage(`{"b":1}`)})); err == nil {
				return tools.Result{}, fmt.Errorf("other arguments are not checked")
			}
			return next(ctx, tools.NewCall(tools.CallOptions{Args: c.Args()}))
		}
	}
	tool, err := tools.FromSchema("foreign", "Is from elsewhere.", json.RawMessage(`{"type":"object","properties":{"a":{"type":"integer"}}}`), echoArgs, nil, remade)
	require.NoError(t, err)
	res, err := tool.Call(t.Context(), tools.NewCall(tools.CallOptions{Args: json.RawMessage(`{"a":1}`)}))
	require.NoError(t, err)
	require.JSONEq(t, `{"a":1}`, string(res.Blocks[0].JSON))
}

// FuzzFromSchema checks that no schema lets a reserved or an unlisted name through.
func FuzzFromSchema(f *testing.F) {
	f.Add(`{"type":"object","properties":{"a":{"anyOf":[{"type":"string"},{"type":"null"}]}}}`, `{"a":null}`)
	f.Add(`{"$defs":{"d":{"type":"object","properties":{"b":{"type":"number"}}}},"type":"object","properties":{"a":{"$ref":"#/$defs/d"}}}`, `{"a":{"b":1}}`)
	f.Add(`{"type":"object","properties":{"a":{"type":"array","items":{"enum":[1,"x"]}}}}`, `{"tenant":"a"}`)
	f.Fuzz(func(t *testing.T, schema, args string) {
		tool, err := tools.FromSchema("foreign", "Is from elsewhere.", json.RawMessage(schema), echoArgs, nil)
		if err != nil {
			return
		}
		var doc map[string]any
		require.NoError(t, json.Unmarshal(tool.Spec().Schema, &doc))
		require.Equal(t, false, doc["additionalProperties"])
		properties, _ := doc["properties"].(map[string]any)
		require.NotContains(t, properties, "tenant")
		var got map[string]any
		if _, err := tool.Validate(json.RawMessage(args)); err == nil && json.Unmarshal([]byte(args), &got) == nil {
			for name := range got {
				require.Contains(t, properties, name)
			}
		}
	})
}
