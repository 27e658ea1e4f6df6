//nolint:staticcheck // the suite tests deprecated parts, too
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// addQuestions adds the tools that ask for input other than an approval.
func addQuestions(s *sdk.Server) {
	add := func(name string, f func(*request) (*result, error)) {
		t := &sdk.Tool{Name: "test_input_required_result_" + name, Description: "Asks."}
		t.InputSchema = json.RawMessage(`{"type":"object"}`)
		s.AddTool(t,
			func(_ context.Context, req *request) (*result, error) { return f(req) })
	}
	add("elicitation", func(req *request) (*result, error) {
		if name := nameOf(req, "user_name"); name != "" {
			return done("Hello, " + name + "!")
		}
		return question("", sdk.InputRequestMap{"user_name": ask("What is your name?", "name")})
	})
	add("sampling", func(req *request) (*result, error) {
		if text, ok := sampled(req, "capital_question"); ok {
			return done("Sampling response: " + text)
		}
		return question("", sdk.InputRequestMap{"capital_question": sample("What is the capital of France?")})
	})
	add("list_roots", func(req *request) (*result, error) {
		if roots, ok := req.Params.InputResponses["client_roots"].(*sdk.ListRootsResult); ok {
			return done(fmt.Sprintf("%d roots", len(roots.Roots)))
		}
		return question("", sdk.InputRequestMap{"client_roots": &sdk.ListRootsParams{}})
	})
	add("multiple_inputs", func(req *request) (*result, error) {
		name := nameOf(req, "user_name")
		greeting, isSampled := sampled(req, "greeting")
		roots, hasRoots := req.Params.InputResponses["client_roots"].(*sdk.ListRootsResult)
		if name != "" && isSampled && hasRoots {
			return done(fmt.Sprintf("%s %s, %d roots", greeting, name, len(roots.Roots)))
		}
		return question("multiple_inputs", sdk.InputRequestMap{
			"user_name": ask("What is your name?", "name"), "greeting": sample("Generate a greeting"),
			"client_roots": &sdk.ListRootsParams{},
		})
	})
	add("multi_round", func(req *request) (*result, error) {
		switch state := req.Params.RequestState; state {
		case "":
			return question("round=1", sdk.InputRequestMap{"step1": ask("What is your name?", "name")})
		case "round=1":
			next := sdk.InputRequestMap{"step2": ask("What is your favorite color?", "color")}
			return question("round=2;"+nameOf(req, "step1"), next)
		default:
			c := accepted(req.Params.InputResponses, "step2")
			return done(fmt.Sprint(strings.TrimPrefix(state, "round=2;"), " likes ", c["color"]))
		}
	})
	add("capabilities", func(req *request) (*result, error) {
		if len(req.Params.InputResponses) > 0 {
			return done("Answered.")
		}
		requests := sdk.InputRequestMap{}
		caps := req.ClientCapabilities()
		if caps != nil && caps.Elicitation != nil {
			requests["user_name"] = ask("What is your name?", "name")
		}
		if caps != nil && caps.Sampling != nil {
			requests["greeting"] = sample("Generate a greeting")
		}
		if len(requests) == 0 {
			return done("The client cannot be asked.")
		}
		return question("", requests)
	})
}

func question(state string, requests sdk.InputRequestMap) (*result, error) {
	return &result{InputRequests: requests, RequestState: state}, nil
}

// ask returns a form with one text.
func ask(message, name string) *sdk.ElicitParams {
	return &sdk.ElicitParams{Message: message, RequestedSchema: map[string]any{
		"type": "object", "properties": map[string]any{name: map[string]any{"type": "string"}}, "required": []string{name},
	}}
}

func sample(text string) *sdk.CreateMessageParams {
	return &sdk.CreateMessageParams{
		Messages: []*sdk.SamplingMessage{{Role: "user", Content: &sdk.TextContent{Text: text}}}, MaxTokens: 100,
	}
}

// accepted returns the content of an answer that was accepted, or nil.
func accepted(responses sdk.InputResponseMap, name string) map[string]any {
	if r, ok := responses[name].(*sdk.ElicitResult); ok && r.Action == "accept" {
		return r.Content
	}
	return nil
}

func nameOf(req *request, question string) string {
	name, _ := accepted(req.Params.InputResponses, question)["name"].(string)
	return name
}

// sampled returns the text of a sampled message.
func sampled(req *request, name string) (string, bool) {
	m, ok := req.Params.InputResponses[name].(*sdk.CreateMessageWithToolsResult)
	if !ok {
		return "", false
	}
	for _, c := range m.Content {
		if text, ok := c.(*sdk.TextContent); ok {
			return text.Text, true
		}
	}
	return "", true
}
