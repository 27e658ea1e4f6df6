package runner_test

import (
	"context"
	"fmt"
	"iter"
	"log"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/agent/history"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse/replay"
)

func Example() {
	ctx := context.Background()
	t, err := table.New(table.NewMemory(nil), nil)
	check(err)
	logs, err := replay.New(t, &replay.Options{Merge: runner.MergeDeltas})
	check(err)
	turns, err := history.New(t, nil)
	check(err)
	model := agenttest.NewScript(agenttest.Answer(agenttest.Say("It is Emma.")))
	a, err := agent.New(model, nil)
	check(err)
	r, err := runner.New(t, logs, turns, runner.Host{
		Stream: func(ctx context.Context, _ *runner.Run, in agent.Input) iter.Seq2[agent.Event, error] {
			return a.Stream(ctx, in)
		},
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
