package agenttest_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/agent/bedrock"
)

// A test calls agenttest.Play(t, …) instead, which checks Err at its end.
func ExampleNewScript() {
	s := agenttest.NewScript(
		agenttest.Answer(agenttest.Say("There are three.")).Expect(agenttest.HasText("How many?")),
		agenttest.Answer(agenttest.Say("Goodbye.")),
	)
	a, err := agent.New(s, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	done, err := a.Run(context.Background(), agent.Input{Prompt: "How many?"})
	fmt.Println(done.Outcome, err)
	fmt.Println(s.Err())
	// Output:
	// complete <nil>
	// agenttest: 1 of the script's 2 turns were played
}

// One model serves two conversations.
func ExampleFunc() {
	m := agenttest.Func(func(_ context.Context, r *agent.Request) ([]agent.Delta, error) {
		if agenttest.HasText("Hello")(r) == nil {
			return []agent.Delta{agenttest.Say("Good day.")}, nil
		}
		return []agent.Delta{agenttest.Say("Farewell.")}, nil
	})
	a, err := agent.New(m, nil)
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
	// Output:
	// Farewell.
	// Good day.
}

// A conversation is recorded when the test runs with -update, and replayed otherwise.
func ExampleRecord() {
	test := func(t *testing.T, cfg aws.Config, update bool) {
		const file = "testdata/greeting.json"
		var transport http.RoundTripper
		if update {
			transport = agenttest.Record(t, file, http.DefaultTransport, nil)
		} else {
			transport = agenttest.Replay(t, file, nil)
		}
		client := bedrockruntime.NewFromConfig(cfg, func(o *bedrockruntime.Options) {
			o.HTTPClient = &http.Client{Transport: transport}
		})
		m, err := bedrock.New(client, "amazon.nova-lite-v1:0", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = m // the agent under test
	}
	_ = test
	// Output:
}

// The model runs behind a test server of its service.
func ExampleTestModel() {
	test := func(t *testing.T) {
		agenttest.TestModel(t, agenttest.Actor(), &agenttest.TestOptions{
			Skip: map[string]string{"reasoning": "the service does not stream it"},
		})
	}
	_ = test
	// Output:
}
