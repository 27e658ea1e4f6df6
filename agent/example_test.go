package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// clerk is a minimal Model: it calls one tool and answers with the result.
type clerk struct{}

func (clerk) Stream(_ context.Context, r *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		last := r.Messages[len(r.Messages)-1].Parts[0]
		if last.Result == nil {
			_ = yield(agent.UsePart{ToolUse: agent.ToolUse{ID: "c1", Name: "count", Input: json.RawMessage(`{"subject":"whales"}`)}}, nil) &&
				yield(agent.StopPart{Reason: agent.StopToolUse}, nil)
			return
		}
		_ = yield(agent.TextDelta{Text: "There are " + last.Result.Summary + "."}, nil) &&
			yield(agent.StopPart{Reason: agent.StopEndTurn}, nil)
	}
}

func newClerk() (*agent.Agent, agent.Input) {
	count, err := tools.New("count", "Counts the books on a subject.",
		func(_ context.Context, c *tools.Call, in struct {
			Subject string `json:"subject"`
		}) (string, error) {
			return fmt.Sprintf("3 books on %s at %s", in.Subject, c.Scope().TenantID()), nil
		})
	if err != nil {
		panic(err)
	}
	a, err := agent.New(clerk{}, &agent.Options{System: "You keep a shelf.", Tools: tools.Of(count)})
	if err != nil {
		panic(err)
	}
	acme, err := scope.Tenant("acme")
	if err != nil {
		panic(err)
	}
	return a, agent.Input{Scope: acme, Run: "run-1", Prompt: "How many books on whales?"}
}

func ExampleAgent_Stream() {
	a, in := newClerk()
	for ev, err := range a.Stream(context.Background(), in) {
		if err != nil {
			fmt.Println(err)
			return
		}
		switch ev := ev.(type) {
		case agent.TextDelta:
			fmt.Println("text:", ev.Text)
		case agent.ToolCalled:
			fmt.Printf("call: %s %s\n", ev.Name, ev.Input)
		case agent.ToolDone:
			fmt.Println("result:", ev.Result.Summary)
		case agent.Done:
			fmt.Println(ev.Outcome, "after", len(ev.History.Turns), "turns")
		}
	}
	// Output:
	// call: count {"subject":"whales"}
	// result: 3 books on whales at acme
	// text: There are 3 books on whales at acme.
	// complete after 2 turns
}

func ExampleAgent_Run() {
	a, in := newClerk()
	in.Prompt = " "
	_, err := a.Run(context.Background(), in)
	if failed, ok := errors.AsType[*agent.RunError](err); ok {
		fmt.Println(failed.Code, "|", failed.Message)
	}

	in.Prompt = "How many books on whales?"
	done, err := a.Run(context.Background(), in)
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := json.Marshal(done.History.Turns[1])
	fmt.Println(string(b), err)
	// Output:
	// invalid_call | The message is empty.
	// {"messages":[{"role":"assistant","parts":[{"text":"There are 3 books on whales at acme."}]}]} <nil>
}
