package bedrocktest_test

import (
	"context"
	"fmt"
	"iter"
	"net/http/httptest"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	"github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
)

// parrot is a model that is a program.
type parrot struct{}

func (parrot) Stream(_ context.Context, r *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		last := r.Messages[len(r.Messages)-1]
		_ = yield(agent.TextDelta{Text: last.Parts[0].Text + "!"}, nil) &&
			yield(agent.StopPart{Reason: agent.StopEndTurn}, nil)
	}
}

// The adapter calls a model that is a Go program over the wire.
func ExampleFront() {
	server := httptest.NewServer(bedrocktest.Front(parrot{}))
	defer server.Close()
	model, err := bedrock.New(bedrocktest.NewClient(server.URL), "parrot", nil)
	if err != nil {
		panic(err)
	}

	request := &agent.Request{Messages: []agent.Message{{Role: agent.RoleUser, Parts: []agent.Part{{Text: "Polly"}}}}}
	for d, err := range model.Stream(context.Background(), request) {
		switch d := d.(type) {
		case agent.TextDelta:
			fmt.Println(d.Text)
		case agent.StopPart:
			fmt.Println(d.Reason)
		case nil:
			fmt.Println(err)
		}
	}
	// Output:
	// Polly!
	// end_turn
}

// The service throttles twice, which the SDK's retries overcome, then it answers, and then it is cut off.
func ExampleNewScript() {
	script := bedrocktest.NewScript(
		bedrocktest.Times(2, bedrocktest.Throttled()),
		bedrocktest.Reply(bedrocktest.Text("It is ", "Emma.")),
		bedrocktest.Reply(bedrocktest.Text("It"), bedrocktest.Cut()),
	)
	server := httptest.NewServer(script)
	defer server.Close()
	model, err := bedrock.New(bedrocktest.NewClient(server.URL), "any-model", nil)
	if err != nil {
		panic(err)
	}

	for range 2 {
		request := &agent.Request{
			Messages: []agent.Message{{Role: agent.RoleUser, Parts: []agent.Part{{Text: "Which book is this?"}}}},
		}
		for d, err := range model.Stream(context.Background(), request) {
			if text, ok := d.(agent.TextDelta); ok {
				fmt.Printf("%q\n", text.Text)
			}
			if err != nil {
				fmt.Println("failed")
			}
		}
	}
	fmt.Println(len(script.Requests()), "requests, error:", script.Err())
	// Output:
	// "It is "
	// "Emma."
	// "It"
	// failed
	// 4 requests, error: <nil>
}

// say plays one reply, and prints the deltas that come out.
func say(pieces ...bedrocktest.Piece) {
	server := httptest.NewServer(bedrocktest.NewScript(bedrocktest.Reply(pieces...)))
	defer server.Close()
	model, err := bedrock.New(bedrocktest.NewClient(server.URL), "any-model", nil)
	if err != nil {
		panic(err)
	}
	request := &agent.Request{Messages: []agent.Message{{Role: agent.RoleUser, Parts: []agent.Part{{Text: "?"}}}}}
	for d, err := range model.Stream(context.Background(), request) {
		switch d := d.(type) {
		case agent.TextDelta:
			fmt.Printf("text %q\n", d.Text)
		case agent.UseDelta:
			fmt.Println("input", d.ID, d.Input)
		case agent.UsePart:
			fmt.Println("call", d.ID, string(d.Input))
		case nil:
			fmt.Println(err)
		}
	}
}

// Two calls arrive side by side: only their index tells the fragments apart.
func ExampleInterleave() {
	say(bedrocktest.Interleave(
		bedrocktest.ToolUse("a", "look_up", `{"n":`, `1}`),
		bedrocktest.ToolUse("b", "look_up", `{"n":`, `2}`),
	))
	// Output:
	// input a {"n":
	// input b {"n":
	// input a 1}
	// input b 2}
	// call a {"n":1}
	// call b {"n":2}
}
