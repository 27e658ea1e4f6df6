package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/photo/phototest"
)

// ask asks for a grant and returns the status, the Retry-After and the answer.
func (s *shelf) ask(q url.Values) (int, string, map[string]any) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+"/api/upload/presigned?"+q.Encode(), nil)
	require.NoError(s.t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	var answer map[string]any
	require.NoError(s.t, json.Unmarshal(body, &answer), "%s", body)
	return res.StatusCode, res.Header.Get("Retry-After"), answer
}

// A user holds as many open grants as allowed. An upload that arrives closes its grant, a restart does not.
func TestOpenGrants(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, kill := child(t, dir, nil, "-grants", "2")
	_, put := s.granted("first.png")
	s.granted("second.png")
	q := url.Values{"filename": {"third.png"}}
	refused := func() {
		t.Helper()
		status, after, problem := s.ask(q)
		require.Equal(t, http.StatusTooManyRequests, status, problem)
		require.Contains(t, problem["detail"], "at most 2 at a time")
		seconds, err := strconv.Atoi(after)
		require.NoError(t, err)
		require.Positive(t, seconds)
		require.LessOrEqual(t, seconds, 15*60)
	}
	refused()
	kill(syscall.SIGKILL)
	s, _ = child(t, dir, nil, "-grants", "2")
	refused()
	require.Equal(t, http.StatusOK, put([]byte("x")), "the grant has outlived the restart")
	require.Eventually(t, func() bool {
		status, _, _ := s.ask(q)
		return status == http.StatusOK
	}, time.Minute, 10*time.Millisecond, "what has arrived makes room")
	refused()
	status, token := s.json("POST", "/api/dev/token", map[string]any{"tenant": "demo", "user": "ann"})
	require.Equal(t, http.StatusOK, status, token)
	status, answer := s.do("GET", s.url+"/api/upload/presigned?filename=x.png", "", nil, map[string]string{"Authorization": "Bearer " + token["token"].(string)})
	require.Equal(t, http.StatusOK, status, "another user is not affected: %s", answer)
}

// The announced size and content are pinned: S3 rejects any other.
func TestAnnouncedUpload(t *testing.T) {
	s, _ := impatient(t, "", func(c *config) { c.grant, c.grace, c.sweep = time.Minute, time.Minute, time.Hour })
	photo := drawn(t, cover.Samples()[0], nil)
	sum := sha256.Sum256(photo)
	_, _, grant := s.ask(url.Values{
		"filename": {"cover.png"}, "size": {strconv.Itoa(len(photo))}, "sha256": {base64.StdEncoding.EncodeToString(sum[:])},
	})
	header := map[string]string{}
	for k, v := range grant["headers"].(map[string]any) {
		header[k] = v.(string)
	}
	other := append([]byte{'x'}, photo[1:]...)
	for _, body := range [][]byte{photo[1:], other, append([]byte{'x'}, photo...)} {
		status, answer := s.do("PUT", grant["url"].(string), "", body, header)
		require.Contains(t, []int{http.StatusBadRequest, http.StatusForbidden}, status, answer)
	}
	session := grant["session_id"].(string)
	require.False(t, arrived(s.file(session)))
	status, answer := s.do("PUT", grant["url"].(string), "", photo, header)
	require.Equal(t, http.StatusOK, status, answer)
	s.becomes(session, arrived)
	events, _ := s.extract(session, "")
	require.Equal(t, "complete", last(events)["type"])
}

// Eight uploads that take more than 1 GB each to decode are rejected by their headers. The whole program stays
// below 600 MB.
func TestPeakMemory(t *testing.T) {
	if runtime.GOOS != "linux" || raceDetector {
		t.Skip("needs /proc, and the race detector takes memory as well")
	}
	t.Parallel()
	s, kill := child(t, t.TempDir(), nil)
	file := phototest.JPEG(8000, 6250, phototest.CMYK, true, 0)
	streams, errs := make([]string, 8), make([]error, 8)
	var wg sync.WaitGroup
	for i := range streams {
		session := s.upload("cover.jpg", "image/jpeg", file)
		wg.Go(func() {
			body := strings.NewReader(`{"session_id":"` + session + `"}`)
			res, err := http.Post(s.url+"/api/metadata/extract", "application/json", body)
			if errs[i] = err; err != nil {
				return
			}
			defer res.Body.Close()
			stream, err := io.ReadAll(res.Body)
			streams[i], errs[i] = string(stream), err
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	for _, stream := range streams {
		require.Contains(t, stream, "image_too_large")
		require.Contains(t, stream, "256 MB of memory")
	}
	peak := readPeakMemory(t, s.process.Process.Pid)
	kill(syscall.SIGTERM)
	t.Logf("%d MB", peak/1e6)
	require.Less(t, peak, int64(600e6))
}

// readPeakMemory returns the largest resident set of a process so far, in bytes. The one in the resource usage of a
// process that has ended includes that of the process which has started it.
func readPeakMemory(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	require.NotNil(t, found, "%s", status)
	kilobytes, err := strconv.ParseInt(string(found[1]), 10, 64)
	require.NoError(t, err)
	return kilobytes << 10
}
