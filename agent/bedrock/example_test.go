package bedrock_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	"github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/tools"
)

// The endpoint is scripted here; with bedrockruntime.NewFromConfig(cfg) as the client it is Bedrock.
func ExampleNew() {
	server := httptest.NewServer(bedrocktest.NewScript(
		bedrocktest.Reply(
			bedrocktest.Text("Let me ", "look."),
			bedrocktest.ToolUse("call-1", "look_up_book", `{"isbn":"97`, `80141439518"}`),
			bedrocktest.Usage(agent.Usage{Input: 120, Output: 24}),
		),
	))
	defer server.Close()

	model, err := bedrock.New(bedrocktest.NewClient(server.URL), "any-model", nil)
	if err != nil {
		panic(err)
	}
	request := &agent.Request{
		Messages: []agent.Message{{Role: agent.RoleUser, Parts: []agent.Part{{Text: "Which book is this?"}}}},
	}
	for d, err := range model.Stream(context.Background(), request) {
		switch d := d.(type) {
		case agent.TextDelta:
			fmt.Printf("text %q\n", d.Text)
		case agent.UseDelta:
			fmt.Println("input", d.Name, d.Input)
		case agent.UsePart:
			fmt.Println("call", d.Name, string(d.Input))
		case agent.StopPart:
			fmt.Println("stop", d.Reason)
		case agent.UsageReport:
			fmt.Println("tokens", d.Input, d.Output)
		case nil:
			fmt.Println(err)
		}
	}
	// Output:
	// text "Let me "
	// text "look."
	// input look_up_book {"isbn":"97
	// input look_up_book 80141439518"}
	// call look_up_book {"isbn":"9780141439518"}
	// stop tool_use
	// tokens 120 24
}

// A connection that is cut in the middle of a text is an error, though the SDK takes it for the stream's end.
func ExampleModel_Stream() {
	server := httptest.NewServer(bedrocktest.NewScript(
		bedrocktest.Reply(bedrocktest.Text("It is ", "by "), bedrocktest.Cut()),
	))
	defer server.Close()

	model, err := bedrock.New(bedrocktest.NewClient(server.URL), "any-model", nil)
	if err != nil {
		panic(err)
	}
	request := &agent.Request{
		Messages: []agent.Message{{Role: agent.RoleUser, Parts: []agent.Part{{Text: "Who wrote it?"}}}},
	}
	for d, err := range model.Stream(context.Background(), request) {
		if text, ok := d.(agent.TextDelta); ok {
			fmt.Printf("%q\n", text.Text)
		}
		if me, ok := errors.AsType[*agent.ModelError](err); ok {
			fmt.Println(me.Code+":", me.Message)
		}
	}
	// Output:
	// "It is "
	// "by "
	// truncated: The model's answer was cut off.
}

// A model that thinks within a budget, over a request whose beginning stays the same: its reasoning streams, and comes
// whole with the signature that the service wants back.
func ExampleOptions() {
	server := httptest.NewServer(bedrocktest.NewScript(bedrocktest.Reply(
		bedrocktest.Reasoning("c2lnbmVk", "The cover ", "says Emma."), bedrocktest.Text("It is Emma."),
		bedrocktest.Usage(agent.Usage{Input: 20, Output: 12, CacheRead: 1800}),
	)))
	defer server.Close()

	model, err := bedrock.New(bedrocktest.NewClient(server.URL), "any-model", &bedrock.Options{
		CacheTTL:                     "1h",
		AdditionalModelRequestFields: []byte(`{"thinking":{"type":"enabled","budget_tokens":1024}}`),
	})
	if err != nil {
		panic(err)
	}
	request := &agent.Request{
		System: "You know books.",
		Messages: []agent.Message{{Role: agent.RoleUser, Parts: []agent.Part{
			{Image: &tools.Media{Format: "png", Bytes: []byte("\x89PNG…")}}, {Text: "Which book is this?"},
		}}},
		MaxTokens: 2000,
		Cache:     true,
	}
	for d, err := range model.Stream(context.Background(), request) {
		switch d := d.(type) {
		case agent.ReasoningDelta:
			fmt.Printf("thinks %q\n", d.Text)
		case agent.ReasoningPart:
			fmt.Println("signed", d.Signature)
		case agent.TextDelta:
			fmt.Println(d.Text)
		case agent.UsageReport:
			fmt.Println("tokens", d.Input, d.Output, "from the cache", d.CacheRead)
		case nil:
			fmt.Println(err)
		}
	}
	// Output:
	// thinks "The cover "
	// thinks "says Emma."
	// signed c2lnbmVk
	// It is Emma.
	// tokens 20 12 from the cache 1800
}

// The name is the id, for records and traces.
func ExampleModel_Info() {
	model, err := bedrock.New(bedrocktest.NewClient("http://localhost"), "us.example.reader-v1:0", nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(model.Info().Model)
	// Output: us.example.reader-v1:0
}
