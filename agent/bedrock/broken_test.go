package bedrock_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/agent/bedrock/internal/memnet"
)

// The SDK reports each of these as a clean end of the stream.
func TestTruncation(t *testing.T) {
	t.Parallel()
	for name, pieces := range map[string][]bt.Piece{
		"cut in mid-text":            {bt.Text("It is", " by"), bt.Cut()},
		"cut in mid-input":           {bt.ToolUse("a", "look_up", `{"isbn":`), bt.Cut()},
		"cut after a whole call":     {bt.ToolUse("a", "look_up", `{}`), bt.Text("and"), bt.Cut()},
		"cut in mid-thought":         {bt.Reasoning("c2ln", "It is"), bt.Cut()},
		"no messageStop":             {bt.Text("It is"), bt.Truncate()},
		"nothing but messageStart":   {bt.Truncate()},
		"messageStop in mid-input":   {bt.ToolUse("a", "look_up", `{`), bt.Event("messageStop", `{"stopReason":"tool_use"}`), bt.Truncate()},
		"a block that never ended":   {bt.Event("contentBlockDelta", `{"contentBlockIndex":9,"delta":{"text":"x"}}`)},
		"metadata but no end":        {bt.Text("x"), bt.Event("metadata", `{"usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2}}`), bt.Truncate()},
		"a block stopped, no others": {bt.Text("x"), bt.Event("contentBlockStop", `{"contentBlockIndex":0}`), bt.Truncate()},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, bt.NewScript(bt.Reply(pieces...)), nil, func(t *testing.T, m *bedrock.Model) {
				got, err := collect(t, t.Context(), m, ask("?"))
				me := modelError(t, err)
				require.Equal(t, agent.CodeTruncated, me.Code)
				require.True(t, me.Retryable)
				for _, d := range got {
					_, stopped := d.(agent.StopPart)
					require.False(t, stopped)
				}
			})
		})
	}
}

// record returns the bytes of a stream.
func record(t *testing.T, s bt.Step) []byte {
	t.Helper()
	const body = `{"messages":[{"role":"user","content":[{"text":"?"}]}]}`
	r := httptest.NewRequest(http.MethodPost, "/model/m/converse-stream", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer key")
	w := httptest.NewRecorder()
	bt.NewScript(s).ServeHTTP(w, r)
	require.Equal(t, http.StatusOK, w.Code)
	return w.Body.Bytes()
}

// A stream cut at any byte, with or without the transport noticing, is never taken for a whole one, and no part of
// a call gets out.
func TestCutAtEveryByte(t *testing.T) {
	t.Parallel()
	whole := record(t, bt.Reply(
		bt.Text("Look: ", "é"), bt.Reasoning("c2ln", "Hm. ", "So."),
		bt.ToolUse("a", "look_up", `{"isbn"`, `:"9780141439518"}`), bt.Usage(agent.Usage{Input: 3, Output: 4}),
	))
	end := bytes.Index(whole, []byte(`{"stopReason":"tool_use"}`)) + len(`{"stopReason":"tool_use"}`) + 4 // its checksum
	var at int
	var abort bool
	synctest.Test(t, func(t *testing.T) {
		client, stop := memnet.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-time.After(2 * time.Millisecond)
			w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
			w.WriteHeader(http.StatusOK)
			_, _ = w.Write(whole[:at])
			if abort {
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}
		}))
		defer stop()
		m := newModel(client, nil)
		for at = range whole {
			abort = at%2 == 0
			got, err := collect(t, t.Context(), m, ask("?"))
			if at >= end {
				require.NoError(t, err, "cut at %d: all but the usage has come", at)
				continue
			}
			require.Equal(t, agent.CodeTruncated, modelError(t, err).Code, "cut at %d", at)
			for _, d := range got {
				switch d := d.(type) {
				case agent.UsePart:
					require.Equal(t, use("a", "look_up", `{"isbn":"9780141439518"}`), d, "cut at %d", at)
				case agent.ReasoningPart:
					require.Equal(t, agent.Reasoning{Text: "Hm. So.", Signature: "c2ln"}, d.Reasoning, "cut at %d", at)
				}
			}
		}
	})
}

// An answer that breaks the protocol ends the stream with an error.
func TestProtocolViolations(t *testing.T) {
	t.Parallel()
	block := func(index int) string { return fmt.Sprintf(`{"contentBlockIndex":%d}`, index) }
	text := func(index int) bt.Piece {
		return bt.Event("contentBlockDelta", fmt.Sprintf(`{"contentBlockIndex":%d,"delta":{"text":"x"}}`, index))
	}
	input := bt.Event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{}"}}}`)
	start := bt.Event("contentBlockStart", `{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"a","name":"b"}}}`)
	thinks := bt.Event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"x"}}}`)
	stop := bt.Event("contentBlockStop", block(0))
	end := bt.Event("messageStop", `{"stopReason":"end_turn"}`)
	for name, pieces := range map[string][]bt.Piece{
		"text after the block's end":  {text(0), stop, text(0)},
		"a block stopped twice":       {text(0), stop, stop},
		"a call started twice":        {start, start},
		"text that turns into a call": {text(0), start},
		"text in a call":              {start, text(0)},
		"input without a call":        {input},
		"input in a text":             {text(0), input},
		"text after the end":          {end, text(0), bt.Truncate()},
		"two ends":                    {end, end},
		"reasoning in a text":         {text(0), thinks},
		"reasoning in a call":         {start, thinks},
		"text in reasoning":           {thinks, text(0)},
		"text and redacted reasoning": {thinks, bt.Event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"redactedContent":"AAAA"}}}`)},
		"reasoning that is no text":   {bt.Reasoning("c2ln", "\xe2\x82")},
		"a delta without an index":    {bt.Event("contentBlockDelta", `{"delta":{"text":"x"}}`)},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, bt.NewScript(bt.Reply(pieces...)), nil, func(t *testing.T, m *bedrock.Model) {
				_, err := collect(t, t.Context(), m, ask("?"))
				me := modelError(t, err)
				require.Equal(t, agent.CodeMalformed, me.Code)
				require.True(t, me.Retryable)
				require.Zero(t, sdkGoroutines(t))
			})
		})
	}
}

func TestDamagedFrames(t *testing.T) {
	t.Parallel()
	for name, pieces := range map[string][]bt.Piece{
		"the last":  {bt.Text("It is"), bt.Damaged(" by"), bt.Truncate()},
		"the first": {bt.Damaged("It"), bt.Text(" is")},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, bt.NewScript(bt.Reply(pieces...)), nil, func(t *testing.T, m *bedrock.Model) {
				_, err := collect(t, t.Context(), m, ask("?"))
				me := modelError(t, err)
				require.Equal(t, agent.CodeUnavailable, me.Code)
				require.Equal(t, "The model's answer arrived damaged.", me.Message)
				require.True(t, me.Retryable)
				require.Zero(t, sdkGoroutines(t))
			})
		})
	}
}
