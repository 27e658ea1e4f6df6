package agui_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/agent/agui"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse"
)

// A service serves its runs to AG-UI clients.
func ExampleNew() {
	t := must.Get(table.New(table.NewMemory(nil), nil))
	a := must.Get(agent.New(agenttest.NewScript(agenttest.Answer(agenttest.Say("It is Emma."))), nil))
	runs := must.Get(runner.New(t, runner.Host{
		Agent: func(context.Context, *runner.Run) (*agent.Agent, error) { return a, nil },
	}, nil))
	authenticate := func(*http.Request) (scope.Scope, error) { return must.Get(scope.Tenant("acme")).User("u1") }

	h, err := agui.New(func(r *http.Request, thread string) (agui.Chat, error) {
		user, err := authenticate(r)
		if err != nil {
			return nil, err
		}
		return runs.Chat(runner.Conversation{User: user, Dialect: "agui", ID: thread, Strict: true})
	}, nil)
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()

	const body = `{"threadId":"t1","runId":"r1","messages":[{"id":"m1","role":"user","content":"Which book is this?"}]}`
	res := must.Get(http.Post(server.URL, "application/json", strings.NewReader(body)))
	defer func() { _ = res.Body.Close() }()
	for e, err := range sse.Decode(res.Body, 0) {
		if err != nil {
			panic(err)
		}
		kind, _, _ := strings.Cut(string(e.Data), ",")
		fmt.Println(kind)
	}
	// Output:
	// {"type":"RUN_STARTED"
	// {"type":"STEP_STARTED"
	// {"type":"TEXT_MESSAGE_START"
	// {"type":"TEXT_MESSAGE_CONTENT"
	// {"type":"TEXT_MESSAGE_END"
	// {"type":"STEP_FINISHED"
	// {"type":"RUN_FINISHED"
}
