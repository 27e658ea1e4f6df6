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
)

// slowOCR takes a time that grows with the size of the image after compression, so noise takes longest, as with
// tesseract.
const slowOCR = `#!/bin/sh
n=$(wc -c)
i=0
while [ $i -lt $((n / 2)) ]; do i=$((i + 1)); done
`

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

// timeRuns returns how long each of three runs takes, from the request to its last event.
func (s *shelf) timeRuns(photo []byte) (times []time.Duration) {
	s.t.Helper()
	for range 3 {
		session := s.upload("cover.png", "image/png", photo)
		began := time.Now()
		events, _ := s.extract(session, "")
		times = append(times, time.Since(began))
		require.Equal(s.t, "complete", last(events)["type"], last(events))
	}
	return times
}

// One user starts 50 runs with images full of noise, more than may run or wait. The runs of another tenant take hardly
// longer than alone. The queue drains.
func TestNoiseDoesNotDelayAnotherTenant(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs a Unix shell")
	}
	runs, limits := 50, []string{"-user-runs", "8", "-queue", "40"}
	if testing.Short() {
		runs, limits = 14, []string{"-user-runs", "8", "-queue", "4"}
	}
	bin := t.TempDir()
	syscall.ForkLock.RLock() // no process that starts now inherits the open file
	err := os.WriteFile(filepath.Join(bin, "tesseract"), []byte(slowOCR), 0o755)
	syscall.ForkLock.RUnlock()
	require.NoError(t, err)
	s, kill := child(t, t.TempDir(), map[string]string{"PATH": bin + ":" + os.Getenv("PATH")}, limits...)
	noisy, quiet := s.forUser("acme", "ann"), s.forUser("globex", "bob")
	photo := drawn(t, cover.Samples()[0], nil)
	alone := quiet.timeRuns(photo)

	noise := phototest.Noise(1500, 1500, 1)
	sessions := make([]string, runs)
	for i := range sessions {
		session, put := noisy.granted("noise.png")
		require.Equal(t, http.StatusOK, put(noise))
		sessions[i] = session
	}
	began := time.Now()
	refused, wait := noisy.tryAll(sessions)
	require.NotEmpty(t, refused, "the queue has been full")
	crowded := quiet.timeRuns(photo)
	_, counts := noisy.json("GET", "/api/ops/counts", nil)
	require.Positive(t, counts["active"], "the noise was there all the time")
	t.Logf("a run takes %v alone, and %v with the noise of another tenant; %d of %d runs come back after %v",
		alone, crowded, len(refused), runs, wait)
	require.Less(t, slices.Min(crowded), slices.Max(alone)*2, "most runs do not wait")
	require.Less(t, slices.Max(crowded), slices.Max(alone)*5/2+time.Second, "and none waits long")

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
