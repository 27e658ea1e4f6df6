package agent_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// answers is a Model that returns its nth answer to a request with n messages of the assistant.
type answers [][]agent.Delta

func (m answers) Stream(_ context.Context, r *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		n := 0
		for _, msg := range r.Messages {
			if msg.Role == agent.RoleAssistant {
				n++
			}
		}
		for _, d := range m[n] {
			if !yield(d, nil) {
				return
			}
		}
	}
}

// away is a model whose service does not answer.
type away struct{}

func (away) Stream(context.Context, *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		yield(nil, &agent.ModelError{Code: agent.CodeUnavailable, Message: "The model is away.", Retryable: true})
	}
}

func say(s string) []agent.Delta {
	return []agent.Delta{agent.TextDelta{Text: s}, agent.StopPart{Reason: agent.StopEndTurn}}
}

func call(name, input string) []agent.Delta {
	return []agent.Delta{
		agent.UsePart{ToolUse: agent.ToolUse{ID: "c1", Name: name, Input: json.RawMessage(input)}},
		agent.StopPart{Reason: agent.StopToolUse},
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Book is a typed answer.
type Book struct {
	Title string `json:"title" jsonschema:"as printed"`
	Year  *int   `json:"year"`
}

func ExampleRunAs() {
	a := must(agent.New(answers{call("final_answer", `{"title":"Moby-Dick","year":1851}`)}, nil))
	book, done, err := agent.RunAs[Book](context.Background(), a, agent.Input{Prompt: "Call me Ishmael. Which book is it?"})
	fmt.Println(book.Title, *book.Year, done.Outcome, err)
	// Output: Moby-Dick 1851 complete <nil>
}

func ExampleStreamAs() {
	model := answers{append([]agent.Delta{
		agent.UseDelta{ID: "c1", Name: "final_answer", Input: `{"title":"Mo`},
		agent.UseDelta{ID: "c1", Name: "final_answer", Input: `by-Dick","ye`},
		agent.UseDelta{ID: "c1", Name: "final_answer", Input: `ar":1851}`},
	}, call("final_answer", `{"title":"Moby-Dick","year":1851}`)...)}
	a := must(agent.New(model, nil))
	for ev, err := range agent.StreamAs[Book](context.Background(), a, agent.Input{Prompt: "Call me Ishmael. Which book is it?"}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		switch ev := ev.(type) {
		case agent.Partial:
			fmt.Printf("%s\n", ev.JSON)
		case agent.Done:
			fmt.Printf("whole: %s\n", ev.Output)
		}
	}
	// Output:
	// {"title":"Mo"}
	// {"title":"Moby-Dick"}
	// {"title":"Moby-Dick","year":1851}
	// whole: {"title":"Moby-Dick","year":1851}
}

// A call waits for an approval. Its run ends and is stored. It is resumed elsewhere once a person has approved the
// call.
func ExampleCheckpoint() {
	approved := map[string]bool{} // a table in production
	remove := must(tools.New("remove_book", "Removes a book.", func(_ context.Context, c *tools.Call, in struct {
		Title string `json:"title"`
	}) (string, error) {
		if !approved[c.IdempotencyKey()] {
			approved[c.IdempotencyKey()] = true // a person approves it before the next attempt
			return "", &tools.PendingError{Reason: "The librarian has to agree."}
		}
		return "removed " + in.Title, nil
	}))
	a := must(agent.New(answers{call("remove_book", `{"title":"Moby-Dick"}`), say("It is gone.")}, &agent.Options{Tools: tools.Of(remove)}))
	acme := must(scope.Tenant("acme"))
	in := agent.Input{Scope: acme, Run: "run-1", Prompt: "Remove Moby-Dick."}

	done := must(a.Run(context.Background(), in))
	fmt.Println(done.Outcome, done.Checkpoint.Pending()[0].Name)
	stored := must(json.Marshal(done.Checkpoint))

	in.Prompt, in.History = "", done.History
	in.Resume = &agent.Checkpoint{}
	if err := json.Unmarshal(stored, in.Resume); err != nil {
		panic(err)
	}
	done = must(a.Run(context.Background(), in))
	for _, t := range done.History.Turns {
		for _, m := range t.Messages {
			for _, p := range m.Parts {
				if p.Result != nil {
					fmt.Println(p.Result.Summary)
				}
			}
		}
	}
	fmt.Println(done.Outcome)
	// Output:
	// pending remove_book
	// removed Moby-Dick
	// complete
}

func ExampleTurn_Resolve() {
	acme := must(scope.Tenant("acme"))
	session := must(must(acme.User("u1")).Session("01890a5d-ac96-774b-bcce-b302099a8057"))
	root := must(must(object.New(object.NewMemory(), "raw", nil)).In(session))
	cover := must(root.Ref("cover.png"))
	turn := agent.Turn{Messages: []agent.Message{
		{Role: agent.RoleUser, Parts: []agent.Part{{Image: &tools.Media{Format: "png", Object: cover}}, {Text: "What is this?"}}},
		{Role: agent.RoleAssistant, Parts: []agent.Part{{Text: "A cover."}}},
	}}
	stored := must(json.Marshal(turn))
	var decoded agent.Turn
	if err := json.Unmarshal(stored, &decoded); err != nil {
		panic(err)
	}
	back := must(decoded.Resolve(root))
	fmt.Println(back.Messages[0].Parts[0].Image.Object == cover)

	other := must(must(object.New(object.NewMemory(), "raw", nil)).In(must(scope.Tenant("globex"))))
	_, err := decoded.Resolve(other)
	fmt.Println(err)
	// Output:
	// true
	// agent: resolve turn: message 0: part 0: object: parse ref: not found
}

func ExampleFallback() {
	a := must(agent.New(agent.Fallback(away{}, answers{say("I am here.")}), nil))
	for ev, err := range a.Stream(context.Background(), agent.Input{Prompt: "Is anybody there?"}) {
		if text, ok := ev.(agent.TextDelta); ok {
			fmt.Println(text.Text, err)
		}
	}
	// Output: I am here. <nil>
}

// long is a conversation that has grown.
func long() agent.History {
	var h agent.History
	for i := range 3 {
		h.Turns = append(h.Turns, agent.Turn{Messages: []agent.Message{
			{Role: agent.RoleUser, Parts: []agent.Part{{Text: fmt.Sprint("Question ", i, strings.Repeat(".", 100))}}},
			{Role: agent.RoleAssistant, Parts: []agent.Part{{Text: "Answer " + fmt.Sprint(i)}}},
		}})
	}
	return h
}

func ExampleDropOldest() {
	a := must(agent.New(answers{nil, say("Yes.")}, &agent.Options{Compact: agent.DropOldest(60)}))
	done := must(a.Run(context.Background(), agent.Input{Prompt: "Is that all?", History: long()}))
	for _, t := range done.History.Turns {
		fmt.Printf("%.60s\n", t.Messages[0].Parts[0].Text)
	}
	// Output:
	// The beginning of this conversation has been left out, becaus
	// Question 1..................................................
	// Question 2..................................................
	// Is that all?
}

func ExampleSummarise() {
	small := answers{say("Two questions have been answered.")}
	a := must(agent.New(answers{nil, say("Yes.")}, &agent.Options{Compact: must(agent.Summarise(small, 60))}))
	done := must(a.Run(context.Background(), agent.Input{Prompt: "Is that all?", History: long()}))
	fmt.Println(done.History.Turns[0].Messages[0].Parts[0].Text)
	// Output:
	// The beginning of this conversation has been left out. A summary of it:
	//
	// Two questions have been answered.
}
