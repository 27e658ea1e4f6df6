package agenttest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
)

// In a test this is agenttest.Play(t, …), which looks at Err by itself.
func ExampleNewScript() {
	s := agenttest.NewScript(
		agenttest.Answer(agenttest.Say("There are three.")).Expect(agenttest.Told("How many?")),
		agenttest.Answer(agenttest.Say("Goodbye.")),
	)
	a, err := agent.New(s, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	done, err := a.Run(context.Background(), agent.Input{Prompt: "How many?"})
	fmt.Println(done.Stop, err)
	fmt.Println(s.Err())
	// Output:
	// complete <nil>
	// agenttest: 1 of the script's 2 turns were played
}

func ExampleNewCast() {
	c := agenttest.NewCast(map[string]*agenttest.Script{
		"Hello": agenttest.NewScript(agenttest.Answer(agenttest.Say("Good day."))),
		"Bye":   agenttest.NewScript(agenttest.Answer(agenttest.Say("Farewell."))),
	})
	a, err := agent.New(c, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, prompt := range []string{"Bye", "Hello"} {
		done, err := a.Run(context.Background(), agent.Input{Prompt: prompt})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(done.History.Turns[0].Messages[1].Parts[0].Text)
	}
	fmt.Println(c.Err())
	// Output:
	// Farewell.
	// Good day.
	// <nil>
}

func ExampleFunc() {
	m := agenttest.Func(func(_ context.Context, r *agent.Request) ([]agent.Delta, error) {
		return []agent.Delta{agenttest.Say(fmt.Sprintf("I was told %d things.", len(r.Messages)))}, nil
	})
	for d, err := range m.Stream(context.Background(), agenttest.Ask(agenttest.Speak, "alder")) {
		fmt.Printf("%+v %v\n", d, err)
	}
	// Output:
	// {Text:I was told 1 things.} <nil>
	// {Reason:end_turn} <nil>
}

func ExampleRecord() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "greeting.json")

	real := agenttest.Func(func(context.Context, *agent.Request) ([]agent.Delta, error) {
		return []agent.Delta{agenttest.Say("Good day, reader@library.example.")}, nil
	})
	recorder, err := agenttest.Record(real, path, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	greet := func(m agent.Model, prompt string) error {
		a, err := agent.New(m, nil)
		if err != nil {
			return err
		}
		_, err = a.Run(context.Background(), agent.Input{Prompt: prompt})
		return err
	}
	fmt.Println(greet(recorder, "Greet me."), recorder.Err())
	file, err := os.ReadFile(path)
	fmt.Print(string(file))
	fmt.Println(err)

	player, err := agenttest.Replay(path, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	err = greet(player, "Praise me.")
	if diff, ok := errors.AsType[*agenttest.MismatchError](err); ok {
		fmt.Print(diff.Diff)
	}
	// Output:
	// <nil> <nil>
	// {
	//   "agenttest": 1,
	//   "exchanges": [
	//     {
	//       "request": {"messages": [{"role": "user", "parts": [{"text": "Greet me."}]}]},
	//       "answer": [{"text": "Good day, [redacted:email:1]."}, {"stop": "end_turn"}]
	//     }
	//   ]
	// }
	// <nil>
	// - {"messages": [{"role": "user", "parts": [{"text": "Greet me."}]}]}
	// + {"messages": [{"role": "user", "parts": [{"text": "Praise me."}]}]}
}

func ExampleReplay() {
	player, err := agenttest.Replay("testdata/greeting.json", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	a, err := agent.New(player, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	done, err := a.Run(context.Background(), agent.Input{Prompt: "Greet me."})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(done.History.Turns[0].Messages[1].Parts[0].Text)
	fmt.Println(player.Err())
	// Output:
	// Good day.
	// <nil>
}

// An adapter is tested with agenttest.Actor behind the server that it calls. Here it is called directly, and one
// that forgets the end is too.
func ExampleTestModel() {
	ctx := context.Background()
	fmt.Println(agenttest.TestModel(ctx, agenttest.Actor(), nil))

	cut := agenttest.NewScript(agenttest.Choose(func(*agent.Request) agenttest.Turn {
		return agenttest.Cut(agenttest.Say("Hm."))
	}).Times(100))
	err := agenttest.TestModel(ctx, cut, &agenttest.TestOptions{Without: []agenttest.Behaviour{
		agenttest.CallOnce, agenttest.CallMany, agenttest.Reason, agenttest.Look, agenttest.Stuck, agenttest.FailAtOnce, agenttest.FailLater,
	}})
	failed, _ := errors.AsType[*agenttest.CheckError](err)
	fmt.Println(failed)
	// Output:
	// <nil>
	// agenttest: text: it ends without a StopPart and without an error
}
