package bedrocktest_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
)

var update = flag.Bool("update", false, "write the goldens anew")

const body = `{"messages":[{"role":"user","content":[{"text":"?"}]}]}`

func play(s *bt.Script) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, request("/model/m/converse-stream", body))
	return w
}

// The events on the wire, one per line: headers, then the payload verbatim.
func TestWireGolden(t *testing.T) {
	t.Parallel()
	w := play(bt.NewScript(bt.Reply(
		bt.Text("Let me ", "look: \"é\"\n\x01\\"), bt.Text("📚"),
		bt.ToolUse("call-1", "look_up", `{"isbn":`, `"978"}`), bt.ToolUse("call-2", "scan"),
		bt.Text("So."), bt.CitedText([]agent.Citation{{Title: "A \"page\"", Quotes: []string{"q"},
			Location: agent.Location{Kind: "page", Start: 1, End: 2}}, {Location: agent.Location{Kind: "web", URL: "u", Domain: "d"}}}, "It ", "is."),
		bt.Text("Yes."), bt.Usage(agent.Usage{Input: 7, Output: 11}),
		bt.Event("weather", `{"sun":true}`),
		bt.Exception("ModelStreamErrorException", "it \"broke\""),
	)))
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "application/vnd.amazon.eventstream", w.Header().Get("Content-Type"))
	got := events(t, w.Body.Bytes()) + "\n" +
		events(t, play(bt.NewScript(bt.Reply(bt.ToolUse("call-1", "scan", "{}"), bt.Usage(agent.Usage{Input: 7, Output: 11})))).Body.Bytes()) + "\n" +
		events(t, play(bt.NewScript(bt.Reply(
			bt.Reasoning("c2ln", "Hm", "."), bt.Reasoning("", "So."), bt.Redacted([]byte{0, 1}),
			bt.Interleave(bt.Text("a", "b"), bt.ToolUse("call-1", "scan", "{", "}"), bt.Reasoning("c2ln", "Hm")),
			bt.Text("\xc3", "\xa9."), bt.Usage(agent.Usage{Input: 7, Output: 11, CacheRead: 100, CacheWrite: 20}),
		))).Body.Bytes()) + "\n" +
		events(t, play(bt.NewScript(bt.Reply(bt.Stop("max_tokens"), bt.Text("a")))).Body.Bytes())
	if *update {
		require.NoError(t, os.WriteFile("testdata/events.txt", []byte(got), 0o644))
	}
	want, err := os.ReadFile("testdata/events.txt")
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func events(t *testing.T, stream []byte) string {
	t.Helper()
	var b strings.Builder
	r := bytes.NewReader(stream)
	for {
		m, err := eventstream.NewDecoder().Decode(r, nil)
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		require.NoError(t, err)
		for _, h := range m.Headers {
			fmt.Fprintf(&b, "%s=%s ", h.Name, h.Value)
		}
		fmt.Fprintf(&b, "%s\n", m.Payload)
	}
}

func TestStepsInOrder(t *testing.T) {
	t.Parallel()
	s := bt.NewScript(
		bt.Times(2, bt.Throttled()),
		bt.Times(0, bt.Fail(500, "InternalServerException", "never")),
		bt.Denied(),
		bt.Times(2, bt.Times(2, bt.Fail(404, "ResourceNotFoundException", "no model"))),
		bt.Func(func(r *bt.Request) bt.Step { return bt.Fail(418, r.Model, r.Messages[0].Parts[0].Text) }),
		bt.Reply(),
	)
	var got []string
	for range 10 {
		w := play(s)
		got = append(got, fmt.Sprint(w.Code, " ", w.Header().Get("X-Amzn-ErrorType")))
	}
	require.Equal(t, []string{
		"429 ThrottlingException", "429 ThrottlingException", "403 AccessDeniedException",
		"404 ResourceNotFoundException", "404 ResourceNotFoundException", "404 ResourceNotFoundException", "404 ResourceNotFoundException",
		"418 m", "200 ", "400 ValidationException",
	}, got)
	require.ErrorContains(t, s.Err(), "request 10: The script has no step for this request.")
	require.Len(t, s.Requests(), 10)
	require.Equal(t, body, string(s.Requests()[3].Body))
}

func TestForever(t *testing.T) {
	t.Parallel()
	n := 0
	s := bt.NewScript(bt.Reply(), bt.Forever(bt.Func(func(*bt.Request) bt.Step {
		n++
		return bt.Fail(400+n, "X", "x")
	})), bt.Denied())
	for i := range 20 {
		want := http.StatusOK
		if i > 0 {
			want = 400 + i
		}
		require.Equal(t, want, play(s).Code)
	}
	require.NoError(t, s.Err())
}

func TestZeroStepsRefuseRequests(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]bt.Step{
		"from a function": bt.Func(func(*bt.Request) bt.Step { return bt.Step{} }),
		"forever":         bt.Forever(bt.Step{}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := bt.NewScript(step)
			w := play(s)
			require.Equal(t, http.StatusBadRequest, w.Code)
			require.Contains(t, w.Body.String(), "The zero Step does not have an answer.")
			require.ErrorContains(t, s.Err(), "bedrocktest: the zero Step does not have an answer")
		})
	}
}

// A request that the service would refuse does not take a step, and the script records it.
func TestRefusedRequestsTakeNoStep(t *testing.T) {
	t.Parallel()
	s := bt.NewScript(bt.Reply())
	w := httptest.NewRecorder()
	s.ServeHTTP(w, request("/model/m/converse-stream", `{"messages":[]}`))
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.Equal(t, http.StatusOK, play(s).Code)
	require.ErrorContains(t, s.Err(), "request 1: The messages field is empty")
	require.NotEmpty(t, s.Requests()[0].Refused)
	require.Empty(t, s.Requests()[1].Refused)
}

// No answer begins before the client's transport can be done with the request: see beforeHeaders.
func TestAnswersAreNotTooFast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		require.Equal(t, http.StatusOK, play(bt.NewScript(bt.Reply())).Code)
		require.GreaterOrEqual(t, time.Since(start), 2*time.Millisecond)
	})
}

// A client that waits for a gate sees what came before it first.
func TestWait(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	server := httptest.NewServer(bt.NewScript(bt.Reply(bt.Text("before"), bt.Wait(gate), bt.Text("after"))))
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/model/m/converse-stream", strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer key")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	d := eventstream.NewDecoder()
	for _, want := range []string{`{"role":"assistant"}`, `{"contentBlockIndex":0,"delta":{"text":"before"}}`} {
		m, err := d.Decode(resp.Body, nil)
		require.NoError(t, err)
		require.Equal(t, want, string(m.Payload))
	}
	close(gate)
	m, err := d.Decode(resp.Body, nil)
	require.NoError(t, err)
	require.Equal(t, `{"contentBlockIndex":0,"delta":{"text":"after"}}`, string(m.Payload))
}

// A tool that the service runs is one that a script accepts, and a model behind a Front does not have.
func TestSystemTools(t *testing.T) {
	t.Parallel()
	const body = `{"messages":[{"role":"user","content":[{"text":"?"}]}],"toolConfig":{"tools":[{"systemTool":{"name":"nova_code_interpreter"}}]}}`
	s := bt.NewScript(bt.Reply(bt.Text("ok")))
	w := httptest.NewRecorder()
	s.ServeHTTP(w, request("/model/m/converse-stream", body))
	require.Equal(t, http.StatusOK, w.Code)
	require.NoError(t, s.Err())
	_, _, message := post("/model/m/converse-stream", body)
	require.Contains(t, message, "doesn't support the systemTool field")
}
