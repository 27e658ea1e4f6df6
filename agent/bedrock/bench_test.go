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

// turns gives two ways to have the conversation answered in that many deltas: through the SDK alone, its input built
// beforehand, and through a Model.
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

// feed stands for the SDK's reader: it sends the same event again and again, then the message's end.
type feed struct {
	events chan types.ConverseStreamOutput
}

func (f feed) Events() <-chan types.ConverseStreamOutput { return f.events }
func (f feed) Close() error                              { return nil }
func (f feed) Err() error                                { return nil }

// feeding is a stream of n deltas that have no decoding to wait for. As the SDK's reader does, it hands each over as it
// is taken; ready says that all lie there already.
func feeding(n int, ready bool) *bedrockruntime.ConverseStreamEventStream {
	f := feed{make(chan types.ConverseStreamOutput)}
	if ready {
		f.events = make(chan types.ConverseStreamOutput, n+2)
	}
	send := func() {
		defer close(f.events)
		var delta types.ConverseStreamOutput = &types.ConverseStreamOutputMemberContentBlockDelta{Value: types.ContentBlockDeltaEvent{
			ContentBlockIndex: aws.Int32(0), Delta: &types.ContentBlockDeltaMemberText{Value: "a word "},
		}}
		for range n {
			f.events <- delta
		}
		f.events <- &types.ConverseStreamOutputMemberContentBlockStop{Value: types.ContentBlockStopEvent{ContentBlockIndex: aws.Int32(0)}}
		f.events <- &types.ConverseStreamOutputMemberMessageStop{Value: types.MessageStopEvent{StopReason: types.StopReasonEndTurn}}
	}
	if ready {
		send()
	} else {
		go send()
	}
	return bedrockruntime.NewConverseStreamEventStream(func(s *bedrockruntime.ConverseStreamEventStream) { s.Reader = f })
}

// BenchmarkOverSDK measures the cost of this package on top of the SDK, in one run: a turn of one delta, and each
// further delta. The bounds are 25 µs a turn, 0.3 µs and one allocation a delta.
//
// A turn is a whole call against a whole call. A delta costs the SDK some 7 µs, which vary by more than is to be
// measured; so there the loop over the SDK's events that a caller would write stands against ours over the same events,
// and the SDK's decoding is left out of both: once with the events handed over one by one, as the SDK does it, and once
// with all of them there. Both sides take turns in short slices, and their lower quartiles are compared: what others do
// on the machine, and the collector, only ever add to a slice.
func BenchmarkOverSDK(b *testing.B) {
	const deltas = 500
	sdk, model := turns(b, 1)
	m := must(New(bt.NewClient("http://localhost"), "any-model", nil))
	w := startWatchdog(b.Context(), time.Minute)
	defer w.stop()
	took := map[string][]time.Duration{}
	clock := func(name string, f func()) {
		start := time.Now()
		f()
		took[name] = append(took[name], time.Since(start))
	}
	for b.Loop() {
		for range 10 {
			clock("sdk turn", sdk)
			clock("our turn", model)
		}
		for _, ready := range []bool{false, true} {
			name := map[bool]string{true: "ready", false: "handed"}[ready]
			theirs, ours := feeding(deltas, ready), feeding(deltas, ready)
			clock("sdk "+name, func() {
				for ev := range theirs.Events() {
					_ = ev
				}
			})
			clock("our "+name, func() {
				all := func(yield func(agent.Delta, error) bool) { // as Stream does
					if err := m.readEvents(b.Context(), w, ours, func(d agent.Delta) bool { return yield(d, nil) }); err != nil {
						yield(nil, err)
					}
				}
				for d, err := range all {
					if err != nil {
						b.Fatal(err)
					}
					_ = d
				}
			})
		}
	}
	over := func(what string) float64 {
		quartile := func(d []time.Duration) time.Duration { slices.Sort(d); return d[len(d)/4] }
		return float64((quartile(took["our "+what]) - quartile(took["sdk "+what])).Nanoseconds())
	}
	b.ReportMetric(over("turn"), "ns-over/turn")
	b.ReportMetric(over("handed")/deltas, "ns-over/delta")
	b.ReportMetric(over("ready")/deltas, "ns-over/delta-ready")
	b.ReportMetric(0, "ns/op")
}

// The allocations on top of the SDK do not depend on the machine, so they are tested.
func TestAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector lets pools forget at random")
	}
	over := func(deltas int) float64 {
		sdk, model := turns(t, deltas)
		return testing.AllocsPerRun(5, model) - testing.AllocsPerRun(5, sdk)
	}
	turn := over(1)
	require.Less(t, (over(1001)-turn)/1000, 1.05, "allocations a delta")
	require.Less(t, turn, 120.0, "allocations a turn of 25 messages and ten tools")
}

// The cost of one text delta in this package alone.
func BenchmarkTake(b *testing.B) {
	var a accumulator
	ev := &types.ConverseStreamOutputMemberContentBlockDelta{Value: types.ContentBlockDeltaEvent{
		ContentBlockIndex: aws.Int32(0), Delta: &types.ContentBlockDeltaMemberText{Value: "a word "},
	}}
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
