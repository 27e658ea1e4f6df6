package bedrock

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

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

// recorded gives the bytes of a stream.
func recorded(pieces ...bt.Piece) canned {
	const body = `{"messages":[{"role":"user","content":[{"text":"?"}]}]}`
	r := httptest.NewRequest(http.MethodPost, "/model/m/converse-stream", strings.NewReader(body))
	if err := bt.Sign(r, []byte(body)); err != nil {
		panic(err)
	}
	w := httptest.NewRecorder()
	bt.NewScript(bt.Reply(pieces...)).ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		panic(w.Body.String())
	}
	return w.Body.Bytes()
}

// A turn of a conversation with ten tools and 25 messages, through the SDK alone, its input built beforehand, and
// through a Model: the difference is what this package costs, a turn with one delta and a delta with 1,000.
func BenchmarkStream(b *testing.B) {
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
		said(agent.User, agent.Part{Text: "Read on."})
		said(agent.Assistant, agent.Part{Text: "I read."}, agent.Part{Use: &agent.ToolUse{
			ID: id, Name: "tool_1", Input: json.RawMessage(`{"file":"f1","from":10,"lines":20}`),
		}})
		said(agent.User, agent.Part{Result: &agent.ToolResult{ID: id, Result: tools.Result{
			Blocks: []tools.Block{{JSON: json.RawMessage(`{"text":"a line, and another"}`)}},
		}}})
		said(agent.Assistant, agent.Part{Text: "That was it."})
	}
	said(agent.User, agent.Part{Text: "Read on."})

	for _, deltas := range []int{1, 1000} {
		client := bt.NewClient("http://localhost", func(o *bedrockruntime.Options) { o.HTTPClient = answerOf(deltas) })
		b.Run(fmt.Sprintf("sdk/%d", deltas), func(b *testing.B) {
			b.ReportAllocs()
			in, err := New(client, "any-model", nil).input(b.Context(), r)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				out, err := client.ConverseStream(b.Context(), in)
				if err != nil {
					b.Fatal(err)
				}
				for range out.GetStream().Events() {
				}
				_ = out.GetStream().Close()
			}
		})
		b.Run(fmt.Sprintf("model/%d", deltas), func(b *testing.B) {
			b.ReportAllocs()
			m := New(client, "any-model", nil)
			for b.Loop() {
				for _, err := range m.Stream(b.Context(), r) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
