package bedrock_test

import (
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/agent/bedrock/internal/memnet"
	"github.com/carrel-go/carrel/internal/must"
)

// Reasoning goes back to the model that signed it and to no other one, in a fallback too.
func TestSignaturesOverTheWire(t *testing.T) {
	t.Parallel()
	thinks := func(signature string, p ...bt.Piece) bt.Step {
		return bt.Reply(append([]bt.Piece{bt.Reasoning(signature, "hm")}, p...)...)
	}
	script := bt.NewScript(
		thinks("c2lnLWE=", bt.Text("hello")),
		bt.Fail(400, "ModelNotReadyException", "Not ready."), bt.Reply(bt.Redacted([]byte("sig-b")), bt.Text("hello")),
		thinks("c2lnLWEy", bt.Text("hello")),
	)
	synctest.Test(t, func(t *testing.T) {
		client, stop := memnet.Serve(script)
		defer stop()
		model := func(id string) agent.Model {
			return must.Get(bedrock.New(bt.NewClient(memnet.URL, func(o *bedrockruntime.Options) {
				o.HTTPClient, o.Retryer = client, aws.NopRetryer{}
			}), id, nil))
		}
		a, err := agent.New(agent.Fallback(model("a"), model("b")), nil)
		require.NoError(t, err)
		var h agent.History
		for range 3 {
			done, err := a.Run(t.Context(), agent.Input{Prompt: "Hi.", History: h})
			require.NoError(t, err)
			h = done.History
		}
	})
	require.NoError(t, script.Err())
	var got [][]string
	for _, r := range script.Requests() {
		signatures := []string{r.Model}
		for _, m := range r.Messages {
			for _, p := range m.Parts {
				if p.Reasoning != nil {
					signatures = append(signatures, p.Reasoning.Signature+string(p.Reasoning.Redacted))
				}
			}
		}
		got = append(got, signatures)
	}
	require.Equal(t, [][]string{{"a"}, {"a", "c2lnLWE="}, {"b"}, {"a", "c2lnLWE="}}, got)
}
