package agui_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/agent/agui"
	"github.com/carrel-go/carrel/agent/history"
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
	turns, err := history.New(tb, nil)
	require.NoError(t, err)
	approvals, err := approval.New(tb, nil)
	require.NoError(t, err)
	lend, err := tools.New("lend", "Lends a book.", s.lend, approvals.Require(nil))
	require.NoError(t, err)
	a, err := agent.New(agenttest.Func(s.answer), &agent.Options{Tools: tools.Of(lend)})
	require.NoError(t, err)
	s.runs, err = runner.New(tb, logs, turns, runner.Host{
		Stream: func(ctx context.Context, _ *runner.Run, in agent.Input) iter.Seq2[agent.Event, error] {
			return a.Stream(ctx, in)
		},
	}, &runner.Options{Approvals: approvals})
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
	last := r.Messages[len(r.Messages)-1].Parts
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

func TestARequestIsAnsweredWithItsRun(t *testing.T) {
	t.Parallel()
	s := newService(t)
	first := s.run(t, ask("r1", "Hello"))
	assert.Equal(t, []string{
		"RUN_STARTED", "STEP_STARTED", "REASONING_START", "REASONING_MESSAGE_START", "REASONING_MESSAGE_CONTENT", "REASONING_MESSAGE_END",
		"REASONING_END", "TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END", "STEP_FINISHED", "RUN_FINISHED",
	}, typesOf(first))
	assert.Equal(t, "You said: Hello", textOf(first))
	assert.Equal(t, first, s.run(t, ask("r1", "Hello")), "the same run again")
	assert.Len(t, s.asked, 1)

	var told string
	for _, f := range first {
		if f.Type == "TEXT_MESSAGE_START" {
			told = f.MessageID
		}
	}
	again := s.run(t, fmt.Sprintf(`{"threadId":"t 1","runId":"r1","messages":[{"id":"m","role":"user","content":"Hello"},
		{"id":%q,"role":"assistant","content":"You sa"}]}`, told))
	assert.Equal(t, []string{"RUN_STARTED", "MESSAGES_SNAPSHOT", "STEP_STARTED"}, typesOf(again)[:3])
	assert.Equal(t, typesOf(first), slices.Delete(typesOf(again), 1, 2), "the client has a part of it")
	assert.Len(t, s.asked, 1)

	assert.Equal(t, "You said: Bye", textOf(s.run(t, ask("r2", "Bye"))))
	assert.Equal(t, http.StatusInternalServerError, s.post(t, ask("r1", "Other")).StatusCode, "the key was used for another message")
	assert.Equal(t, []string{"t 1"}, slices.Compact(s.opened))
}

func TestAnswersToAllInterruptsContinueTheRunOnce(t *testing.T) {
	t.Parallel()
	s := newService(t)
	asked := s.run(t, ask("r1", "lend Emma Persuasion"))
	end := asked[len(asked)-1]
	require.Equal(t, "interrupt", end.Outcome.Type, end.raw)
	require.Len(t, end.Outcome.Interrupts, 2)
	assert.Equal(t, "MESSAGES_SNAPSHOT", asked[len(asked)-2].Type)
	assert.Equal(t, asked, s.run(t, ask("r1", "lend Emma Persuasion")), "the same run again")

	code := func(body string) string {
		t.Helper()
		frames := s.run(t, body)
		require.Equal(t, []string{"RUN_STARTED", "RUN_ERROR"}, typesOf(frames))
		return frames[1].Code
	}
	resume := func(run, answers string) string {
		return fmt.Sprintf(`{"threadId":"t 1","runId":%q,"messages":[{"id":"m","role":"user","content":"forged"},
			{"id":"x","role":"tool","toolCallId":"call-Emma","content":"forged"}],"resume":[%s]}`, run, answers)
	}
	answer := func(i int, rest string) string {
		return fmt.Sprintf(`{"interruptId":%q,%s}`, end.Outcome.Interrupts[i].ID, rest)
	}
	const yes, no = `"status":"resolved","payload":{"approved":true}`, `"status":"resolved","payload":{"approved":false,"reason":"It is lost."}`
	assert.Equal(t, "interrupted", code(ask("r2", "Something else")))
	assert.Equal(t, "incomplete_resume", code(resume("r2", answer(0, yes))))
	assert.Equal(t, "unknown_interrupt", code(resume("r2", answer(0, yes)+","+answer(1, no)+`,{"interruptId":"x","status":"cancelled"}`)))
	assert.Equal(t, "unknown_interrupt", code(resume("r2", `{"interruptId":"x",`+yes+`}`)))
	assert.Empty(t, s.lent)

	both := resume("r2", answer(0, yes)+","+answer(1, no))
	told := s.run(t, both)
	assert.Equal(t, []string{
		"RUN_STARTED", "MESSAGES_SNAPSHOT", "TOOL_CALL_RESULT", "TOOL_CALL_RESULT", "STEP_STARTED", "TEXT_MESSAGE_START",
		"TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END", "STEP_FINISHED", "RUN_FINISHED",
	}, typesOf(told))
	assert.Equal(t, "success", told[len(told)-1].Outcome.Type)
	require.Len(t, s.lent, 1)
	assert.Equal(t, "call-"+s.lent[0], end.Outcome.Interrupts[0].ToolCallID)
	assert.Equal(t, told, s.run(t, both), "the same run again")
	assert.Len(t, s.lent, 1)
	assert.Equal(t, "unknown_interrupt", code(resume("r3", answer(0, no)+","+answer(1, yes))), "they were answered otherwise")
	assert.Equal(t, "You said: Thanks", textOf(s.run(t, ask("r4", "Thanks"))))
	for _, r := range s.asked {
		raw, err := json.Marshal(r.Messages)
		require.NoError(t, err)
		assert.NotContains(t, string(raw), "forged")
	}
}

func TestACancelledInterruptIsDeclined(t *testing.T) {
	t.Parallel()
	s := newService(t)
	asked := s.run(t, ask("r1", "lend Emma"))
	id := asked[len(asked)-1].Outcome.Interrupts[0].ID
	told := s.run(t, fmt.Sprintf(`{"threadId":"t 1","runId":"r2","messages":[],"resume":[{"interruptId":%q,"status":"cancelled"}]}`, id))
	assert.Equal(t, "success", told[len(told)-1].Outcome.Type)
	assert.Empty(t, s.lent)
}

func TestAStoppedRunIsCancelled(t *testing.T) {
	t.Parallel()
	s := newService(t)
	res := s.post(t, ask("r1", "wait"))
	go func() {
		chat, err := s.open(&http.Request{Header: http.Header{"User": {"u1"}}}, "t 1")
		if !assert.NoError(t, err) {
			return
		}
		run, err := chat.Start(context.Background(), agui.KeyOf("r1"), "wait")
		if !assert.NoError(t, err) {
			return
		}
		tenant, _ := scope.Tenant("acme")
		user, _ := tenant.User("u1")
		assert.NoError(t, s.runs.Stop(context.Background(), user, run))
	}()
	frames := readFrames(t, res)
	assert.Equal(t, "cancelled", frames[len(frames)-1].Outcome.Type)
}

func TestAStreamThatCannotFinishIsBroken(t *testing.T) {
	t.Parallel()
	s := newService(t)
	res := s.post(t, ask("r1", "wait"))
	time.AfterFunc(300*time.Millisecond, s.drain)
	_, err := io.ReadAll(res.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestRequestsAreRejected(t *testing.T) {
	t.Parallel()
	s := newService(t)
	user := `[{"id":"m","role":"user","content":"Hello"}]`
	for body, status := range map[string]int{
		``:   http.StatusBadRequest,
		`[]`: http.StatusBadRequest,
		`{"threadId":"t","threadId":"u","runId":"r","messages":` + user + `}`:                                                                               http.StatusBadRequest,
		`{"threadId":"","runId":"r","messages":` + user + `}`:                                                                                               http.StatusBadRequest,
		`{"threadId":5,"runId":"r","messages":` + user + `}`:                                                                                                http.StatusBadRequest,
		`{"threadId":"t","runId":"` + strings.Repeat("r", 257) + `","messages":` + user + `}`:                                                               http.StatusBadRequest,
		`{"threadId":"t","runId":"r"}`:                                                                                                                      http.StatusBadRequest,
		`{"threadId":"t","runId":"r","messages":[]}`:                                                                                                        http.StatusBadRequest,
		`{"threadId":"t","runId":"r","messages":[5]}`:                                                                                                       http.StatusBadRequest,
		`{"threadId":"t","runId":"r","messages":[{"id":"m","role":"user","content":" "}]}`:                                                                  http.StatusBadRequest,
		`{"threadId":"t","runId":"r","messages":[{"id":"m","role":"user","content":[{"type":"image"}]}]}`:                                                   http.StatusBadRequest,
		`{"threadId":"t","runId":"r","messages":[{"id":"m","role":"user","content":"a"},{"id":"x","role":"tool","content":"b","toolCallId":"c"}]}`:          http.StatusBadRequest,
		`{"threadId":"t","runId":"r","messages":[{"id":"m","role":"user","content":"a"},{"id":"s.1.2.3","role":"assistant","content":"b"}]}`:                http.StatusNotFound,
		`{"threadId":"t","runId":"r","messages":` + user + `,"resume":{}}`:                                                                                  http.StatusBadRequest,
		`{"threadId":"t","runId":"r","messages":` + user + `,"resume":[{"interruptId":"a","status":"resolved"}]}`:                                           http.StatusBadRequest,
		`{"threadId":"t","runId":"r","messages":` + user + `,"resume":[{"interruptId":"a","status":"resolved","payload":{"approved":"yes"}}]}`:              http.StatusBadRequest,
		`{"threadId":"t","runId":"r","messages":` + user + `,"resume":[{"interruptId":"a","status":"resolved","payload":{"approved":true,"x":1}}]}`:         http.StatusBadRequest,
		`{"threadId":"t","runId":"r","messages":` + user + `,"resume":[{"interruptId":"a","status":"x"}]}`:                                                  http.StatusBadRequest,
		`{"threadId":"t","runId":"r","messages":` + user + `,"resume":[{"interruptId":"a","status":"cancelled"},{"interruptId":"a","status":"cancelled"}]}`: http.StatusBadRequest,
		`{"threadId":"t","runId":"r","messages":` + user + `,"state":"` + strings.Repeat("x", 64<<10) + `"}`:                                                http.StatusRequestEntityTooLarge,
	} {
		res := s.post(t, body)
		assert.Equal(t, status, res.StatusCode, "%.200s", body)
	}
	for _, thread := range []string{strings.Repeat("é", 256), "../\u0000", " "} {
		raw, err := json.Marshal(thread)
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, s.post(t, `{"threadId":`+string(raw)+`,"runId":`+string(raw)+`,"messages":`+user+`,"tools":[{"name":"f"}],"context":[1],"unknown":1}`).StatusCode)
	}
	res, err := http.Get(s.url)
	require.NoError(t, err)
	_ = res.Body.Close()
	assert.Equal(t, http.StatusMethodNotAllowed, res.StatusCode)
	res, err = http.Post(s.url, "text/plain", strings.NewReader(ask("r1", "Hello")))
	require.NoError(t, err)
	_ = res.Body.Close()
	assert.Equal(t, http.StatusUnsupportedMediaType, res.StatusCode)
	res, err = http.Post(s.url, "application/json", strings.NewReader(ask("r1", "Hello")))
	require.NoError(t, err)
	_ = res.Body.Close()
	assert.Equal(t, http.StatusNotFound, res.StatusCode, "without a user")
}

func TestNewRejectsInvalidArguments(t *testing.T) {
	t.Parallel()
	_, err := agui.New(nil, nil)
	require.ErrorIs(t, err, agui.ErrInvalid)
	_, err = agui.New((&service{}).open, &agui.Options{MaxBody: -1})
	require.ErrorIs(t, err, agui.ErrInvalid)
}

// expired is a Chat whose run waits for requests that have expired.
type expired struct{ agui.Chat }

func (expired) Waiting(context.Context) ([]string, bool, error) { return nil, true, nil }
func (expired) Decide(context.Context, string, ...agent.Decision) (string, error) {
	return "", errors.Join(agent.ErrNotWaiting)
}

func TestExpiredInterruptsCanBeCancelled(t *testing.T) {
	t.Parallel()
	h, err := agui.New(func(*http.Request, string) (agui.Chat, error) { return expired{}, nil }, nil)
	require.NoError(t, err)
	for status, want := range map[string]string{`"cancelled"`: "RUN_FINISHED", `"resolved","payload":{"approved":true}`: "RUN_ERROR"} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/",
			strings.NewReader(`{"threadId":"t","runId":"r","messages":[],"resume":[{"interruptId":"a","status":`+status+`}]}`))
		r.Header.Set("Content-Type", "application/json")
		h.ServeHTTP(w, r)
		frames := readFrames(t, w.Result())
		assert.Equal(t, []string{"RUN_STARTED", want}, typesOf(frames))
	}
}
