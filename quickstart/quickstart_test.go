package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/presign/presigntest"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
)

// programEnv makes the test's binary the program, so that there is a process to kill.
const programEnv = "QUICKSTART_PROGRAM"

func TestMain(m *testing.M) {
	presigntest.Main()
	if os.Getenv(programEnv) != "" {
		main()
		return
	}
	m.Run()
}

// program is the running program.
type program struct {
	url  string
	kill func(os.Signal) // sends a signal and waits for the end
}

// start runs the program on a directory.
func start(t *testing.T, dir string) *program {
	t.Helper()
	c := exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0], "-addr", "127.0.0.1:0", "-data", dir)
	c.Env = append(os.Environ(), programEnv+"=1")
	stderr, err := c.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	ended := false
	p := &program{kill: func(sig os.Signal) {
		if !ended {
			ended = true
			require.NoError(t, c.Process.Signal(sig))
			_ = c.Wait()
		}
	}}
	t.Cleanup(func() { p.kill(syscall.SIGKILL) })
	lines := bufio.NewReader(stderr)
	line, err := lines.ReadString('\n')
	require.NoError(t, err)
	p.url = regexp.MustCompile(`http://[^\s"]+`).FindString(line)
	require.NotEmpty(t, p.url, line)
	go func() { _, _ = io.Copy(t.Output(), lines) }()
	return p
}

// client sends requests with the token of a user.
type client struct {
	t     *testing.T
	url   string
	token string
}

func (p *program) signIn(t *testing.T, tenant, user string) *client {
	t.Helper()
	c := &client{t: t, url: p.url}
	status, token := c.do(http.MethodGet, "/dev/token?tenant="+tenant+"&user="+user, nil)
	require.Equal(t, http.StatusOK, status, token)
	c.token = token
	return c
}

func (c *client) request(method, path string, form url.Values) *http.Request {
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(form.Encode()))
	require.NoError(c.t, err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	return req
}

func (c *client) do(method, path string, form url.Values) (int, string) {
	c.t.Helper()
	return c.send(c.request(method, path, form))
}

func (c *client) send(req *http.Request) (int, string) {
	c.t.Helper()
	res, err := http.DefaultClient.Do(req)
	require.NoError(c.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(c.t, err)
	return res.StatusCode, string(body)
}

// upload uploads a file and returns its session.
func (c *client) upload(name, content string) string {
	c.t.Helper()
	status, body := c.do(http.MethodPost, "/uploads", url.Values{
		"name": {name}, "type": {"text/plain"}, "size": {strconv.Itoa(len(content))},
	})
	require.Equal(c.t, http.StatusOK, status, body)
	var granted struct {
		Session string
		Grant   presign.Grant
	}
	require.NoError(c.t, json.Unmarshal([]byte(body), &granted))
	grant := granted.Grant
	req, err := http.NewRequestWithContext(c.t.Context(), grant.Method, grant.URL, strings.NewReader(content))
	require.NoError(c.t, err)
	for k, v := range grant.Headers {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(c.t, err)
	require.NoError(c.t, res.Body.Close())
	require.Equal(c.t, http.StatusOK, res.StatusCode)
	return granted.Session
}

// ask starts a run about a file. It returns the status, and the run's id if that is 200.
func (c *client) ask(session, name string) (int, string) {
	c.t.Helper()
	form := url.Values{"session": {session}, "name": {name}, "prompt": {"What does it say?"}}
	status, body := c.do(http.MethodPost, "/runs", form)
	var started struct{ Run string }
	if status == http.StatusOK {
		require.NoError(c.t, json.Unmarshal([]byte(body), &started))
	}
	return status, started.Run
}

// follow returns the events of a run after the last one of seen, until enough returns true for the last one.
func (c *client) follow(run string, seen []replay.Event, enough func(event) bool) []replay.Event {
	c.t.Helper()
	req := c.request(http.MethodGet, "/runs/"+run+"/events", nil)
	if len(seen) > 0 {
		req.Header.Set("Last-Event-ID", seen[len(seen)-1].ID)
	}
	var events []replay.Event
	isEnough := func(e sse.Event) bool { return enough(parse(c.t, e.Data)) }
	for e, err := range sse.Follow(req, &sse.FollowOptions{Terminal: isEnough}) {
		require.NoError(c.t, err)
		events = append(events, replay.Event{ID: e.ID, Data: e.Data})
	}
	return events
}

// event has the members of all types of events that the tests look at.
type event struct{ Type, Delta, Name, Outcome string }

func parse(t *testing.T, data []byte) (e event) {
	require.NoError(t, json.Unmarshal(data, &e))
	return e
}

func hasFinished(e event) bool { return e.Type == "finished" || e.Type == "failed" }

// numbers returns the numbers from 1 to 60, each with this end.
func numbers(end string) string {
	var b strings.Builder
	for n := range 60 {
		b.WriteString(strconv.Itoa(n+1) + end)
	}
	return b.String()
}

func TestARunIsToldOnceAlthoughItsProcessIsKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := start(t, dir)
	ann := p.signIn(t, "acme", "ann")
	session := ann.upload("numbers.txt", numbers("\n"))
	status, run := ann.ask(session, "numbers.txt")
	require.Equal(t, http.StatusOK, status)
	told := ann.follow(run, nil, func(e event) bool { return strings.Contains(e.Delta, "5 ") })
	p.kill(syscall.SIGKILL)

	p = start(t, dir)
	ann = p.signIn(t, "acme", "ann")
	told = append(told, ann.follow(run, told, hasFinished)...)
	require.Equal(t, told, ann.follow(run, nil, hasFinished), "the client has the whole log")
	status, _ = ann.ask(session, "later.txt")
	require.Equal(t, http.StatusNotFound, status, "it has not been uploaded")

	kept, err := replay.Retract(told)
	require.NoError(t, err)
	require.Less(t, len(kept), len(told), "the process was killed within a turn")
	var text strings.Builder
	var calls, results []string
	for _, e := range kept {
		switch e := parse(t, e.Data); e.Type {
		case "text_delta":
			text.WriteString(e.Delta)
		case "tool_call":
			calls = append(calls, e.Name)
		case "tool_result":
			results = append(results, e.Name)
		}
	}
	require.Equal(t, "The file begins: "+numbers(" "), text.String())
	require.Equal(t, []string{"list_files", "read_chunk"}, calls)
	require.Equal(t, calls, results)
	require.Equal(t, event{Type: "finished", Outcome: "complete"}, parse(t, kept[len(kept)-1].Data))
	p.kill(syscall.SIGTERM)
}

func TestAnIdempotencyKeyBelongsToOneRequest(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir())
	ann := p.signIn(t, "acme", "ann")
	session := ann.upload("numbers.txt", numbers("\n"))
	ask := func(key, prompt string) (int, string) {
		form := url.Values{"session": {session}, "name": {"numbers.txt"}, "prompt": {prompt}}
		req := ann.request(http.MethodPost, "/runs", form)
		req.Header.Set("Idempotency-Key", key)
		return ann.send(req)
	}
	status, first := ask("k", "What does it say?")
	require.Equal(t, http.StatusOK, status, first)
	status, again := ask("k", "What does it say?")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, first, again)
	status, body := ask("k", "What else?")
	require.Equal(t, http.StatusUnprocessableEntity, status, body)
}

// A prompt of "<" takes six times as much in its stored form, which then does not fit an item of the table.
func TestAPromptThatDoesNotFitTheTableIsTooLarge(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir())
	ann := p.signIn(t, "acme", "ann")
	form := url.Values{"session": {ann.upload("numbers.txt", numbers("\n"))}, "name": {"numbers.txt"}}
	req := ann.request(http.MethodPost, "/runs", form)
	body := form.Encode() + "&prompt=" + strings.Repeat("<", 63_000)
	req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	status, answer := ann.send(req)
	require.Equal(t, http.StatusRequestEntityTooLarge, status, answer)
}

func TestOnlyTheUserOfARunReachesIt(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir())
	ann, bob, eve := p.signIn(t, "acme", "ann"), p.signIn(t, "acme", "bob"), p.signIn(t, "globex", "eve")
	session := ann.upload("numbers.txt", numbers("\n"))
	status, run := ann.ask(session, "numbers.txt")
	require.Equal(t, http.StatusOK, status)
	for _, c := range []*client{bob, eve} {
		status, _ = c.do(http.MethodGet, "/runs/"+run+"/events", nil)
		require.Equal(t, http.StatusNotFound, status)
		status, _ = c.do(http.MethodPost, "/runs/"+run+"/stop", nil)
		require.Equal(t, http.StatusNotFound, status)
		status, _ = c.ask(session, "numbers.txt")
		require.Equal(t, http.StatusNotFound, status)
	}
	anybody := &client{t: t, url: p.url}
	status, _ = anybody.do(http.MethodGet, "/runs/"+run+"/events", nil)
	require.Equal(t, http.StatusUnauthorized, status)

	status, _ = ann.ask(session, "numbers.txt")
	require.Equal(t, http.StatusConflict, status, "a session has one run at a time")
	status, body := ann.do(http.MethodPost, "/runs", url.Values{"session": {session}, "name": {"numbers.txt"}})
	require.Equal(t, http.StatusBadRequest, status, body)
	status, body = ann.do(http.MethodPost, "/runs/"+run+"/stop", nil)
	require.Equal(t, http.StatusOK, status, body)
	require.Regexp(t, `^{"run":"`+run+`","status":"(running|stopped)"}\s*$`, body)
	told := ann.follow(run, nil, hasFinished)
	require.Equal(t, event{Type: "finished", Outcome: "stopped"}, parse(t, told[len(told)-1].Data))
	_, body = ann.do(http.MethodPost, "/runs/"+run+"/stop", nil)
	require.JSONEq(t, `{"run":"`+run+`","status":"stopped"}`, body, "it has ended")
}
