package aisdk

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// logOf returns the events of a log, one in each segment.
func logOf(lines ...string) (events []replay.Event) {
	for i, line := range lines {
		events = append(events, replay.Event{ID: eventID(i), Data: json.RawMessage(line)})
	}
	return events
}

func eventID(i int) string { return fmt.Sprintf("%012d.0000", i+1) }

// play returns the frames of runs for one client. It is connected from the n-th event of the last run on.
func play(t testing.TB, known, n int, runs ...[]replay.Event) ([]sse.Event, error) {
	t.Helper()
	translator := newTranslator()
	var frames []sse.Event
	for i, events := range runs {
		translator.beginRun(runPlace{number: i, isMuted: i < known, isLast: i == len(runs)-1})
		caughtUp := len(events)
		if i == len(runs)-1 {
			caughtUp = min(n, caughtUp)
		}
		kept, err := replay.Retract(append([]replay.Event(nil), events[:caughtUp]...))
		require.NoError(t, err)
		for _, e := range append(kept, events[caughtUp:]...) {
			told, err := translator.translate(e)
			if err != nil {
				return frames, err
			}
			for _, f := range told {
				frames = append(frames, sse.Event{Data: bytes.Clone(f.Data)})
			}
		}
	}
	return frames, nil
}

const (
	started = `{"type":"run_started","run":"s.1"}`
	said    = `{"type":"user_message","text":"Which book is this?"}`
	step1   = `{"type":"step_started","step":1}`
	step2   = `{"type":"step_started","step":2}`
	ended1  = `{"type":"step_finished","step":1}`
	ended2  = `{"type":"step_finished","step":2}`
	used    = `{"type":"usage","input_tokens":10,"output_tokens":2,"cache_read_tokens":5,"model":"m1"}`
	pending = `{"type":"finished","outcome":"pending"}`
	whole   = `{"type":"finished","outcome":"complete"}`
)

func delta(s string) string   { return `{"type":"text_delta","delta":"` + s + `"}` }
func thought(s string) string { return `{"type":"reasoning_delta","delta":"` + s + `"}` }
func retract(i int) string {
	if i < 0 {
		return `{"type":"retract","after":""}`
	}
	return `{"type":"retract","after":"` + eventID(i) + `"}`
}

// readRuns returns the logs of a golden file: an event on each line, and an empty line between two runs.
func readRuns(t testing.TB, name string) (runs [][]replay.Event) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".jsonl"))
	require.NoError(t, err)
	for run := range strings.SplitSeq(string(raw), "\n\n") {
		runs = append(runs, logOf(strings.Split(strings.TrimSpace(run), "\n")...))
	}
	return runs
}

// The golden files hold logs and their streams. The client is connected from the n-th event on, and has the first runs.
func TestTheWire(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, log string
		known, n  int
	}{
		{name: "answer", log: "answer"},
		{name: "results", log: "results"},
		{name: "pending", log: "pending"},
		{name: "approved", log: "approved"},
		{name: "approved_continuation", log: "approved", known: 1},
		{name: "declined_continuation", log: "declined", known: 1},
		{name: "stopped", log: "stopped"},
		{name: "refused", log: "refused"},
		{name: "failed", log: "failed"},
		{name: "failed_at_once", log: "failed_at_once"},
		{name: "retracted_live", log: "retracted"},
		{name: "retracted_before", log: "retracted", n: 99},
		{name: "retracted_within_a_finished_step", log: "retracted_within_a_finished_step"},
		{name: "retracted_continuation", log: "retracted_continuation", known: 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			runs := readRuns(t, tc.log)
			frames, err := play(t, tc.known, tc.n, runs...)
			require.NoError(t, err)
			var got bytes.Buffer
			for _, f := range frames {
				fmt.Fprintf(&got, "data: %s\n\n", f.Data)
			}
			path := filepath.Join("testdata", tc.name+".sse")
			if *update {
				require.NoError(t, os.WriteFile(path, got.Bytes(), 0o600))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, string(want), got.String())
			c := newClient()
			if tc.known > 0 { // as a client that has followed the run before
				known, err := play(t, 0, 0, runs[0])
				require.NoError(t, err)
				c.receive(t, known)
				c.continues()
			}
			c.receive(t, frames)
			assert.True(t, c.done)
		})
	}
}

func TestAConnectedClientSeesWhatAResumingOneSees(t *testing.T) {
	t.Parallel()
	runs := readRuns(t, "retracted_twice")
	whole, err := play(t, 0, 99, runs...)
	require.NoError(t, err)
	want := newClient()
	want.receive(t, whole)
	for n := range runs[1] {
		frames, err := play(t, 0, n, runs...)
		require.NoError(t, err)
		c := newClient()
		c.receive(t, frames)
		assert.Equal(t, want.message(), c.message(), "connected after %d events", n)
	}
}

func TestARetractionOfAnEarlierStepBreaksTheStream(t *testing.T) {
	t.Parallel()
	log := logOf(started, said, step1, delta("a"), ended1, step2, delta("b"), retract(3), step2, delta("c"), ended2, whole)
	_, err := play(t, 0, 0, log)
	require.ErrorIs(t, err, errBeyondStep)
	frames, err := play(t, 0, 8, log)
	require.NoError(t, err, "a client that resumes does not receive the step")
	newClient().receive(t, frames)
}

func TestADamagedLogBreaksTheStream(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		`{"type":"step_started","step":"x"}`,
		`{"type":"tool_result","id":"c1","name":"f","output":{"not":"blocks"}}`,
		`{"type":"tool_result","id":"c1","name":"f","output":{"not":"blocks"},"is_error":true}`,
	} {
		_, err := play(t, 0, 0, logOf(started, line))
		require.Error(t, err)
	}
	_, err := newTranslator().translate(replay.Event{ID: "x", Data: json.RawMessage(`{"type":"usage","input_tokens":"x"}`)})
	require.Error(t, err)
	assert.NotErrorIs(t, err, errBeyondStep)
}
