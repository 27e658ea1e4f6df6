//nolint:staticcheck // the suite tests deprecated parts, too
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// silence is a WAV file without samples.
const silence = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="

type (
	request = sdk.CallToolRequest
	result  = sdk.CallToolResult
)

// addFeatures adds the fixtures of what carrel does not have: prompts, completion, resources that are not objects,
// audio, logging, and tools that ask for input other than an approval.
func addFeatures(s *sdk.Server) {
	addResources(s)
	addPrompts(s)
	addTools(s)
	addQuestions(s)
	s.AddReceivingMiddleware(completeArguments)
}

// completeArguments answers completion/complete.
func completeArguments(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
		if method == "completion/complete" {
			return &sdk.CompleteResult{Completion: sdk.CompletionResultDetails{Values: []string{}}}, nil
		}
		return next(ctx, method, req)
	}
}

func decode(s string) []byte {
	b, _ := base64.StdEncoding.DecodeString(s)
	return b
}

func addResources(s *sdk.Server) {
	serve := func(c sdk.ResourceContents) sdk.ResourceHandler {
		return func(_ context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
			found := c
			found.URI = req.Params.URI
			id, _, _ := strings.Cut(strings.TrimPrefix(req.Params.URI, "test://template/"), "/")
			found.Text = strings.ReplaceAll(found.Text, "{id}", id)
			return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{&found}}, nil
		}
	}
	s.AddResource(&sdk.Resource{Name: "static-text", URI: "test://static-text", MIMEType: "text/plain"},
		serve(sdk.ResourceContents{MIMEType: "text/plain", Text: "This is the content of the static text resource."}))
	s.AddResource(&sdk.Resource{Name: "static-binary", URI: "test://static-binary", MIMEType: "image/png"},
		serve(sdk.ResourceContents{MIMEType: "image/png", Blob: decode(pixel)}))
	s.AddResourceTemplate(&sdk.ResourceTemplate{Name: "template", URITemplate: "test://template/{id}/data"},
		serve(sdk.ResourceContents{
			MIMEType: "application/json", Text: `{"id":"{id}","templateTest":true,"data":"Data for ID: {id}"}`,
		}))
}

func addPrompts(s *sdk.Server) {
	say := func(messages ...func(args map[string]string) sdk.Content) sdk.PromptHandler {
		return func(_ context.Context, req *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
			res := &sdk.GetPromptResult{}
			for _, m := range messages {
				res.Messages = append(res.Messages, &sdk.PromptMessage{Role: "user", Content: m(req.Params.Arguments)})
			}
			return res, nil
		}
	}
	text := func(format string, names ...string) func(map[string]string) sdk.Content {
		return func(args map[string]string) sdk.Content {
			var values []any
			for _, n := range names {
				values = append(values, args[n])
			}
			return &sdk.TextContent{Text: fmt.Sprintf(format, values...)}
		}
	}
	prompt := func(name string, arguments ...string) *sdk.Prompt {
		p := &sdk.Prompt{Name: name, Description: "A prompt"}
		for _, a := range arguments {
			p.Arguments = append(p.Arguments, &sdk.PromptArgument{Name: a, Description: "An argument", Required: true})
		}
		return p
	}
	s.AddPrompt(prompt("test_simple_prompt"), say(text("This is a simple prompt for testing.")))
	s.AddPrompt(prompt("test_prompt_with_arguments", "arg1", "arg2"),
		say(text("Prompt with arguments: arg1='%s', arg2='%s'", "arg1", "arg2")))
	s.AddPrompt(prompt("test_prompt_with_embedded_resource", "resourceUri"), say(func(args map[string]string) sdk.Content {
		return &sdk.EmbeddedResource{Resource: &sdk.ResourceContents{
			URI: args["resourceUri"], MIMEType: "text/plain", Text: "Embedded resource content for testing.",
		}}
	}, text("Please process the embedded resource above.")))
	s.AddPrompt(prompt("test_prompt_with_image"), say(func(map[string]string) sdk.Content {
		return &sdk.ImageContent{Data: decode(pixel), MIMEType: "image/png"}
	}, text("Please analyze the image above.")))
	s.AddPrompt(&sdk.Prompt{Name: "test_input_required_result_prompt", Description: "A prompt that asks first"},
		func(_ context.Context, req *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
			if c := accepted(req.Params.InputResponses, "user_context"); c != nil {
				answer := &sdk.TextContent{Text: fmt.Sprint("Context: ", c["context"])}
				return &sdk.GetPromptResult{Messages: []*sdk.PromptMessage{{Role: "user", Content: answer}}}, nil
			}
			requests := sdk.InputRequestMap{"user_context": ask("Please provide context", "context")}
			return &sdk.GetPromptResult{InputRequests: requests}, nil
		})
}

func addTools(s *sdk.Server) {
	add := func(name string, schema string, f func(context.Context, *request) (*result, error)) {
		s.AddTool(&sdk.Tool{Name: name, Description: "The fixture " + name + ".", InputSchema: json.RawMessage(schema)}, f)
	}
	const nothing = `{"type":"object"}`
	add("test_audio_content", nothing, func(context.Context, *request) (*result, error) {
		return &result{Content: []sdk.Content{&sdk.AudioContent{Data: decode(silence), MIMEType: "audio/wav"}}}, nil
	})
	for _, name := range []string{"test_tool_with_logging", "test_logging_tool"} {
		add(name, nothing, func(ctx context.Context, req *request) (*result, error) {
			_ = req.Session.Log(ctx, &sdk.LoggingMessageParams{Level: "info", Data: "Tool execution"})
			return done("Logged.")
		})
	}
	answer := func(context.Context, *request) (*result, error) { return done("Called.") }
	add("json_schema_2020_12_tool", schema2020, answer)
	add("test_x_mcp_header", `{"type":"object","properties":{`+
		`"region":{"type":"string","x-mcp-header":"Region"},"level":{"type":"integer"}}}`, answer)
	add("test_missing_capability", nothing, func(_ context.Context, req *request) (*result, error) {
		if caps := req.ClientCapabilities(); caps != nil && caps.Sampling != nil {
			return done("Called.")
		}
		return nil, &jsonrpc.Error{
			Code: sdk.CodeMissingRequiredClientCapabilities, Message: "the client must support sampling",
			Data: json.RawMessage(`{"requiredCapabilities":{"sampling":{}}}`),
		}
	})
	add("test_trigger_tool_change", nothing, func(context.Context, *request) (*result, error) {
		s.AddTool(&sdk.Tool{Name: "transient", Description: "Appears.", InputSchema: json.RawMessage(nothing)}, answer)
		return done("Changed.")
	})
	add("test_trigger_prompt_change", nothing, func(context.Context, *request) (*result, error) {
		s.AddPrompt(&sdk.Prompt{Name: "transient", Description: "Appears."}, nil)
		return done("Changed.")
	})
}

func done(text string) (*result, error) {
	return &result{Content: []sdk.Content{&sdk.TextContent{Text: text}}}, nil
}

const schema2020 = `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object",
	"$defs":{"address":{"$anchor":"addressDef","type":"object",
		"properties":{"street":{"type":"string"},"city":{"type":"string"}}}},
	"properties":{"name":{"type":"string"},"address":{"$ref":"#/$defs/address"},
		"contactMethod":{"type":"string","enum":["phone","email"]},"phone":{"type":"string"},"email":{"type":"string"}},
	"allOf":[{"anyOf":[{"required":["phone"]},{"required":["email"]}]}],
	"if":{"properties":{"contactMethod":{"const":"phone"}},"required":["contactMethod"]},
	"then":{"required":["phone"]},"else":{"required":["email"]},"additionalProperties":false}`
