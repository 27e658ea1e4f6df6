package transcript_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/transcript"
	"github.com/carrel-go/carrel/sse/replay"
)

// log returns events with increasing ids.
func log(events ...string) (l []replay.Event) {
	for i, e := range events {
		l = append(l, replay.Event{ID: string(rune('a' + i)), Data: []byte(e)})
	}
	return l
}

const (
	started = `{"type":"run_started","run":"r"}`
	call    = `{"type":"tool_call","id":"c1","name":"put","input":{"n": 1}}`
	result  = `{"type":"tool_result","id":"c1","name":"put","summary":"s","output":[{"text":"done"}],"is_error":false}`
	end     = `{"type":"finished","outcome":"complete"}`
	pending = `{"type":"finished","outcome":"pending"}`
)

func TestRetractionsAreApplied(t *testing.T) {
	t.Parallel()
	shown, err := transcript.FromLog(
		log(started, `{"type":"text_delta","delta":"lost"}`, call, result, `{"type":"retract","after":"a"}`,
			`{"type":"text_delta","delta":"kept"}`, call, `{"type":"approval_requested","approval_id":"x"}`, pending),
		log(started, result, `{"type":"usage","input_tokens":3,"output_tokens":4}`, end),
	)
	require.NoError(t, err)
	require.Equal(t, transcript.Transcript{
		Types: []string{
			"run_started", "text_delta", "tool_call", "approval_requested", "finished",
			"run_started", "tool_result", "usage", "finished",
		},
		Text: "kept", Approvals: []string{"x"}, Tokens: 7, Retractions: 1, Last: end,
		Calls: []transcript.Call{{ID: "c1", Name: "put", Input: `{"n":1}`, Summary: "s", Output: "done", HasResult: true}},
	}, shown)
}

func TestLogsThatAreNotOneTranscriptAreRejected(t *testing.T) {
	t.Parallel()
	for name, events := range map[string][]replay.Event{
		"nothing":            log(),
		"no last event":      log(started),
		"an event after it":  log(started, end, end),
		"a call twice":       log(started, call, result, call, end),
		"a result twice":     log(started, call, result, result, end),
		"a result alone":     log(started, result, end),
		"no result":          log(started, call, end),
		"another order":      {{ID: "b", Data: []byte(started)}, {ID: "a", Data: []byte(end)}},
		"an event twice":     {{ID: "a", Data: []byte(started)}, {ID: "a", Data: []byte(started)}, {ID: "b", Data: []byte(end)}},
		"all is taken back":  log(started, `{"type":"retract","after":""}`),
		"a result too early": log(started, call, result, `{"type":"retract","after":"a"}`, result, end),
	} {
		_, err := transcript.FromLog(events)
		require.Error(t, err, name)
	}
}
