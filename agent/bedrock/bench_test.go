package bedrock

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/tools"
)

// canned is an HTTP client that answers every request with the same bytes.
type canned []byte

func (c canned) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK,
		Header:     http.Header{"Content-Type": {"application/vnd.amazon.eventstream"}},
		Body:       io.NopCloser(bytes.NewReader(c)),
		Request:    r,
	}, nil
}

func answerOf(deltas int) canned {
	return recorded(bt.Text(slices.Repeat([]string{"a word "}, deltas)...))
}

// recorded returns the bytes of a stream.
func recorded(pieces ...bt.Piece) canned {
	const body = `{"messages":[{"role":"user","content":[{"text":"?"}]}]}`
	r := httptest.NewRequest(http.MethodPost, "/model/m/converse-stream", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer key")
	w := httptest.NewRecorder()
	bt.NewScript(bt.Reply(pieces...)).ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		panic(w.Body.String())
	}
	return w.Body.Bytes()
}

// conversation is a request with ten tools and 25 messages.
func conversation() *agent.Request {
	r := &agent.Request{System: "You know books."}
	for i := range 10 {
		r.Tools = append(r.Tools, tools.Spec{
			Name: fmt.Sprintf("tool_%d", i), Description: "Reads a part of a file.",
			Schema: json.RawMessage(`{"type":"object","properties":{"file":{"type":"string","description":"a handle"},"from":{"type":"integer"},"lines":{"type":"integer"}},"required":["file"],"additionalProperties":false}`),
		})
	}
	said := func(role agent.Role, p ...agent.Part) {
		r.Messages = append(r.Messages, agent.Message{Role: role, Parts: p})
	}
	for i := range 6 {
		id := fmt.Sprint("call-", i)
		said(agent.RoleUser, agent.Part{Text: "Read on."})
		said(agent.RoleAssistant, agent.Part{Text: "I read."}, agent.Part{Use: &agent.ToolUse{
			ID: id, Name: "tool_1", Input: json.RawMessage(`{"file":"f1","from":10,"lines":20}`),
		}})
		said(agent.RoleUser, agent.Part{Result: &agent.ToolResult{ID: id, Result: tools.Result{
			Blocks: []tools.Block{{JSON: json.RawMessage(`{"text":"a line, and another"}`)}},
		}}})
		said(agent.RoleAssistant, agent.Part{Text: "That was it."})
	}
	said(agent.RoleUser, agent.Part{Text: "Read on."})
	return r
}

// turns returns two functions that have the conversation answered in that many deltas: through the SDK alone, with its
// input built beforehand, and through a Model.
func turns(tb testing.TB, deltas int) (sdk, model func()) {
	ctx, r := context.Background(), conversation()
	client := bt.NewClient("http://localhost", func(o *bedrockruntime.Options) { o.HTTPClient = answerOf(deltas) })
	m := must(New(client, "any-model", nil))
	in, err := m.newInput(ctx, r)
	require.NoError(tb, err)
	return func() {
			out, err := client.ConverseStream(ctx, in)
			if err != nil {
				tb.Fatal(err)
			}
			for range out.GetStream().Events() {
			}
			_ = out.GetStream().Close()
		}, func() {
			for _, err := range m.Stream(ctx, r) {
				if err != nil {
					tb.Fatal(err)
				}
			}
		}
}

func BenchmarkStream(b *testing.B) {
	for _, deltas := range []int{1, 1000} {
		sdk, model := turns(b, deltas)
		for i, f := range []func(){sdk, model} {
			b.Run(fmt.Sprintf("%s/%d", []string{"sdk", "model"}[i], deltas), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					f()
				}
			})
		}
	}
}

// BenchmarkOverSDK measures a turn of one delta and one of 100 against the SDK's own, alternating in one run, and reports
// the ratios. It fails above 1.4 and 0.6. Lower quartiles are compared: other load on the machine, and the collector,
// only ever add to a measurement.
func BenchmarkOverSDK(b *testing.B) {
	for _, c := range []struct {
		deltas int
		most   float64
	}{{1, 1.4}, {100, 0.6}} {
		b.Run(fmt.Sprint(c.deltas), func(b *testing.B) {
			sdk, model := turns(b, c.deltas)
			var ours, theirs []time.Duration
			for b.Loop() {
				start := time.Now()
				model()
				middle := time.Now()
				sdk()
				ours, theirs = append(ours, middle.Sub(start)), append(theirs, time.Since(middle))
			}
			slices.Sort(ours)
			slices.Sort(theirs)
			ratio := float64(ours[len(ours)/4]) / float64(theirs[len(theirs)/4])
			b.ReportMetric(ratio, "x-sdk")
			if len(ours) > 100 {
				require.LessOrEqual(b, ratio, c.most)
			}
		})
	}
}

// The allocations do not depend on the machine, so they are tested: those of a delta, and those of a turn on top of the
// SDK's.
func TestAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector lets pools forget at random")
	}
	sdk, model := turns(t, 1)
	_, long := turns(t, 1001)
	turn := testing.AllocsPerRun(5, model)
	require.Less(t, (testing.AllocsPerRun(5, long)-turn)/1000, 2.05, "allocations a delta")
	require.Less(t, turn-testing.AllocsPerRun(5, sdk), 120.0, "allocations a turn of 25 messages and ten tools")
}

// The cost of one text delta in this package alone.
func BenchmarkTake(b *testing.B) {
	var a accumulator
	ev := &types.ContentBlockDeltaEvent{
		ContentBlockIndex: aws.Int32(0), Delta: &types.ContentBlockDeltaMemberText{Value: "a word "},
	}
	w := startWatchdog(b.Context(), time.Minute)
	defer w.stop()
	b.ReportAllocs()
	for b.Loop() {
		w.beat()
		w.pause()
		if _, err := a.addEvent(ev); err != nil {
			b.Fatal(err)
		}
	}
}

// The cost of writing the request in the service's form.
func BenchmarkInput(b *testing.B) {
	m, r := must(New(bt.NewClient("http://localhost"), "any-model", nil)), conversation()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.newInput(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
}

// must returns the model of a call of New that does not fail.
func must(m *Model, err error) *Model {
	if err != nil {
		panic(err)
	}
	return m
}
