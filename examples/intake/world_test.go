package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/sample"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/presign/presigntest"
	"github.com/carrel-go/carrel/sse"
)

// programEnv makes the test's binary the program itself, so that there is one to kill and to measure.
const programEnv = "INTAKE_PROGRAM"

func TestMain(m *testing.M) {
	presigntest.Main()
	if os.Getenv(programEnv) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// site is a running program and a person who uses it.
type site struct {
	t     *testing.T
	url   string
	pid   int
	token string
}

// begin runs the program as a separate process.
func begin(t *testing.T, dir string, more ...string) (s *site, kill func(os.Signal)) {
	t.Helper()
	args := []string{"-addr", "127.0.0.1:0", "-data", dir}
	c := exec.CommandContext(context.Background(), os.Args[0])
	c.Env, c.Stderr = append(os.Environ(), programEnv+"=1"), t.Output()
	for _, m := range more { // variables of the environment, and flags
		if strings.HasPrefix(m, "AWS_") {
			c.Env = append(c.Env, m)
		} else {
			args = append(args, m)
		}
	}
	c.Args = append(c.Args, args...)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	ended := false
	kill = func(sig os.Signal) {
		if !ended {
			ended = true
			require.NoError(t, c.Process.Signal(sig))
			_ = c.Wait()
		}
	}
	t.Cleanup(func() { kill(syscall.SIGKILL) })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	where := regexp.MustCompile(`http://\S+`).FindString(line)
	require.NotEmpty(t, where, line)
	return &site{t: t, url: where, pid: c.Process.Pid}, kill
}

// as returns the site for another person.
func (s *site) as(tenant, user string, roles ...string) *site {
	s.t.Helper()
	other := *s
	_, out := s.post("/api/dev/token", map[string]any{"tenant": tenant, "user": user, "roles": roles})
	other.token, _ = out["token"].(string)
	require.NotEmpty(s.t, other.token, out)
	return &other
}

func (s *site) send(req *http.Request) *http.Response {
	s.t.Helper()
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	return res
}

func (s *site) request(method, path string, body any) (int, map[string]any) {
	s.t.Helper()
	raw, err := json.Marshal(body)
	require.NoError(s.t, err)
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, bytes.NewReader(raw))
	require.NoError(s.t, err)
	req.Header.Set("Content-Type", "application/json")
	res := s.send(req)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	out := map[string]any{}
	require.NoError(s.t, json.Unmarshal(text, &out), "%s %s: %s", method, path, text)
	return res.StatusCode, out
}

func (s *site) post(path string, body any) (int, map[string]any) {
	return s.request(http.MethodPost, path, body)
}

func (s *site) get(path string) (int, map[string]any) {
	return s.request(http.MethodGet, path, map[string]any{})
}

// decode converts a decoded JSON value.
func decode[T any](t *testing.T, v any) (out T) {
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &out))
	return out
}

// put sends bytes as a grant requires, and returns the ETag.
func (s *site) put(g presign.Grant, content []byte) string {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), g.Method, g.URL, bytes.NewReader(content))
	require.NoError(s.t, err)
	for name, value := range g.Headers {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	require.Equal(s.t, http.StatusOK, res.StatusCode, string(text))
	return res.Header.Get("ETag")
}

// upload sends a file of at most one piece.
func (s *site) upload(name string, content []byte) (id string) {
	s.t.Helper()
	status, out := s.post("/api/uploads", map[string]any{"name": name, "size": len(content), "type": "text/csv"})
	require.Equal(s.t, http.StatusOK, status, out)
	s.put(decode[presign.Grant](s.t, out["grant"]), content)
	return out["id"].(string)
}

// uploadParts sends a file that is read from r in parts.
func (s *site) uploadParts(name string, size int64, r io.Reader) (id string) {
	s.t.Helper()
	status, out := s.post("/api/uploads", map[string]any{"name": name, "size": size})
	require.Equal(s.t, http.StatusOK, status, out)
	id = out["id"].(string)
	each := int64(out["part_size"].(float64))
	var etags []string
	buffer := make([]byte, each)
	for n := 1; n <= int(out["parts"].(float64)); n++ {
		status, grant := s.post(fmt.Sprintf("/api/uploads/%s/parts/%d", id, n), map[string]any{})
		require.Equal(s.t, http.StatusOK, status, grant)
		part := buffer[:min(each, size-int64(n-1)*each)]
		_, err := io.ReadFull(r, part)
		require.NoError(s.t, err)
		etags = append(etags, s.put(decode[presign.Grant](s.t, grant), part))
	}
	for range 2 { // it may be repeated
		status, out = s.post("/api/uploads/"+id+"/complete", map[string]any{"etags": etags})
		require.Equal(s.t, http.StatusOK, status, out)
	}
	return id
}

// event is an event of a run.
type event struct {
	id   string
	at   time.Duration // since the request
	Type string
	Name string
	sse  sse.Event

	Delta, Outcome, Code, Message string
	IsError                       bool `json:"is_error"`
}

// chat sends a message and returns the id of the run and its events, up to the last one or until enough returns true.
func (s *site) chat(body map[string]any, enough func([]event) bool) (run string, events []event) {
	s.t.Helper()
	raw, err := json.Marshal(body)
	require.NoError(s.t, err)
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/api/chat", bytes.NewReader(raw))
	require.NoError(s.t, err)
	req.Header.Set("Content-Type", "application/json")
	began := time.Now()
	res := s.send(req)
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(res.Body)
		s.t.Fatalf("%d %s", res.StatusCode, text)
	}
	run = strings.TrimSuffix(strings.TrimPrefix(res.Header.Get("Location"), "/api/runs/"), "/events")
	for e, err := range sse.Decode(res.Body, 1<<20) {
		if err != nil && errors.Is(err, context.Canceled) {
			break
		}
		require.NoError(s.t, err)
		events = append(events, s.parse(e, time.Since(began)))
		if enough != nil && enough(events) {
			break
		}
	}
	return run, events
}

func (s *site) parse(e sse.Event, at time.Duration) event {
	ev := event{id: e.ID, at: at, sse: e}
	require.NoError(s.t, json.Unmarshal(e.Data, &ev))
	return ev
}

// follow returns the events of a run after the one with that id.
func (s *site) follow(run, after string) (events []event) { return s.followUntil(run, after, nil) }

// followUntil is follow, but returns as soon as enough returns true.
func (s *site) followUntil(run, after string, enough func([]event) bool) (events []event) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/api/runs/"+run+"/events", nil)
	require.NoError(s.t, err)
	req.Header.Set("Last-Event-ID", after)
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	isTerminal := func(e sse.Event) bool {
		kind := s.parse(e, 0).Type
		return kind == "finished" || kind == "failed"
	}
	for e, err := range sse.Follow(req, &sse.FollowOptions{Terminal: isTerminal}) {
		require.NoError(s.t, err)
		events = append(events, s.parse(e, 0))
		if enough != nil && enough(events) {
			break
		}
	}
	return events
}

// textOf returns the text of a run's events, without what was taken back.
func textOf(events []event) string {
	var b strings.Builder
	for _, e := range live(events) {
		if e.Type == "text_delta" {
			b.WriteString(e.Delta)
		}
	}
	return b.String()
}

// live returns the events that were not taken back.
func live(events []event) (list []event) {
	for _, e := range events {
		if e.Type != "retract" {
			list = append(list, e)
			continue
		}
		var after struct{ After string }
		_ = json.Unmarshal(e.sse.Data, &after)
		for len(list) > 0 && list[len(list)-1].id > after.After {
			list = list[:len(list)-1]
		}
	}
	return list
}

// takeIn uploads a generated file and takes it in.
func (s *site) takeIn(name string, content []byte) (id, text string) {
	s.t.Helper()
	id = s.upload(name, content)
	_, events := s.chat(map[string]any{"file_id": id}, nil)
	require.Equal(s.t, "finished", events[len(events)-1].Type)
	return id, textOf(events)
}

func generate(t *testing.T, o sample.Options) ([]byte, sample.Counts) {
	t.Helper()
	var b bytes.Buffer
	counts, err := sample.Write(&b, &o)
	require.NoError(t, err)
	return b.Bytes(), counts
}
