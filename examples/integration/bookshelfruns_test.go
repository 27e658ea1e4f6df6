package integration_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/presign/presigntest"
	"github.com/carrel-go/carrel/sse"
)

// startProcess starts one more process of the program, on the shelf's table and buckets. It returns the process's address.
func (s *shelf) startProcess(env []string) (url string, kill func()) {
	s.t.Helper()
	c := s.newCommand(context.Background(), env, "-data", s.t.TempDir(), "-lease", "2s")
	c.Stderr = s.t.Output()
	out, err := c.StdoutPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, c.Start())
	isKilled := false
	kill = func() {
		if !isKilled {
			isKilled = true
			require.NoError(s.t, c.Process.Signal(syscall.SIGKILL))
			_ = c.Wait()
		}
	}
	s.t.Cleanup(kill)
	line, _ := bufio.NewReader(out).ReadString('\n')
	url = regexp.MustCompile(`http://\S+`).FindString(line)
	require.NotEmpty(s.t, url, line)
	return url, kill
}

// uploadSample uploads a sample cover through the process at s.url.
func (s *shelf) uploadSample() (session string) {
	s.t.Helper()
	sample := s.requestJSON(http.MethodGet, "/samples", nil)["samples"].([]any)[0].(map[string]any)
	_, cover := s.sendRequest(http.MethodGet, sample["url"].(string), nil, nil)
	grant := s.requestJSON(http.MethodGet, "/api/upload/presigned?"+url.Values{"filename": {"cover.png"}}.Encode(), nil)
	header := http.Header{}
	for name, value := range grant["headers"].(map[string]any) {
		header.Set(name, value.(string))
	}
	status, answer := s.sendRequest(grant["method"].(string), grant["url"].(string), cover, header)
	require.Equal(s.t, http.StatusOK, status, string(answer))
	return grant["session_id"].(string)
}

// startRun starts a run through the process at this address and returns its id.
func (s *shelf) startRun(url, session, key string) (run string) {
	s.t.Helper()
	body := strings.NewReader(`{"session_id":"` + session + `"}`)
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, url+"/api/metadata/extract", body)
	require.NoError(s.t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", key)
	res, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer res.Body.Close()
	require.Equal(s.t, http.StatusOK, res.StatusCode)
	return strings.TrimSuffix(strings.TrimPrefix(res.Header.Get("Location"), "/api/runs/"), "/events")
}

// followRun returns the events of a run from the process at this address, after the event with that id, until the last one
// or until enough returns true.
func (s *shelf) followRun(url, run, after string, enough func(kind string) bool) (events []sse.Event) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/runs/"+run+"/events", nil)
	require.NoError(s.t, err)
	req.Header.Set("Last-Event-ID", after)
	isLast := func(e sse.Event) bool { return kindOf(e) == "complete" || kindOf(e) == "error" }
	for e, err := range sse.Follow(req, &sse.FollowOptions{Terminal: isLast}) {
		require.NoError(s.t, err)
		if events = append(events, e); enough != nil && enough(kindOf(e)) {
			break
		}
	}
	require.NotEmpty(s.t, events)
	return events
}

func kindOf(e sse.Event) string {
	var v struct{ Type string }
	_ = json.Unmarshal(e.Data, &v)
	return v.Type
}

// Two processes that share a table and a bucket serve the same runs: each follows and stops what the other executes, and
// takes it over if the other is killed.
func TestBookshelfRunsInTwoProcesses(t *testing.T) {
	needDynamoDB(t)
	s := newShelf(t)
	env := s.buildEnv()
	if servers.S3 == nil {
		store, err := presigntest.Start(t.Context(), filepath.Join(t.TempDir(), "s3"), &presigntest.Options{AccessKey: "id", SecretKey: "a long secret"})
		require.NoError(t, err)
		t.Cleanup(func() { _ = store.Close() })
		env = append(env, "AWS_ENDPOINT_URL_S3="+store.Endpoint(), "AWS_ACCESS_KEY_ID=id", "AWS_SECRET_ACCESS_KEY=a long secret", "AWS_SESSION_TOKEN=")
	}
	first, killFirst := s.startProcess(env)
	second, _ := s.startProcess(env)
	s.url = first

	session := s.uploadSample()
	run := s.startRun(first, session, "k1")
	require.Equal(t, run, s.startRun(second, session, "k1"), "a repeated request may meet another process")
	before := s.followRun(second, run, "", func(kind string) bool { return kind == "tool_call" })
	require.Equal(t, "tool_call", kindOf(before[len(before)-1]), "the run has not ended")
	killFirst()
	after := s.followRun(second, run, before[len(before)-1].ID, nil)
	require.Equal(t, "complete", kindOf(after[len(after)-1]))
	require.Equal(t, append(before, after...), s.followRun(second, run, "", nil))
	isRetraction := func(e sse.Event) bool { return kindOf(e) == "retract" }
	require.True(t, slices.ContainsFunc(after, isRetraction), "another process has begun it")

	third, _ := s.startProcess(env)
	s.url = third
	run = s.startRun(second, s.uploadSample(), "k2")
	status, answer := s.sendRequest(http.MethodPost, "/api/runs/"+run+"/stop", map[string]any{}, nil)
	require.Equal(t, http.StatusOK, status, string(answer))
	stopped := s.followRun(second, run, "", nil)
	require.Equal(t, stopped, s.followRun(third, run, "", nil))
	require.Contains(t, string(stopped[len(stopped)-1].Data), `"code":"stopped"`)
}
