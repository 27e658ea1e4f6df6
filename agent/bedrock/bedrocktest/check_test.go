package bedrocktest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
)

// request returns a request with a bearer token.
func request(path, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer key")
	return r
}

// post sends a body to a server that answers "ok", and gives the status, the error's name and its message.
func post(path, body string) (status int, name, message string) {
	w := httptest.NewRecorder()
	front := bt.Front(structuring{yields(nil, agent.TextDelta{Text: "ok"}, agent.StopPart{Reason: agent.StopEndTurn})})
	front.ServeHTTP(w, request(path, body))
	return w.Code, w.Header().Get("X-Amzn-ErrorType"), w.Body.String()
}

// structuring is a model that supports structured output.
type structuring struct{ agent.Model }

func (structuring) Info() agent.ModelInfo { return agent.ModelInfo{StructuredOutput: true} }

// check is a request and the service's message, which is empty for a valid request.
type check struct{ name, body, want string }

func (c check) run(t *testing.T) {
	t.Helper()
	t.Run(c.name, func(t *testing.T) {
		status, name, message := post("/model/m/converse-stream", c.body)
		if c.want == "" {
			require.Equal(t, http.StatusOK, status, message)
			return
		}
		require.Equal(t, http.StatusBadRequest, status)
		require.Equal(t, "ValidationException", name)
		require.Contains(t, message, c.want)
	})
}

func TestChecksRequests(t *testing.T) {
	t.Parallel()
	const (
		ask    = `{"role":"user","content":[{"text":"?"}]}`
		answer = `{"role":"assistant","content":[{"text":"!"}]}`
		call   = `{"role":"assistant","content":[{"toolUse":{"toolUseId":"a","name":"x","input":{}}}]}`
		result = `{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[{"text":"ok"}]}}]}`
		tools  = `"toolConfig":{"tools":[{"toolSpec":{"name":"x","inputSchema":{"json":{"type":"object"}}}}]}`
	)
	messages := func(m ...string) string { return `{` + tools + `,"messages":[` + strings.Join(m, ",") + `]}` }
	plain := func(m ...string) string { return `{"messages":[` + strings.Join(m, ",") + `]}` }
	spec := func(s string) string {
		return `{"messages":[` + ask + `],"toolConfig":{"tools":[` + s + `]}}`
	}
	choosing := func(choice string) string {
		return `{"messages":[` + ask + `],"toolConfig":{"toolChoice":` + choice + `,"tools":[{"toolSpec":{"name":"x","inputSchema":{"json":{"type":"object"}}}}]}}`
	}
	var many []string
	for i := range 21 {
		many = append(many, fmt.Sprintf(`{"toolSpec":{"name":"x%d","strict":true,"inputSchema":{"json":{"type":"object","additionalProperties":false}}}}`, i))
	}
	output := func(schema string) string {
		b, err := json.Marshal(schema)
		require.NoError(t, err)
		return `{"messages":[` + ask + `],"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"name":"A","schema":` + string(b) + `}}}}}`
	}
	for _, c := range []check{
		{"good", plain(ask), ""},
		{"good with tools", messages(ask, call, result, answer, ask), ""},
		{"good with the choice to the model", choosing(`{"auto":{}}`), ""},
		{"good with any tool", choosing(`{"any":{}}`), ""},
		{"good with one tool", choosing(`{"tool":{"name":"x"}}`), ""},

		{"no JSON", `{"messages":`, "Malformed input request"},
		{"two values", plain(ask) + plain(ask), "more than one JSON value"},
		{"wrong type", `{"messages":{}}`, "Malformed input request"},
		{"no messages", `{}`, "The messages field is empty"},
		{"a cited document", plain(`{"role":"user","content":[{"text":"?"},{"document":{"format":"pdf","name":"a","citations":{"enabled":true},"source":{"bytes":"AAAA"}}}]}`), ""},
		{"a cited text", plain(`{"role":"user","content":[{"text":"?"},{"document":{"format":"txt","name":"a","citations":{"enabled":true},"source":{"text":"A"}}}]}`), ""},
		{"a text that is not cited", plain(`{"role":"user","content":[{"text":"?"},{"document":{"format":"txt","name":"a","source":{"text":"A"}}}]}`), "citations must be enabled"},
		{"a cited text in bytes", plain(`{"role":"user","content":[{"text":"?"},{"document":{"format":"txt","name":"a","citations":{"enabled":true},"source":{"bytes":"AAAA"}}}]}`), "The PDF specified was not valid."},
		{"a cited page", plain(`{"role":"user","content":[{"text":"?"},{"document":{"format":"html","name":"a","citations":{"enabled":true},"source":{"bytes":"AAAA"}}}]}`), "Only txt and pdf formats are supported when citations are enabled"},
		{"a cited text of two sources", plain(`{"role":"user","content":[{"text":"?"},{"document":{"format":"pdf","name":"a","citations":{"enabled":true},"source":{"text":"A","bytes":"AAAA"}}}]}`), "must set one of the following keys: bytes, s3Location, text"},
		{"a field of audio", plain(`{"role":"user","content":[{"audio":{"format":"mp3"}}]}`), "This model doesn't support the audio field. Remove audio and try again."},
		{"a video", plain(`{"role":"user","content":[{"video":{"format":"mp4","source":{"bytes":"AAAA"}}}]}`), ""},
		{"a video by its media type", plain(`{"role":"user","content":[{"text":"?"},{"video":{"format":"video/mp4","source":{"bytes":"AAAA"}}}]}`), ""},
		{"a video of another format", plain(`{"role":"user","content":[{"video":{"format":"avi","source":{"bytes":"AAAA"}}}]}`), "enum value set: [mkv, mov, mp4"},
		{"a video with a name", plain(`{"role":"user","content":[{"video":{"format":"mp4","name":"a","source":{"bytes":"AAAA"}}}]}`), "extraneous key [name]"},
		{"a video without bytes", plain(`{"role":"user","content":[{"video":{"format":"mp4","source":{}}}]}`), "VideoSource object at messages.0.content.0.video.source"},
		{"a video of the assistant's", plain(ask, `{"role":"assistant","content":[{"video":{"format":"mp4","source":{"bytes":"AAAA"}}}]}`, ask), "The video block at messages.1.content.0 is in an assistant message"},
		{"a choice of nothing", choosing(`{}`), "must set one of the following keys: auto, any, tool"},
		{"a choice of two", choosing(`{"any":{},"auto":{}}`), "must set one of the following keys: auto, any, tool"},
		{"a choice of a tool that is not there", choosing(`{"tool":{"name":"y"}}`), "The tool y at toolConfig.toolChoice.tool.name is not defined"},
		{"a choice of no tool", choosing(`{"tool":{"name":""}}`), "toolConfig.toolChoice.tool.name"},
		{"no tokens", `{"messages":[` + ask + `],"inferenceConfig":{"maxTokens":0}}`, "inferenceConfig.maxTokens"},
		{"a blank system prompt", `{"messages":[` + ask + `],"system":[{"text":" "}]}`, "system.0 is blank"},

		{"a third role", plain(`{"role":"system","content":[{"text":"?"}]}`), "Member must satisfy enum value set: [user, assistant]"},
		{"no content", plain(`{"role":"user","content":[]}`), "The content field in the Message object at messages.0 is empty"},
		{"an empty block", plain(`{"role":"user","content":[{}]}`), "messages.0.content.0 must set one of the following keys"},
		{"two in one block", messages(ask, `{"role":"assistant","content":[{"text":"!","toolUse":{"toolUseId":"a","name":"x","input":{}}}]}`, result), "must set one of the following keys"},
		{"blank text", plain(ask, answer, `{"role":"user","content":[{"text":"?"},{"text":" \n"}]}`), "The text field in the ContentBlock object at messages.2.content.1 is blank"},
		{"blank result", messages(ask, call, `{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[{"text":""}]}}]}`), "messages.2.content.0.toolResult.content.0 is blank"},
		{"an empty result", messages(ask, call, `{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[]}}]}`), "The content field in the ToolResultBlock object"},
		{"a result that is a list", messages(ask, call, `{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[{"json":[1]}]}}]}`), "toolResult.content.0.json is invalid. Provide a json object"},
		{"an unknown status", messages(ask, call, `{"role":"user","content":[{"toolResult":{"toolUseId":"a","status":"meh","content":[{"text":"ok"}]}}]}`), "enum value set: [success, error]"},

		{"the assistant begins", plain(answer, ask), "A conversation must start with a user message"},
		{"the assistant ends", plain(ask, answer), "The conversation must end with a user message"},
		{"two in a row", plain(ask, ask), "A conversation must alternate between user and assistant roles"},
		{"a call without its result", messages(ask, call, ask), "Expected toolResult blocks at messages.2.content for the following Ids: a"},
		{"a call at the end", messages(ask, call), "Expected toolResult blocks at messages.2.content for the following Ids: a"},
		{"a result without its call", messages(ask, answer, result), "The number of toolResult blocks at messages.2.content exceeds"},
		{"a result too many", messages(ask, call, strings.Replace(result, `]}`, `]}},{"toolResult":{"toolUseId":"b","content":[{"text":"ok"}]}`, 1)), "exceeds the number of toolUse blocks"},
		{"a result for another call", messages(ask, call, strings.Replace(result, `"a"`, `"b"`, 1)), "Expected toolResult blocks at messages.2.content for the following Ids: a"},
		{"a result after a text", messages(ask, call, `{"role":"user","content":[{"text":"so"},{"toolResult":{"toolUseId":"a","content":[{"text":"ok"}]}}]}`), "must come before every other block"},
		{"one id for two calls", messages(ask, `{"role":"assistant","content":[{"toolUse":{"toolUseId":"a","name":"x","input":{}}},{"toolUse":{"toolUseId":"a","name":"x","input":{}}}]}`, result), "contain duplicate Ids: a"},
		{"a call of the user's", messages(`{"role":"user","content":[{"toolUse":{"toolUseId":"a","name":"x","input":{}}}]}`), "is in a user message"},
		{"a result of the assistant's", messages(ask, `{"role":"assistant","content":[{"toolResult":{"toolUseId":"a","content":[{"text":"ok"}]}}]}`), "is in an assistant message"},
		{"input that is no object", messages(ask, strings.Replace(call, `{}`, `"x"`, 1), result), "messages.1.content.0.toolUse.input is invalid. Provide a json object"},
		{"input that is null", messages(ask, strings.Replace(call, `{}`, `null`, 1), result), "toolUse.input is invalid"},
		{"a call with a bad name", messages(ask, strings.Replace(call, `"x"`, `"a.b"`, 1), result), "messages.1.content.0.toolUse.name"},
		{"a call with a bad id", messages(ask, strings.Replace(call, `"a"`, `"a|1"`, 1), result), "messages.1.content.0.toolUse.toolUseId"},
		{"no toolConfig", plain(ask, call, result), "The toolConfig field must be defined when using toolUse and toolResult content blocks."},

		{"structured output", output(`{"type":"object","properties":{"a":{"type":"string","minLength":1,"pattern":"^a"}},"additionalProperties":false}`), ""},
		{"structured output of a type of its own", strings.Replace(output(`{}`), "json_schema", "xml", 1), "enum value set: [json_schema]"},
		{"structured output without a schema", `{"messages":[` + ask + `],"outputConfig":{"textFormat":{"type":"json_schema","structure":{}}}}`, "must set one of the following keys: jsonSchema"},
		{"structured output with half a schema", output(`{`), "jsonSchema.schema is invalid"},
		{"structured output with a bound", output(`{"type":"object","properties":{"a":{"type":"integer","minimum":1}},"additionalProperties":false}`), "output_config.format.schema: For 'integer' type, property 'minimum' is not supported"},
		{"structured output that is open", output(`{"type":"object"}`), "For 'object' type, 'additionalProperties' must be explicitly set to false"},
		{"a strict tool", spec(`{"toolSpec":{"name":"x","strict":true,"inputSchema":{"json":{"type":"object","properties":{"a":{"type":"array","minItems":1,"items":{"type":"string"}}},"additionalProperties":false}}}}`), ""},
		{"a strict tool with an empty list", spec(`{"toolSpec":{"name":"x","strict":true,"inputSchema":{"json":{"type":"object",` +
			`"properties":{"a":{"type":"array","minItems":0}},"additionalProperties":false}}}}`), ""},
		{"a tool that is not strict", spec(`{"toolSpec":{"name":"x","strict":false,"inputSchema":{"json":{"type":"object","properties":{"a":{"type":"number","minimum":1}}}}}}`), ""},
		{"a strict tool with bounds", spec(`{"toolSpec":{"name":"x","strict":true,"inputSchema":{"json":{"type":"object","properties":{"a":{"type":"number","minimum":1,"maximum":2}},"additionalProperties":false}}}}`), "tools.0.custom: For 'number' type, properties maximum, minimum are not supported"},
		{"a strict tool with a long list", spec(`{"toolSpec":{"name":"x","strict":true,"inputSchema":{"json":{"type":"object","$defs":{"A":{"type":"array","minItems":2}},"additionalProperties":false}}}}`), "'minItems' values other than 0 or 1 are not supported"},
		{"a strict tool with a bounded choice", spec(`{"toolSpec":{"name":"x","strict":true,"inputSchema":{"json":{"type":"object","properties":{"a":{"anyOf":[{"type":"null"},{"type":["array","null"],"maxItems":2}]}},"additionalProperties":false}}}}`), "For 'array' type, property 'maxItems' is not supported"},
		{"too many strict tools", spec(strings.Join(many, ",")), "Too many strict tools (21)"},
		{"a call that the service made", messages(ask, `{"role":"assistant","content":[{"toolUse":{"toolUseId":"s","name":"run","input":{},"type":"server_tool_use"}},{"toolResult":{"toolUseId":"s","type":"run_result","status":"success","content":[{"json":{"exitCode":0}}]}},{"text":"!"}]}`, ask), ""},
		{"a call of another type", messages(ask, strings.Replace(call, `"input"`, `"type":"tool_use","input"`, 1), result), "enum value set: [server_tool_use]"},
		{"a result of the service that is the user's", messages(ask, call, strings.Replace(result, `"content":[{"text":"ok"}]`, `"type":"run_result","content":[{"text":"ok"}]`, 1)), "is in a user message"},
		{"a system tool without a name", spec(`{"systemTool":{"name":""}}`), "systemTool.name"},

		{"citations", plain(ask, `{"role":"assistant","content":[{"citationsContent":{"content":[{"text":"!"}],"citations":[{"title":"a","location":{"documentPage":{"documentIndex":0,"start":1,"end":2}}}]}}]}`, ask), ""},
		{"citations of the user's", plain(`{"role":"user","content":[{"citationsContent":{"content":[{"text":"!"}]}}]}`), "is in a user message"},
		{"citations without a text", plain(ask, `{"role":"assistant","content":[{"citationsContent":{"citations":[{"title":"a"}]}}]}`, ask), "citationsContent is blank"},
		{"a citation of two places", plain(ask, `{"role":"assistant","content":[{"citationsContent":{"content":[{"text":"!"}],"citations":[{"location":{"web":{},"documentPage":{}}}]}}]}`, ask), "must set one of the following keys: web"},

		{"no tools", spec(``), "toolConfig.tools"},
		{"a tool without a name", spec(`{"toolSpec":{"name":"","inputSchema":{"json":{"type":"object"}}}}`), "toolSpec.name"},
		{"a tool with a long name", spec(`{"toolSpec":{"name":"` + strings.Repeat("x", 65) + `","inputSchema":{"json":{"type":"object"}}}}`), "toolSpec.name"},
		{"a tool twice", spec(`{"toolSpec":{"name":"x","inputSchema":{"json":{"type":"object"}}}},{"toolSpec":{"name":"x","inputSchema":{"json":{"type":"object"}}}}`), "The tool x is already defined"},
		{"a tool with nothing to say", spec(`{"toolSpec":{"name":"x","description":"","inputSchema":{"json":{"type":"object"}}}}`), "toolSpec.description"},
		{"a tool without a schema", spec(`{"toolSpec":{"name":"x"}}`), "inputSchema.json is invalid"},
		{"a tool that takes a list", spec(`{"toolSpec":{"name":"x","inputSchema":{"json":{"type":"array"}}}}`), "inputSchema.json.type must be one of the following: object."},
		{"another kind of tool", spec(`{"systemTool":{"name":"x"}}`), "doesn't support the systemTool field"},
		{"nothing but a cache point", spec(`{"cachePoint":{"type":"default"}}`), "toolConfig.tools"},
	} {
		c.run(t)
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	const body = `{"messages":[{"role":"user","content":[{"text":"?"}]}]}`
	for path, want := range map[string]int{
		"/model/m/converse-stream":         http.StatusOK,
		"/model/a%3Ab/converse-stream":     http.StatusOK,
		"/model/a%3Ab%2Fc/converse-stream": http.StatusBadRequest,
		"/model/a/b/converse-stream":       http.StatusNotFound,
		"/model//converse-stream":          http.StatusNotFound,
		"/model/m/invoke":                  http.StatusNotFound,
		"/model/m/converse":                http.StatusNotFound,
		"/model/m/converse-stream/":        http.StatusNotFound,
		"/":                                http.StatusNotFound,
		"/v1/model/m/converse-stream":      http.StatusNotFound,
		"/model/%E2%82/converse-stream":    http.StatusBadRequest,
		"/model/m/converse-stream/x":       http.StatusNotFound,
	} {
		status, name, _ := post(path, body)
		require.Equal(t, want, status, path)
		if want == http.StatusNotFound {
			require.Equal(t, "UnknownOperationException", name, path)
		}
	}
	w := httptest.NewRecorder()
	bt.Front(yields(nil)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/model/m/converse-stream", nil))
	require.Equal(t, http.StatusNotFound, w.Code)
}

func TestBodyTooLarge(t *testing.T) {
	t.Parallel()
	status, name, message := post("/model/m/converse-stream", `{"messages":[{"role":"user","content":[{"text":"`+strings.Repeat("x", 33<<20)+`"}]}]}`)
	require.Equal(t, http.StatusBadRequest, status)
	require.Equal(t, "ValidationException", name)
	require.Contains(t, message, "larger than")
}

// Any body is answered or refused, without a panic.
func FuzzRequest(f *testing.F) {
	f.Add(body)
	f.Add(`null`)
	f.Add(`{"messages":[null],"system":[null],"toolConfig":{"tools":[null]},"inferenceConfig":null}`)
	f.Add(`{"messages":[{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[null]}}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"x","inputSchema":{"json":{"type":"object"}}}}]}}`)
	for _, block := range []string{
		`{"image":{}}`, `{"image":{"format":"png","source":{"bytes":"AA=="}}}`, `{"document":{"name":null,"source":null}}`,
		`{"image":{"format":"png","source":{"s3Location":{"uri":"s3://bucket/x"}}}}`, `{"cachePoint":{"type":"default","ttl":null}}`,
		`{"reasoningContent":{"reasoningText":{"text":"","signature":"c2ln"}}}`, `{"reasoningContent":{"redactedContent":"AA=="}}`, `{"text":"?"},{"cachePoint":{"type":"default"}}`,
	} {
		f.Add(user(block))
		f.Add(strings.Replace(user(block), "user", "assistant", 1))
		f.Add(answered(block))
	}
	f.Add(`{"system":[{"text":"x"},{"cachePoint":null}],"toolConfig":{"tools":[{"cachePoint":{}}],"toolChoice":{"tool":null}},"guardrailConfig":{},"serviceTier":{},"performanceConfig":{}}`)
	f.Fuzz(func(t *testing.T, body string) {
		status, name, _ := post("/model/m/converse-stream", body)
		if status != http.StatusOK && (status != http.StatusBadRequest || name != "ValidationException") {
			t.Fatal(status, name)
		}
	})
}
