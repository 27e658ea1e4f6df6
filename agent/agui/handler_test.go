package agui_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agui"
	"github.com/carrel-go/carrel/scope"
)

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
	const hello = `{"id":"m","role":"user","content":"Hello"}`
	with := func(messages, rest string) string {
		return `{"threadId":"t","runId":"r","messages":[` + messages + `]` + rest + `}`
	}
	resume := func(answers string) string { return with(hello, `,"resume":[`+answers+`]`) }
	long := strings.Repeat("x", 64<<10)
	for body, status := range map[string]int{
		``:   http.StatusBadRequest,
		`[]`: http.StatusBadRequest,
		`{"threadId":"t","threadId":"u","runId":"r","messages":[` + hello + `]}`:                    http.StatusBadRequest,
		`{"threadId":"","runId":"r","messages":[` + hello + `]}`:                                    http.StatusBadRequest,
		`{"threadId":5,"runId":"r","messages":[` + hello + `]}`:                                     http.StatusBadRequest,
		strings.Replace(with(hello, ""), `"r"`, `"`+long[:257]+`"`, 1):                              http.StatusBadRequest,
		`{"threadId":"t","runId":"r"}`:                                                              http.StatusBadRequest,
		with("", ""):                                                                                http.StatusBadRequest,
		with("5", ""):                                                                               http.StatusBadRequest,
		with(`{"id":"m","role":"user","content":" "}`, ""):                                          http.StatusBadRequest,
		with(`{"id":"m","role":"user","content":[{"type":"image"}]}`, ""):                           http.StatusBadRequest,
		with(hello+`,{"id":"x","role":"tool","content":"b"}`, ""):                                   http.StatusBadRequest,
		with(hello+`,{"id":"s.1.2.3","role":"assistant"}`, ""):                                      http.StatusNotFound,
		with(hello, `,"resume":{}`):                                                                 http.StatusBadRequest,
		resume(`{"interruptId":"a","status":"resolved"}`):                                           http.StatusBadRequest,
		resume(`{"interruptId":"a","status":"x"}`):                                                  http.StatusBadRequest,
		resume(`{"interruptId":"a","status":"resolved","payload":{"approved":"yes"}}`):              http.StatusBadRequest,
		resume(`{"interruptId":"a","status":"resolved","payload":{"approved":true,"x":1}}`):         http.StatusBadRequest,
		resume(`{"interruptId":"a","status":"cancelled"},{"interruptId":"a","status":"cancelled"}`): http.StatusBadRequest,
		with(hello, `,"state":"`+long+`"`):                                                          http.StatusRequestEntityTooLarge,
	} {
		res := s.post(t, body)
		assert.Equal(t, status, res.StatusCode, "%.200s", body)
	}
}

func TestRequestsOfOtherKindsAreRejected(t *testing.T) {
	t.Parallel()
	s := newService(t)
	status := func(res *http.Response, err error) int {
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	assert.Equal(t, http.StatusMethodNotAllowed, status(http.Get(s.url)))
	hello := ask("r1", "Hello")
	assert.Equal(t, http.StatusUnsupportedMediaType, status(http.Post(s.url, "text/plain", strings.NewReader(hello))))
	assert.Equal(t, http.StatusNotFound, status(http.Post(s.url, "application/json", strings.NewReader(hello))), "without a user")
}

func TestAnyThreadAndOtherMembersAreAccepted(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for _, thread := range []string{strings.Repeat("é", 256), "../\u0000", " "} {
		id, err := json.Marshal(thread)
		require.NoError(t, err)
		frames := s.run(t, fmt.Sprintf(`{"threadId":%s,"runId":%s,"messages":[{"id":"m","role":"user","content":"Hello"}],
			"tools":[{"name":"f"}],"context":[1],"state":{"a":1},"forwardedProps":1,"unknown":1}`, id, id))
		assert.Equal(t, "You said: Hello", textOf(frames))
	}
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
