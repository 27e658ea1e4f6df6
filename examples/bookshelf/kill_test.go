package main

import (
	"bufio"
	"bytes"
	"context"
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

// A process that is killed in the middle of a run leaves a stage that it seems to be at work on. The next one knows
// better before it answers anybody: the file's lock was free.
func TestAKilledProcess(t *testing.T) {
	dir := t.TempDir()
	s, kill := child(t, dir, behind(t, bedrocktest.NewScript(bedrocktest.Reply(bedrocktest.Text("thinking"), bedrocktest.Stall()))))
	session := s.upload("cover.png", "image/png", drawn(t, cover.Samples()[0], nil))
	waiting, _ := s.granted("later.png")

	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/api/metadata/extract", strings.NewReader(`{"session_id":"`+session+`"}`))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	told := make([]byte, 0, 4096)
	for !bytes.Contains(told, []byte("thinking")) {
		n, err := res.Body.Read(told[len(told):cap(told)])
		require.NoError(t, err, "%s", told)
		told = told[:len(told)+n]
	}
	require.Equal(t, "in_progress", stage(s.file(session), "enrichment")["status"])
	status, problem := s.json("POST", "/api/metadata/extract", map[string]any{"session_id": session})
	require.Equal(t, http.StatusConflict, status, problem)
	kill(syscall.SIGKILL)

	s, kill = child(t, dir, nil)
	file := s.file(session)
	require.Equal(t, "FAILED", file["current_status"])
	require.Equal(t, "lost", file["reason"])
	require.Equal(t, true, file["retryable"])
	require.Equal(t, "success", stage(file, "user_upload")["status"])
	require.Equal(t, "failed", stage(file, "enrichment")["status"])
	require.Contains(t, stage(file, "enrichment")["error_message"], "interrupted")
	require.Equal(t, "IN_PROGRESS", s.file(waiting)["current_status"], "what only waits is not lost")
	_, counts := s.json("GET", "/api/ops/counts", nil)
	require.Equal(t, map[string]any{"all": 2.0, "active": 1.0, "waiting": 0.0, "failed": 1.0, "success": 0.0, "capped": false}, counts)

	began := time.Now()
	events, _ := s.extract(session, "")
	require.Less(t, time.Since(began), 20*time.Second, "no lease is waited for")
	require.Equal(t, "complete", last(events)["type"])
	file = s.file(session)
	require.InDelta(t, 2, stage(file, "enrichment")["attempt"], 0)
	meta := last(events)["metadata"]
	status, accepted := s.json("POST", "/api/metadata/accept", map[string]any{"session_id": session, "metadata": meta})
	require.Equal(t, http.StatusOK, status, accepted)
	kill(syscall.SIGTERM)
}
