package agui_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/agent/agui"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/approval"
)

// service is a server whose agent lends the books that it is asked for. Each of them needs an approval.
type service struct {
	url   string
	runs  *runner.Runner
	drain context.CancelFunc

	mu     sync.Mutex
	lent   []string
	asked  []*agent.Request
	opened []string // threads
}

type lendIn struct{ Title string }

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{}
	tb, err := table.New(table.NewMemory(nil), nil)
	require.NoError(t, err)
	logs, err := replay.New(tb, &replay.Options{Merge: runner.MergeDeltas, Commit: 10 * time.Millisecond})
	require.NoError(t, err)
	approvals, err := approval.New(tb, nil)
	require.NoError(t, err)
	lend, err := tools.New("lend", "Lends a book.", s.lend, approvals.Require(nil))
	require.NoError(t, err)
	a, err := agent.New(agenttest.Func(s.answer), &agent.Options{Tools: tools.Of(lend)})
	require.NoError(t, err)
	s.runs, err = runner.New(tb, runner.Host{
		Agent: func(context.Context, *runner.Run) (*agent.Agent, error) { return a, nil },
	}, &runner.Options{Logs: logs, Approvals: approvals})
	require.NoError(t, err)
	ctx, drain := context.WithCancel(context.Background())
	s.drain = drain
	h, err := agui.New(s.open, &agui.Options{Stream: sse.Options{Drain: ctx}, MaxBody: 64 << 10})
	require.NoError(t, err)
	server := httptest.NewServer(h)
	s.url = server.URL
	t.Cleanup(func() {
		drain()
		server.Close()
		stopped, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		_ = s.runs.Shutdown(stopped)
	})
	return s
}

// open takes the name of the user from a header.
func (s *service) open(r *http.Request, thread string) (agui.Chat, error) {
	s.mu.Lock()
	s.opened = append(s.opened, thread)
	s.mu.Unlock()
	tenant, err := scope.Tenant("acme")
	if err != nil {
		return nil, err
	}
	user, err := tenant.User(r.Header.Get("User"))
	if err != nil {
		return nil, sse.ErrNotFound
	}
	return s.runs.Chat(runner.Conversation{User: user, Dialect: "agui", ID: thread, Agent: "chat", Strict: true})
}

func (s *service) lend(_ context.Context, _ *tools.Call, in lendIn) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lent = append(s.lent, in.Title)
	return "lent " + in.Title, nil
}

// answer lends each word after "lend", waits for ever if it is asked to wait, and otherwise says the message again.
func (s *service) answer(ctx context.Context, r *agent.Request) ([]agent.Delta, error) {
	s.mu.Lock()
	s.asked = append(s.asked, r)
	s.mu.Unlock()
	parts := r.Messages[len(r.Messages)-1].Parts
	last := parts[len(parts)-1:]
	if last[0].Result != nil {
		return []agent.Delta{agenttest.Say("Done.")}, nil
	}
	books, isLoan := strings.CutPrefix(last[0].Text, "lend ")
	switch {
	case last[0].Text == "wait":
		<-ctx.Done()
		return nil, context.Cause(ctx)
	case !isLoan:
		return []agent.Delta{agent.ReasoningDelta{Text: "Hm."}, agenttest.Say("You said: " + last[0].Text)}, nil
	}
	deltas := []agent.Delta{agenttest.Say("I lend.")}
	for _, b := range strings.Fields(books) {
		deltas = append(deltas, agenttest.Call("call-"+b, "lend", `{"Title":"`+b+`"}`))
	}
	return deltas, nil
}

// frame is an event of a stream.
type frame struct {
	Type, MessageID, Delta, Code, ToolCallID string
	Outcome                                  struct {
		Type       string
		Interrupts []struct{ ID, ToolCallID string }
	}
	raw string
}

// post sends a body and returns the response.
func (s *service) post(t *testing.T, body string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User", "u1")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// readFrames returns the events of a stream up to its end.
func readFrames(t *testing.T, res *http.Response) (frames []frame) {
	t.Helper()
	require.Equal(t, http.StatusOK, res.StatusCode)
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			f := frame{raw: data}
			require.NoError(t, json.Unmarshal([]byte(data), &f))
			frames = append(frames, f)
		}
	}
	require.NoError(t, lines.Err())
	return frames
}

func (s *service) run(t *testing.T, body string) []frame {
	t.Helper()
	return readFrames(t, s.post(t, body))
}

func typesOf(frames []frame) (all []string) {
	for _, f := range frames {
		all = append(all, f.Type)
	}
	return all
}

func textOf(frames []frame) string {
	var b strings.Builder
	for _, f := range frames {
		if f.Type == "TEXT_MESSAGE_CONTENT" {
			b.WriteString(f.Delta)
		}
	}
	return b.String()
}

func ask(run, text string) string {
	return fmt.Sprintf(`{"threadId":"t 1","runId":%q,"messages":[{"id":"m","role":"user","content":%q}]}`, run, text)
}
