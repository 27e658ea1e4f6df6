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

// Shell commands by which a program in place of tesseract reads noise. The size of the image is $n.
const (
	untilReleased = "while [ ! -e $(dirname $0)/released ]; do sleep 0.05; done"
	asLongAsLarge = "i=0; while [ $i -lt $((n / 2)) ]; do i=$((i + 1)); done"
)

// writeOCR writes a program in place of tesseract. It logs the size of each image when it starts to read it.
func writeOCR(t *testing.T, read string) (dir, log string) {
	t.Helper()
	dir = t.TempDir()
	log = filepath.Join(dir, "log")
	program := "#!/bin/sh\nn=$(wc -c)\necho $n >>" + log + "\n" + read + "\n" +
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

// timeRun returns how long a run takes, from the request to its last event.
func (s *shelf) timeRun(photo []byte) time.Duration {
	s.t.Helper()
	session := s.upload("cover.png", "image/png", photo)
	began := time.Now()
	events := s.follow(s.begin(session), "", nil)
	require.Equal(s.t, "complete", kindOf(events[len(events)-1]))
	return time.Since(began)
}

func (s *shelf) timeRuns(photo []byte) (times []time.Duration) {
	s.t.Helper()
	for range 3 {
		times = append(times, s.timeRun(photo))
	}
	return times
}

// uploadNoise uploads an image of noise with sides of that length for each of the runs.
func (s *shelf) uploadNoise(runs, side int) (sessions []string) {
	s.t.Helper()
	noise := phototest.Noise(side, side, 1)
	for range runs {
		session, put := s.granted("noise.png")
		require.Equal(s.t, http.StatusOK, put(noise))
		sessions = append(sessions, session)
	}
	return sessions
}

// drain starts the refused runs again until none is refused, and waits until all runs of the user have ended.
func (s *shelf) drain(runs int, refused []string, wait time.Duration) {
	s.t.Helper()
	for len(refused) > 0 {
		time.Sleep(wait)
		refused, wait = s.tryAll(refused)
	}
	require.Eventually(s.t, func() bool {
		_, counts := s.json("GET", "/api/ops/counts", nil)
		return counts["waiting"] == float64(runs)
	}, 4*time.Minute, 100*time.Millisecond, "every run has ended")
}

// One user starts more runs than may run or wait, with images full of noise. 16 of the runs read their photos at the same
// time, and the first two do not end. The runs of another tenant end nevertheless: their photos are read before those
// of the 14 runs that already wait for their turn. The queue drains.
//
// A reading ends after 20 s in any case, and then the next one begins. So a few of them may begin before the other
// tenant's on a very slow machine.
func TestNoiseDoesNotDelayAnotherTenant(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("needs a Unix shell")
	}
	const running, waiting, refusals = 16, 2, 2
	const atOnce = 2 // photos of a tenant that are read at the same time
	bin, log := writeOCR(t, "[ $n -lt 60000 ] || "+untilReleased)
	env := map[string]string{"PATH": bin + ":" + os.Getenv("PATH"), "GOMAXPROCS": strconv.Itoa(atOnce)}
	s, kill := child(t, t.TempDir(), env, "-user-runs", strconv.Itoa(running), "-queue", strconv.Itoa(waiting))
	noisy, quiet := s.forUser("acme", "ann"), s.forUser("globex", "bob")
	photo := drawn(t, cover.Samples()[0], nil)
	quiet.timeRun(photo)
	size := readSizes(t, log)[0]
	require.Less(t, size, 60000)

	sessions := noisy.uploadNoise(running+waiting+refusals, 300)
	refused, wait := noisy.tryAll(sessions)
	require.NotEmpty(t, refused, "the queue has been full")
	require.Eventually(t, func() bool { return len(readSizes(t, log)) > atOnce }, 4*time.Minute, 10*time.Millisecond)
	for range 3 {
		n := len(readSizes(t, log))
		quiet.timeRun(photo)
		sizes := readSizes(t, log)
		require.Less(t, slices.Index(sizes[n:], size), (running-atOnce)/2, "%v after %d", sizes, n)
	}
	_, counts := noisy.json("GET", "/api/ops/counts", nil)
	require.Positive(t, counts["active"], "the noise was there all the time")
	require.NoError(t, os.WriteFile(filepath.Join(bin, "released"), nil, 0o600))
	noisy.drain(len(sessions), refused, wait)
	kill(syscall.SIGTERM)
}

// While 16 runs of a user take as much of the machine as they get, the runs of another tenant take at most twice as
// long. CARREL_COSTS=1 states that the machine does nothing else. The runs alone are timed before and after, so that a
// machine which becomes busy meanwhile is not taken for a defect.
func TestNoiseCostsAnotherTenantLittle(t *testing.T) {
	if os.Getenv("CARREL_COSTS") != "1" {
		t.Skip("compares times: set CARREL_COSTS=1 if the machine does nothing else")
	}
	bin, log := writeOCR(t, asLongAsLarge)
	env := map[string]string{"PATH": bin + ":" + os.Getenv("PATH"), "GOMAXPROCS": "2"}
	s, kill := child(t, t.TempDir(), env, "-user-runs", "16", "-queue", "32")
	noisy, quiet := s.forUser("acme", "ann"), s.forUser("globex", "bob")
	photo := drawn(t, cover.Samples()[0], nil)
	alone := quiet.timeRuns(photo)
	sessions := noisy.uploadNoise(48, 800)
	refused, wait := noisy.tryAll(sessions)
	require.Empty(t, refused)
	crowded := quiet.timeRuns(photo)
	_, counts := noisy.json("GET", "/api/ops/counts", nil)
	require.Positive(t, counts["active"], "the noise was there all the time")
	noisy.drain(len(sessions), refused, wait)
	alone = append(alone, quiet.timeRuns(photo)...)
	t.Logf("a run takes %v alone, and %v with the noise of another tenant", alone, crowded)
	require.Len(t, readSizes(t, log), len(sessions)+len(alone)+len(crowded), "each photo is read once")
	require.Less(t, slices.Min(crowded), slices.Max(alone)*2, "most runs do not wait")
	require.Less(t, slices.Max(crowded), slices.Max(alone)*5/2+time.Second, "and none waits long")
	kill(syscall.SIGTERM)
}
