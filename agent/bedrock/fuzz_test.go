package bedrock

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/carrel-go/carrel/agent"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
)

// For any bytes of an answer, the stream does not panic and does not end without a stop reason.
func FuzzStream(f *testing.F) {
	whole := answerOf(2)
	f.Add([]byte(whole))
	f.Add([]byte(whole[:len(whole)/2]))
	f.Add([]byte{})
	f.Add([]byte(recorded(bt.Reasoning("c2ln", "Hm"), bt.Redacted([]byte("x")), bt.ToolUse("a", "look_up", `{"`, `n"`, `:1`, `}`), bt.Usage(agent.Usage{CacheRead: 1, CacheWrite: 2}))))
	f.Add([]byte(recorded(bt.Interleave(bt.Text("a", "b"), bt.ToolUse("a", "x", "{", "}"), bt.Reasoning("", "Hm")), bt.Exception("ThrottlingException", "x"))))
	r := &agent.Request{Messages: []agent.Message{{Role: agent.RoleUser, Parts: []agent.Part{{Text: "?"}}}}}
	f.Fuzz(func(t *testing.T, stream []byte) {
		client := bt.NewClient("http://localhost", func(o *bedrockruntime.Options) { o.HTTPClient = canned(stream) })
		stopped, failed := false, false
		for d, err := range must(New(client, "any-model", nil)).Stream(t.Context(), r) {
			if failed {
				t.Fatal("a yield after the error")
			}
			if _, ok := d.(agent.StopPart); ok {
				stopped = true
			}
			failed = err != nil
		}
		if !stopped && !failed {
			t.Fatal("an end without a stop reason or an error")
		}
	})
}
