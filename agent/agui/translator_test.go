package agui

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/sse/replay"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// newLog returns a log of these events.
func newLog(events ...string) []replay.Event {
	log := make([]replay.Event, len(events))
	for i, data := range events {
		log[i] = replay.Event{ID: fmt.Sprintf("%012d.0000", i+1), Data: json.RawMessage(data)}
	}
	return log
}

// tell returns the data of the frames of a log for a client that follows it from its beginning.
func tell(t testing.TB, q *request, log []replay.Event) (frames []string) {
	t.Helper()
	translate := q.dialect().New()
	for _, e := range log {
		got, err := translate(e)
		require.NoError(t, err)
		for _, f := range got {
			require.Empty(t, f.ID)
			require.Empty(t, f.Name)
			frames = append(frames, string(f.Data))
		}
	}
	return frames
}

// catchUp returns the frames for a client that comes when the log is complete.
func catchUp(t testing.TB, q *request, log []replay.Event) []string {
	t.Helper()
	kept, err := replay.Retract(slices.Clone(log))
	require.NoError(t, err)
	return tell(t, q, kept)
}

func parse(t testing.TB, body string) *request {
	t.Helper()
	q, err := parseRequest([]byte(body))
	require.NoError(t, err)
	return q
}

const asked = `{"threadId":"t1","runId":"r1","messages":[{"id":"u1","role":"user","content":"Which book?"}]}`

// stories are logs of a run "s.1" or "s.2" and requests that they answer.
var stories = []struct {
	name, body string
	log        []string
}{
	{"answer", asked, []string{
		`{"type":"run_queued","run":"s.1"}`,
		`{"type":"run_started","run":"s.1"}`,
		`{"type":"user_message","text":"Which book?"}`,
		`{"type":"step_started","step":1}`,
		`{"type":"reasoning_delta","delta":"Hm"}`, `{"type":"reasoning_delta","delta":"."}`,
		`{"type":"text_delta","delta":"I look"}`, `{"type":"text_delta","delta":" it up."}`,
		`{"type":"usage","input_tokens":10,"output_tokens":5,"cache_read_tokens":3,"cache_write_tokens":2,"model":"m"}`,
		`{"type":"tool_call","id":"c1","name":"find","input":{"title":"Emma <1>"}}`,
		`{"type":"tool_call","id":"c2","name":"find","input":{}}`,
		`{"type":"tool_progress","id":"c1","value":{"done":0.5}}`,
		`{"type":"tool_result","id":"c2","name":"find","summary":"No title.","output":[{"text":"There is"},{"text":"no title."}],"is_error":true,"duration_ms":1}`,
		`{"type":"tool_result","id":"c1","name":"find","summary":"1 book","output":[{"json":{"books":["Emma"]}},{"image":{"format":"png","bytes":"eA=="}}],"is_error":false,"duration_ms":12}`,
		`{"type":"step_finished","step":1}`,
		`{"type":"compacted","turns":2,"usage":{"input_tokens":7,"output_tokens":1,"cache_read_tokens":0,"cache_write_tokens":0}}`,
		`{"type":"step_started","step":2}`,
		`{"type":"text_delta","delta":"It is"}`,
		`{"type":"reasoning_delta","delta":"Sure?"}`,
		`{"type":"text_delta","delta":"Emma."}`,
		`{"type":"citation","text":"Emma.","source":"kb","title":"The page","location":{"kind":"page","index":1,"start":2,"end":3}}`,
		`{"type":"partial","value":{"title":"Em"}}`,
		`{"type":"custom","name":"metadata_update","value":{"title":"Emma"}}`,
		`{"type":"of_a_later_version","delta":5}`,
		`{"type":"usage","input_tokens":20,"output_tokens":6,"cache_read_tokens":0,"cache_write_tokens":0,"model":"m"}`,
		`{"type":"step_finished","step":2}`,
		`{"type":"finished","outcome":"complete","output":{"title":"Emma"}}`,
	}},
	{"interrupt", asked, []string{
		`{"type":"run_started","run":"s.1"}`,
		`{"type":"step_started","step":1}`,
		`{"type":"tool_call","id":"c1","name":"share","input":{"book":1}}`,
		`{"type":"tool_call","id":"c2","name":"lend","input":{"book":2}}`,
		`{"type":"tool_call","id":"c3","name":"find","input":{}}`,
		`{"type":"approval_requested","id":"c1","tool":"share","input":{"book":1},"approval_id":"a1","reason":"Others see it.","expires_at":"2026-01-31T15:04:05Z"}`,
		`{"type":"approval_requested","id":"c2","tool":"lend","input":{"book":2}}`,
		`{"type":"tool_result","id":"c3","name":"find","summary":"found","is_error":false,"duration_ms":1}`,
		`{"type":"finished","outcome":"pending"}`,
	}},
	{"resumed", `{"threadId":"t1","runId":"r2","messages":[{"id":"u1","role":"user","content":"Share it."},
		{"id":"s.1.000000000003.0000","role":"assistant","toolCalls":[{"id":"c1","type":"function","function":{"name":"share","arguments":"{}"}},
		{"id":"c3","type":"function","function":{"name":"find","arguments":"{}"}}]},
		{"id":"s.1.000000000008.0000","role":"tool","content":"found","toolCallId":"c3"},
		{"id":"x","role":"activity","activityType":"y","content":{}}],
		"resume":[{"interruptId":"a1","status":"resolved","payload":{"approved":true}}]}`, []string{
		`{"type":"run_started","run":"s.2","continues":"s.1"}`,
		`{"type":"approval_decided","approval_id":"a1","approved":true}`,
		`{"type":"tool_result","id":"c1","name":"share","summary":"shared","is_error":false,"duration_ms":1}`,
		`{"type":"step_finished","step":1}`,
		`{"type":"step_started","step":2}`,
		`{"type":"tool_call","id":"c4","name":"lend","input":{}}`,
		`{"type":"approval_requested","id":"c4","tool":"lend","input":{},"approval_id":"a4"}`,
		`{"type":"finished","outcome":"pending"}`,
	}},
	{"stopped", asked, []string{
		`{"type":"run_started","run":"s.1"}`,
		`{"type":"step_started","step":1}`,
		`{"type":"text_delta","delta":"It i"}`,
		`{"type":"finished","outcome":"stopped"}`,
	}},
	{"limit", asked, []string{
		`{"type":"run_started","run":"s.1"}`,
		`{"type":"step_started","step":1}`,
		`{"type":"reasoning_delta","delta":"Hm"}`,
		`{"type":"finished","outcome":"limit"}`,
	}},
	{"refused", asked, []string{
		`{"type":"run_started","run":"s.1"}`,
		`{"type":"step_started","step":1}`,
		`{"type":"text_delta","delta":"I cannot help with that."}`,
		`{"type":"step_finished","step":1}`,
		`{"type":"finished","outcome":"complete","stop_reason":"refusal"}`,
	}},
	{"failed", asked, []string{
		`{"type":"run_started","run":"s.1"}`,
		`{"type":"usage","input_tokens":1,"output_tokens":0,"cache_read_tokens":0,"cache_write_tokens":0}`,
		`{"type":"failed","code":"throttled","message":"Too busy.","retryable":true}`,
	}},
	{"taken_over", asked, []string{
		`{"type":"run_started","run":"s.1"}`,
		`{"type":"step_started","step":1}`,
		`{"type":"reasoning_delta","delta":"Hm"}`,
		`{"type":"text_delta","delta":"I look it up."}`,
		`{"type":"usage","input_tokens":10,"output_tokens":5,"cache_read_tokens":0,"cache_write_tokens":0,"model":"m"}`, // the checkpoint
		`{"type":"tool_call","id":"c1","name":"find","input":{"n":1}}`,
		`{"type":"tool_result","id":"c1","name":"find","summary":"found","is_error":false,"duration_ms":1}`,
		`{"type":"step_finished","step":1}`,
		`{"type":"step_started","step":2}`,
		`{"type":"reasoning_delta","delta":"Lost"}`,
		`{"type":"text_delta","delta":"It is Emm"}`,
		`{"type":"usage","input_tokens":99,"output_tokens":99,"cache_read_tokens":0,"cache_write_tokens":0,"model":"m"}`,
		`{"type":"retract","after":"000000000005.0000"}`,
		`{"type":"tool_call","id":"c1","name":"find","input":{"n":1}}`,
		`{"type":"tool_result","id":"c1","name":"find","summary":"found","is_error":false,"duration_ms":1}`,
		`{"type":"step_finished","step":1}`,
		`{"type":"step_started","step":2}`,
		`{"type":"text_delta","delta":"It is Emma."}`,
		`{"type":"usage","input_tokens":20,"output_tokens":6,"cache_read_tokens":0,"cache_write_tokens":0,"model":"m"}`,
		`{"type":"step_finished","step":2}`,
		`{"type":"finished","outcome":"complete"}`,
	}},
	{"rejoined", `{"threadId":"t1","runId":"r1","messages":[{"id":"u1","role":"user","content":"Which book?"},
		{"id":"s.1.000000000002.0000","role":"reasoning","content":"Hm"},
		{"id":"s.1.000000000003.0000","role":"assistant","content":"It i"}]}`, []string{
		`{"type":"run_started","run":"s.1"}`,
		`{"type":"reasoning_delta","delta":"Hm"}`,
		`{"type":"text_delta","delta":"It is Emma."}`,
		`{"type":"retract","after":""}`,
		`{"type":"run_started","run":"s.1"}`,
		`{"type":"step_started","step":1}`,
		`{"type":"text_delta","delta":"It is Persuasion."}`,
		`{"type":"step_finished","step":1}`,
		`{"type":"finished","outcome":"complete"}`,
	}},
}

func TestTellingsHaveAStableForm(t *testing.T) {
	t.Parallel()
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			var got bytes.Buffer
			for _, f := range tell(t, parse(t, s.body), newLog(s.log...)) {
				got.WriteString(f + "\n")
			}
			path := filepath.Join("testdata", s.name+".jsonl")
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o750))
				require.NoError(t, os.WriteFile(path, got.Bytes(), 0o600))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(want), got.String())
		})
	}
}
