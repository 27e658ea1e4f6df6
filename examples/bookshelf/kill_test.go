package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
	"github.com/carrel-go/carrel/presign/presigntest"
	"github.com/carrel-go/carrel/sse"
)

// programEnv makes the test's binary the program itself, so that there is one to kill.
const programEnv = "BOOKSHELF_PROGRAM"

func TestMain(m *testing.M) {
	presigntest.Main()
	if os.Getenv(programEnv) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// child runs the program as a separate process.
func child(t *testing.T, dir string, env map[string]string, args ...string) (s *shelf, kill func(os.Signal)) {
	t.Helper()
	c := exec.CommandContext(context.Background(), os.Args[0], append([]string{"-addr", "127.0.0.1:0", "-data", dir}, args...)...)
	c.Env, c.Stderr = append(os.Environ(), programEnv+"=1"), t.Output()
	for k, v := range env {
		c.Env = append(c.Env, k+"="+v)
	}
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
	return &shelf{t: t, url: where, dir: dir, process: c}, kill
}

// follow returns the events of a run after the one with that id, up to the last event or until enough returns true. The
// server may break the stream.
func (s *shelf) follow(run, after string, enough func([]sse.Event) bool) (events []sse.Event) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/api/runs/"+run+"/events", nil)
	require.NoError(s.t, err)
	req.Header.Set("Last-Event-ID", after)
	if s.token != "" {
		req.Header.Set("Authorization", s.token)
	}
	for e, err := range sse.Follow(req, &sse.FollowOptions{Terminal: isTerminal}) {
		require.NoError(s.t, err)
		if events = append(events, e); enough != nil && enough(events) {
			break
		}
	}
	return events
}

func isTerminal(e sse.Event) bool {
	kind := kindOf(e)
	return kind == "complete" || kind == "error"
}

func kindOf(e sse.Event) string {
	var v struct{ Type string }
	_ = json.Unmarshal(e.Data, &v)
	return v.Type
}

// begin starts a run and returns its id without waiting for it.
func (s *shelf) begin(session string) (run string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/api/metadata/extract", strings.NewReader(`{"session_id":"`+session+`"}`))
	require.NoError(s.t, err)
	req.Header.Set("Content-Type", "application/json")
	if s.token != "" {
		req.Header.Set("Authorization", s.token)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer res.Body.Close()
	require.Equal(s.t, http.StatusOK, res.StatusCode)
	run = strings.TrimSuffix(strings.TrimPrefix(res.Header.Get("Location"), "/api/runs/"), "/events")
	require.Equal(s.t, session+".1", run)
	return run
}

// The next process takes over the run of a killed one at once, since the file's lock was free, and the client's stream
// continues.
func TestAKilledProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stalled := bedrocktest.NewScript(bedrocktest.Reply(bedrocktest.Text("thinking"), bedrocktest.Stall()))
	const lease = 4 * time.Minute
	s, kill := child(t, dir, behind(t, stalled), "-lease", lease.String())
	session := s.upload("cover.png", "image/png", drawn(t, cover.Samples()[0], nil))
	waiting, _ := s.granted("later.png")
	run := s.begin(session)
	before := s.follow(run, "", func(events []sse.Event) bool { return strings.Contains(string(events[len(events)-1].Data), "thinking") })
	require.Equal(t, "in_progress", stage(s.file(session), "enrichment")["status"])
	status, problem := s.json("POST", "/api/metadata/extract", map[string]any{"session_id": session})
	require.Equal(t, http.StatusConflict, status, problem)
	kill(syscall.SIGKILL)

	s, kill = child(t, dir, nil, "-lease", lease.String())
	began := time.Now()
	cursor := before[len(before)-1].ID
	after := s.follow(run, cursor, nil)
	require.Less(t, time.Since(began), lease/2, "no lease is waited for")
	require.JSONEq(t, `{"type":"retract","after":""}`, string(after[0].Data))
	require.Equal(t, append(before, after...), s.follow(run, "", nil))
	var end struct {
		Type     string
		Metadata map[string]any
	}
	require.NoError(t, json.Unmarshal(after[len(after)-1].Data, &end))
	require.Equal(t, "complete", end.Type)
	file := s.file(session)
	require.InDelta(t, 1, stage(file, "enrichment")["attempt"], 0)
	require.Equal(t, "IN_PROGRESS", s.file(waiting)["current_status"])
	_, counts := s.json("GET", "/api/ops/counts", nil)
	require.Equal(t, map[string]any{"all": 2.0, "active": 1.0, "waiting": 1.0, "failed": 0.0, "success": 0.0, "capped": false}, counts)
	status, accepted := s.json("POST", "/api/metadata/accept", map[string]any{"session_id": session, "metadata": end.Metadata})
	require.Equal(t, http.StatusOK, status, accepted)
	kill(syscall.SIGTERM)
}
