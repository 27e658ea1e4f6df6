package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/sample"
)

const (
	// maxMemory is the largest resident set of the server, whatever the size of the file, in kB.
	maxMemory = 150_000
	// firstFinding is the time within which a person reads the kind of the file. It is required with CARREL_SOAK=1, on a
	// machine that does nothing else.
	firstFinding = 3 * time.Second
)

// peakMemory returns the largest resident set of the process so far, in kB.
func peakMemory(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if os.IsNotExist(err) {
		t.Skip("no /proc")
	}
	require.NoError(t, err)
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(b)
	require.NotNil(t, m)
	n, err := strconv.Atoi(string(m[1]))
	require.NoError(t, err)
	return n
}

// takeInLarge takes in a file that is generated while it is uploaded, and checks the limits.
func takeInLarge(t *testing.T, size int64) {
	s, kill := begin(t, t.TempDir())
	o := sample.Options{Kind: kinds.Shipments, Size: size, Seed: 11}
	counts, err := sample.Write(io.Discard, &o) // for its exact size, which is signed
	require.NoError(t, err)
	r, w := io.Pipe()
	go func() {
		_, err := sample.Write(w, &o)
		_ = w.CloseWithError(err)
	}()
	began := time.Now()
	id := s.uploadParts("large.csv", counts.Bytes, r)
	t.Logf("%d bytes uploaded in %v; peak of the server %d kB", counts.Bytes, time.Since(began).Round(time.Second), peakMemory(t, s.pid))

	_, events := s.chat(map[string]any{"file_id": id}, nil)
	require.Equal(t, "finished", events[len(events)-1].Type)
	var text strings.Builder
	var found time.Duration
	progress, before := 0, 0
	for _, e := range events {
		switch e.Type {
		case "text_delta":
			text.WriteString(e.Delta)
			if found == 0 && strings.Contains(text.String(), "This looks like shipments.") {
				found, before = e.at, progress
			}
		case "tool_progress":
			progress++
		}
	}
	end := events[len(events)-1].at
	peak := peakMemory(t, s.pid)
	t.Logf("first finding after %v, all after %v, peak of the server %d kB, %d progress reports", found.Round(time.Millisecond), end.Round(time.Millisecond), peak, progress)
	require.Positive(t, found, text.String())
	if !isRace {
		require.Less(t, peak, maxMemory)
	}
	require.Zero(t, before, "the finding comes before the first 8 MiB of the file are measured")
	if os.Getenv("CARREL_SOAK") != "" {
		require.Less(t, found, firstFinding)
	}
	require.Greater(t, progress, int(size>>23)-2)

	_, out := s.get("/api/files/" + id)
	profile := out["report"].(map[string]any)["profile"].(map[string]any)
	require.EqualValues(t, counts.Rows, profile["rows"])
	for _, c := range profile["columns"].([]any) {
		column := c.(map[string]any)
		name := column["name"].(string)
		require.EqualValues(t, counts.Missing[name], column["missing"], name)
		negative, _ := column["negative"].(float64)
		require.Equal(t, counts.Negative[name], int64(negative), name)
	}
	if profile["duplicates_exact"] == true {
		require.EqualValues(t, counts.Duplicates, profile["duplicates"])
	} else {
		require.InEpsilon(t, counts.Duplicates, profile["duplicates"], 0.25)
	}
	_, events = s.chat(map[string]any{"message": "how many negative quantity in large"}, nil)
	require.Contains(t, strings.ReplaceAll(textOf(events), ",", ""), fmt.Sprintf("rows %d", counts.Negative["quantity"]))
	if !isRace {
		require.Less(t, peakMemory(t, s.pid), maxMemory)
	}
	kill(syscall.SIGTERM)
}

// A file of more than one piece takes little memory, and the first finding comes before the file is measured.
func TestALargeFile(t *testing.T) {
	t.Parallel()
	if testing.Short() && isRace {
		t.Skip("slow")
	}
	takeInLarge(t, 70<<20)
}

// A file of 1 GB keeps the same limits. CARREL_SOAK=1 runs it: it takes some minutes, and 2 GB of disk.
func TestAFileOfOneGigabyte(t *testing.T) {
	if os.Getenv("CARREL_SOAK") == "" {
		t.Skip("set CARREL_SOAK=1")
	}
	takeInLarge(t, 1_000_000_000)
}
