package runner_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse/replay"
)

func Example() {
	ctx := context.Background()
	t, err := table.New(table.NewMemory(nil), nil)
	check(err)
	model := agenttest.NewScript(agenttest.Answer(agenttest.Say("It is Emma.")))
	a, err := agent.New(model, nil)
	check(err)
	r, err := runner.New(t, runner.Host{
		Agent: func(context.Context, *runner.Run) (*agent.Agent, error) { return a, nil },
	}, nil)
	check(err)

	tenant, err := scope.Tenant("acme")
	check(err)
	user, err := tenant.User("u1")
	check(err)
	session, err := user.NewSession()
	check(err)
	run, err := r.Start(ctx, runner.Request{Scope: session, Prompt: "Which book is this?"})
	check(err)
	for e, err := range r.Events(ctx, user, run.ID, "") {
		check(err)
		if e.Type() != "run_started" { // it has the id of the run
			fmt.Printf("%s\n", e.Data)
		}
	}
	check(r.Shutdown(ctx))
	// Output:
	// {"type":"user_message","text":"Which book is this?"}
	// {"type":"step_started","step":1}
	// {"type":"text_delta","delta":"It is Emma."}
	// {"type":"step_finished","step":1}
	// {"type":"finished","outcome":"complete"}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// newExample returns a table, a session in it, and a function that opens a process on it.
func newExample(m agent.Model) (*table.Table, scope.Scope, func(o *runner.Options) *runner.Runner) {
	t, err := table.New(table.NewMemory(nil), nil)
	check(err)
	a, err := agent.New(m, nil)
	check(err)
	host := runner.Host{Agent: func(context.Context, *runner.Run) (*agent.Agent, error) { return a, nil }}
	tenant, err := scope.Tenant("acme")
	check(err)
	user, err := tenant.User("u1")
	check(err)
	session, err := user.NewSession()
	check(err)
	return t, session, func(o *runner.Options) *runner.Runner {
		r, err := runner.New(t, host, o)
		check(err)
		return r
	}
}

// Any process stops a run. A client that only disconnects does not.
func ExampleRunner_Stop() {
	ctx := context.Background()
	_, session, open := newExample(agenttest.NewScript(agenttest.Stall(agenttest.Say("Once"))))
	r := open(nil)
	run, err := r.Start(ctx, runner.Request{Scope: session, Prompt: "Tell me a story.", Key: "message-1"})
	check(err)
	again, err := r.Start(ctx, runner.Request{Scope: session, Prompt: "Tell me a story.", Key: "message-1"})
	check(err)
	fmt.Println("the same run:", run.ID == again.ID)
	_, err = r.Start(ctx, runner.Request{Scope: session, Prompt: "Another one."})
	running, ok := errors.AsType[*runner.RunningError](err)
	fmt.Println("one at a time:", ok && running.Run == run.ID)
	check(r.Stop(ctx, session, run.ID))
	check(r.Wait(ctx, session, run.ID))
	run, err = r.Get(ctx, session, "")
	check(err)
	fmt.Println(run.Status)
	check(r.Shutdown(ctx))
	// Output:
	// the same run: true
	// one at a time: true
	// stopped
}

// A process that ends hands its runs over to another one.
func ExampleRunner_Watch() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	answers := agenttest.NewScript(agenttest.Stall(agenttest.Say("It")), agenttest.Answer(agenttest.Say("It is Emma.")))
	t, session, open := newExample(answers)
	first := open(nil)
	run, err := first.Start(ctx, runner.Request{Scope: session, Prompt: "Which book is this?"})
	check(err)
	for e, err := range first.Events(ctx, session, run.ID, "") {
		check(err)
		if e.Type() == "text_delta" {
			break
		}
	}
	deadline, cancelShutdown := context.WithTimeout(ctx, time.Millisecond)
	defer cancelShutdown()
	check(first.Shutdown(deadline))

	second := open(nil)
	go second.Watch(ctx, t.System())
	var events []replay.Event
	for e, err := range second.Events(ctx, session, run.ID, "") {
		check(err)
		events = append(events, e)
	}
	told, err := replay.Retract(events)
	check(err)
	for _, e := range told {
		if e.Type() == "text_delta" {
			fmt.Printf("%s\n", e.Data)
		}
	}
	check(second.Shutdown(ctx))
	// Output:
	// {"type":"text_delta","delta":"It is Emma."}
}
