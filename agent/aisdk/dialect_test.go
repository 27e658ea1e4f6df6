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
	call    = `{"type":"tool_call","id":"c1","name":"find_book","input":{"isbn":"1"}}`
	result  = `{"type":"tool_result","id":"c1","name":"find_book","summary":"Emma","output":[{"json":{"title":"Emma"}}],"is_error":false,"duration_ms":3}`
	used    = `{"type":"usage","input_tokens":10,"output_tokens":2,"cache_read_tokens":5,"cache_write_tokens":1,"model":"m1"}`
	asked   = `{"type":"approval_requested","id":"c1","tool":"find_book","input":{"isbn":"1"},"approval_id":"a1","reason":"It is rare."}`
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

// The golden files hold the streams.
func TestTheWire(t *testing.T) {
	t.Parallel()
	first := logOf(started, said, step1, delta("I look."), call, asked, used, pending)
	second := func(approved bool, lines ...string) []replay.Event {
		return logOf(append([]string{
			`{"type":"run_started","run":"s.2","continues":"s.1"}`, fmt.Sprintf(`{"type":"approval_decided","approval_id":"a1","approved":%v,"reason":"Why not."}`, approved),
		}, lines...)...)
	}
	failedCall := strings.Replace(result, `"is_error":false`, `"is_error":true`, 1)
	for _, tc := range []struct {
		name     string
		known, n int
		runs     [][]replay.Event
	}{
		{"answer", 0, 0, [][]replay.Event{logOf(
			`{"type":"run_queued","run":"s.1"}`, started, said, step1, thought("Let me"), thought(" see."), delta("I look."), call,
			`{"type":"tool_progress","id":"c1","value":{"pages":3}}`, result, used, ended1, step2, delta("It is "),
			`{"type":"citation","text":"It is ","source":"https://example.com/emma","title":"Emma","quotes":["Emma"],"location":{"kind":"page","index":0,"start":1,"end":2}}`,
			`{"type":"citation","source":"cover.pdf","location":{"kind":"page","index":1,"start":1,"end":2}}`,
			`{"type":"citation"}`, delta("Emma."), `{"type":"custom","name":"metadata_update","value":{"title":"Emma"}}`,
			`{"type":"partial","value":{"title":"E"}}`, `{"type":"compacted","turns":2,"usage":{}}`, `{"type":"of_a_later_version"}`, used, ended2,
			`{"type":"finished","outcome":"complete","output":{"title":"Emma"}}`,
		)}},
		{"results", 0, 0, [][]replay.Event{logOf(
			started, step1, call, `{"type":"tool_result","id":"c1","name":"find_book","summary":"s","output":[{"text":"Emma"}],"is_error":false}`,
			`{"type":"tool_call","id":"c2","name":"f","input":{}}`, `{"type":"tool_result","id":"c2","name":"f","summary":"two","output":[{"text":"a"},{"json":1}]}`,
			`{"type":"tool_call","id":"c3","name":"f","input":{}}`, `{"type":"tool_result","id":"c3","name":"f","summary":"A page","truncated":true}`,
			`{"type":"tool_call","id":"c4","name":"f","input":{}}`, `{"type":"tool_result","id":"c4","name":"f","summary":"No such book","output":[{"text":"There is no such book."}],"is_error":true}`,
			`{"type":"tool_result","id":"c5","name":"f","summary":"Of a call that was not told","is_error":true}`,
			`{"type":"tool_call","id":"c6","name":"f","input":{"__proto__":{"admin":true}}}`,
			`{"type":"tool_result","id":"c6","name":"f","summary":"s","output":[{"json":{"a":[{"constructor":{"prototype":{}}}]}}]}`,
			`{"type":"custom","name":"x","value":{"\u005f_proto__":1}}`, `{"type":"custom","name":"y","value":{"text":"__proto__","constructor":1}}`, `{"type":"custom","name":"z"}`,
			`{"type":"tool_progress","id":"unknown","value":1}`, `{"type":"tool_call","id":"c7","name":"f","input":{}}`, `{"type":"finished","outcome":"limit"}`,
		)}},
		{"pending", 0, 0, [][]replay.Event{first}},
		{"approved", 0, 0, [][]replay.Event{first, second(true, call, result, used, ended1, step2, delta("It is Emma."), used, ended2, whole)}},
		{"approved_continuation", 1, 0, [][]replay.Event{first, second(true, call, result, used, ended1, step2, delta("It is Emma."), used, ended2, whole)}},
		{"declined_continuation", 1, 0, [][]replay.Event{first, second(false, failedCall, ended1, step2, delta("I may not."), ended2, whole)}},
		{"stopped", 0, 0, [][]replay.Event{logOf(started, said, step1, delta("It"), call, `{"type":"finished","outcome":"stopped"}`)}},
		{"failed", 0, 0, [][]replay.Event{logOf(started, said, step1, delta("It"), used, `{"type":"failed","code":"throttled","message":"Too busy.","retryable":true}`)}},
		{"failed_at_once", 0, 0, [][]replay.Event{logOf(started, `{"type":"failed","code":"internal","message":""}`)}},
		{"retracted_live", 0, 0, [][]replay.Event{logOf(
			started, said, step1, delta("It is"), retract(-1), started, said, step1, delta("I look."), call, result, used, ended1, step2, delta("It"),
			retract(12), step2, delta("It is Emma."), used, ended2, whole,
		)}},
		{"retracted_within_a_finished_step", 0, 0, [][]replay.Event{logOf(
			started, said, step1, delta("I look."), call, result, used, ended1, retract(4), result, used, ended1, step2, delta("Emma."), ended2, whole,
		)}},
		{"retracted_before", 0, 99, [][]replay.Event{logOf(started, said, step1, delta("It is"), retract(-1), started, said, step1, delta("Emma."), ended1, whole)}},
		{"retracted_continuation", 1, 0, [][]replay.Event{first, second(true, result, used, ended1, retract(-1), `{"type":"run_started","run":"s.2","continues":"s.1"}`,
			`{"type":"approval_decided","approval_id":"a1","approved":true}`, result, ended1, step2, delta("Emma."), ended2, whole)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			frames, err := play(t, tc.known, tc.n, tc.runs...)
			require.NoError(t, err)
			var got bytes.Buffer
			for _, f := range frames {
				fmt.Fprintf(&got, "data: %s\n\n", f.Data)
			}
			path := filepath.Join("testdata", tc.name+".sse")
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o750))
				require.NoError(t, os.WriteFile(path, got.Bytes(), 0o600))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, string(want), got.String())
			c := newClient()
			if tc.known > 0 { // as a client that has followed the run before
				known, err := play(t, 0, 0, tc.runs[0])
				require.NoError(t, err)
				c.receive(t, known)
				c.finish, c.done, c.began = "", false, false
			}
			c.receive(t, frames)
			assert.True(t, c.done)
		})
	}
}

func TestAConnectedClientSeesWhatAResumingOneSees(t *testing.T) {
	t.Parallel()
	first := logOf(started, said, step1, thought("Hm."), delta("I look."), call, asked, used, pending)
	second := logOf(
		`{"type":"run_started","run":"s.2","continues":"s.1"}`, `{"type":"approval_decided","approval_id":"a1","approved":true}`, result, used, ended1,
		retract(-1), `{"type":"run_started","run":"s.2","continues":"s.1"}`, `{"type":"approval_decided","approval_id":"a1","approved":true}`,
		result, used, ended1, step2, delta("It"), `{"type":"custom","name":"note","value":1}`, retract(10), step2, delta("It is Emma."), used, ended2, whole,
	)
	whole, err := play(t, 0, 99, first, second)
	require.NoError(t, err)
	want := newClient()
	want.receive(t, whole)
	for n := range second {
		frames, err := play(t, 0, n, first, second)
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
	_, err := Dialect().New()(replay.Event{ID: "x", Data: json.RawMessage(`{"type":"usage","input_tokens":"x"}`)})
	require.Error(t, err)
	assert.NotErrorIs(t, err, errBeyondStep)
}
