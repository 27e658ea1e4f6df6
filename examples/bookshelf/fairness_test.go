package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/photo/phototest"
	"github.com/carrel-go/carrel/sse"
)

// writeSlowOCR writes a program in place of tesseract, whose time grows with the size of the image after compression, so
// noise takes longest, as with tesseract. It logs that size when it starts.
func writeSlowOCR(t *testing.T) (dir, log string) {
	t.Helper()
	dir = t.TempDir()
	log = filepath.Join(dir, "log")
	program := "#!/bin/sh\nn=$(wc -c)\necho $n >>" + log + "\ni=0\nwhile [ $i -lt $((n / 2)) ]; do i=$((i + 1)); done\n" +
		`printf '5\t1\t1\t1\t1\t1\t0\t0\t9\t9\t95\tALMANAC\n'` + "\n" // enough text, so that the photo is not turned
	syscall.ForkLock.RLock() // no process that starts now inherits the open file
	err := os.WriteFile(filepath.Join(dir, "tesseract"), []byte(program), 0o755)
	syscall.ForkLock.RUnlock()
	require.NoError(t, err)
	return dir, log
}

// readSizes returns the sizes of the images whose text has been read since the program was written, in order.
func readSizes(t *testing.T, log string) (sizes []int) {
	t.Helper()
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		n, err := strconv.Atoi(strings.TrimSpace(line))
		require.NoError(t, err)
		sizes = append(sizes, n)
	}
	return sizes
}

// tryAll starts a run of each session at the same time. It returns the sessions for which the queue was full, and how long
// to wait.
func (s *shelf) tryAll(sessions []string) (refused []string, wait time.Duration) {
	s.t.Helper()
	waits, errs := make([]time.Duration, len(sessions)), make([]error, len(sessions))
	var wg sync.WaitGroup
	for i, session := range sessions {
		wg.Go(func() { waits[i], errs[i] = s.tryExtract(session) })
	}
	wg.Wait()
	require.NoError(s.t, errors.Join(errs...))
	for i, after := range waits {
		if after > 0 {
			refused, wait = append(refused, sessions[i]), max(wait, after)
		}
	}
	return refused, wait
}

// tryExtract starts a run and returns without waiting for it. If the queue is full, it returns how long to wait.
func (s *shelf) tryExtract(session string) (time.Duration, error) {
	body := strings.NewReader(`{"session_id":"` + session + `"}`)
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/api/metadata/extract", body)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", s.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	seconds, err := strconv.Atoi(res.Header.Get("Retry-After"))
	switch {
	case res.StatusCode == http.StatusOK:
		return 0, nil
	case res.StatusCode != http.StatusTooManyRequests, err != nil, seconds < 1:
		return 0, fmt.Errorf("%s, Retry-After %q", res.Status, res.Header.Get("Retry-After"))
	}
	return time.Duration(seconds) * time.Second, nil
}

// timeRuns returns how long each of three runs takes, from the request to its last event. It calls before when a run has
// asked for the text of its photo.
func (s *shelf) timeRuns(photo []byte, before func()) (times []time.Duration) {
	s.t.Helper()
	for range 3 {
		session := s.upload("cover.png", "image/png", photo)
		began := time.Now()
		events := s.follow(s.begin(session), "", func(events []sse.Event) bool {
			if e := events[len(events)-1]; kindOf(e) == "tool_call" && strings.Contains(string(e.Data), `"read_cover"`) {
				before()
			}
			return false
		})
		times = append(times, time.Since(began))
		require.Equal(s.t, "complete", kindOf(events[len(events)-1]))
	}
	return times
}

// One user starts 50 runs with images full of noise, more than may run or wait. The runs of another tenant do not wait
// for them: although 16 runs of the user read their photos, only a few of them begin while the other tenant's run waits
// for its turn. The queue drains.
//
// CARREL_COSTS=1 states that the machine does nothing else. Then the times are compared as well.
func TestNoiseDoesNotDelayAnotherTenant(t *testing.T) {
	if runtime.GOOS == "windows" || raceDetector {
		t.Skip("needs a Unix shell, and minutes under the race detector, which package photo's tests of turns run under")
	}
	runs, limits := 50, []string{"-user-runs", "16", "-queue", "32"}
	if testing.Short() {
		runs, limits = 20, []string{"-user-runs", "16", "-queue", "2"}
	}
	bin, log := writeSlowOCR(t)
	env := map[string]string{"PATH": bin + ":" + os.Getenv("PATH"), "GOMAXPROCS": "2"}
	s, kill := child(t, t.TempDir(), env, limits...)
	noisy, quiet := s.forUser("acme", "ann"), s.forUser("globex", "bob")
	photo := drawn(t, cover.Samples()[0], nil)
	alone := quiet.timeRuns(photo, func() {})
	size := readSizes(t, log)[0]

	noise := phototest.Noise(800, 800, 1)
	sessions := make([]string, runs)
	for i := range sessions {
		session, put := noisy.granted("noise.png")
		require.Equal(t, http.StatusOK, put(noise))
		sessions[i] = session
	}
	began := time.Now()
	refused, wait := noisy.tryAll(sessions)
	require.NotEmpty(t, refused, "the queue has been full")
	var asked []int // how many photos had been read when the other tenant's run asked for its text
	crowded := quiet.timeRuns(photo, func() { asked = append(asked, len(readSizes(t, log))) })
	_, counts := noisy.json("GET", "/api/ops/counts", nil)
	require.Positive(t, counts["active"], "the noise was there all the time")
	sizes := readSizes(t, log)
	require.Len(t, asked, 3)
	for _, n := range asked {
		require.LessOrEqual(t, slices.Index(sizes[n:], size), 4, "%v after %d", sizes, n)
	}
	t.Logf("a run takes %v alone, and %v with the noise of another tenant; %d of %d runs come back after %v",
		alone, crowded, len(refused), runs, wait)
	if os.Getenv("CARREL_COSTS") == "1" {
		require.Less(t, slices.Min(crowded), slices.Max(alone)*2, "most runs do not wait")
		require.Less(t, slices.Max(crowded), slices.Max(alone)*5/2+time.Second, "and none waits long")
	}

	for len(refused) > 0 {
		time.Sleep(wait)
		refused, wait = noisy.tryAll(refused)
	}
	require.Eventually(t, func() bool {
		_, counts = noisy.json("GET", "/api/ops/counts", nil)
		return counts["waiting"] == float64(runs)
	}, 4*time.Minute, 100*time.Millisecond, "every run has ended")
	t.Logf("the queue was empty after %v", time.Since(began).Round(time.Second))
	kill(syscall.SIGTERM)
}
