package aisdk_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/agent/aisdk"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// A service answers useChat({transport: new DefaultChatTransport({api: "/api/chat"})}).
func Example() {
	runs, user := newRunner(agenttest.NewScript(agenttest.Answer(agenttest.Say("It is Emma."))))
	h, err := aisdk.New(func(_ *http.Request, id string) (aisdk.Chat, error) {
		return runs.Chat(runner.Conversation{User: user, Dialect: "aisdk", ID: id}) // authenticate the request first
	}, nil)
	check(err)
	mux := http.NewServeMux()
	mux.Handle("POST /api/chat", h)
	mux.Handle("GET /api/chat/{id}/stream", h)

	r := httptest.NewRequest(http.MethodPost, "/api/chat", strings.NewReader(`{"id":"chat-1","trigger":"submit-message",
		"messages":[{"id":"m1","role":"user","parts":[{"type":"text","text":"Which book is this?"}]}]}`))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Body)
	check(err)
	for line := range strings.Lines(string(body)) {
		if strings.Contains(line, "text-") {
			fmt.Print(line)
		}
	}
	check(runs.Shutdown(context.Background()))
	// Output:
	// data: {"type":"text-start","id":"text-1"}
	// data: {"type":"text-delta","id":"text-1","delta":"It is Emma."}
	// data: {"type":"text-end","id":"text-1"}
}

func newRunner(m agent.Model) (*runner.Runner, scope.Scope) {
	t, err := table.New(table.NewMemory(nil), nil)
	check(err)
	a, err := agent.New(m, nil)
	check(err)
	runs, err := runner.New(t, runner.Host{
		Agent: func(context.Context, *runner.Run) (*agent.Agent, error) { return a, nil },
	}, nil)
	check(err)
	tenant, err := scope.Tenant("acme")
	check(err)
	user, err := tenant.User("u1")
	check(err)
	return runs, user
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
