package bedrocktest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

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

// Any client of Converse can call a model that is a Go program; this one is the SDK's client.
func ExampleFront() {
	server := httptest.NewServer(bedrocktest.Front(parrot{}))
	defer server.Close()

	out, err := bedrocktest.NewClient(server.URL).Converse(context.Background(), &bedrockruntime.ConverseInput{
		ModelId: aws.String("parrot"),
		Messages: []types.Message{{
			Role:    types.ConversationRoleUser,
			Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "Polly"}},
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	answer := out.Output.(*types.ConverseOutputMemberMessage).Value
	fmt.Println(answer.Content[0].(*types.ContentBlockMemberText).Value, out.StopReason)
	// Output: Polly! end_turn
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

// Every rune arrives in pieces, and comes out whole.
func ExampleChunks() {
	say(bedrocktest.Text(bedrocktest.Chunks("é!", 1)...))
	// Output:
	// text "é"
	// text "!"
}

// The arguments are cut in the middle of a number.
func ExampleSplit() {
	say(bedrocktest.ToolUse("a", "look_up", bedrocktest.Split(`{"isbn":9780141}`, 10)...))
	// Output:
	// input a {"isbn":97
	// input a 80141}
	// call a {"isbn":9780141}
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

// test is a *testing.T in a test.
type test struct{}

func (test) Helper()                           {}
func (test) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// A client that sends what the service would refuse fails the test. Sign is for requests that are written by hand.
func ExampleStrict() {
	server := httptest.NewServer(bedrocktest.Strict(test{}, bedrocktest.Front(parrot{})))
	defer server.Close()

	body := []byte(`{"messages":[{"role":"user","content":[{"text":" "}]}]}`)
	for _, signed := range []bool{false, true} {
		r, err := http.NewRequest(http.MethodPost, server.URL+"/model/parrot/converse", bytes.NewReader(body))
		if err == nil && signed {
			err = bedrocktest.Sign(r, body)
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			fmt.Println(err)
			return
		}
		_ = res.Body.Close()
	}
	// Output:
	// bedrocktest: MissingAuthenticationTokenException: Missing Authentication Token (HTTP 403)
	// bedrocktest: ValidationException: The text field in the ContentBlock object at messages.0.content.0 is blank. Add text to the text field, and try again. (HTTP 400)
}

// Callers must sign with the given key.
func ExampleVerify() {
	key := aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}
	server := httptest.NewServer(bedrocktest.Verify(bedrocktest.Front(parrot{}), key))
	defer server.Close()

	for _, secret := range []string{"guessed", "secret"} {
		client := bedrocktest.NewClient(server.URL, func(o *bedrockruntime.Options) {
			o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: secret}, nil
			})
		})
		request := &agent.Request{Messages: []agent.Message{{Role: agent.RoleUser, Parts: []agent.Part{{Text: "Polly"}}}}}
		model, err := bedrock.New(client, "parrot", nil)
		if err != nil {
			panic(err)
		}
		for d, err := range model.Stream(context.Background(), request) {
			if me, ok := errors.AsType[*agent.ModelError](err); ok {
				fmt.Println(me.Code)
			}
			if text, ok := d.(agent.TextDelta); ok {
				fmt.Println(text.Text)
			}
		}
	}
	// Output:
	// access_denied
	// Polly!
}
