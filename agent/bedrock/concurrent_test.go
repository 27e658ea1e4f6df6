package bedrock_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/internal/must"
)

// 64 streams at a time of one model over real sockets: under the race detector this fails when they share one of the
// SDK's clients.
func TestConcurrentStreams(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(bt.NewScript(bt.Forever(bt.Func(func(r *bt.Request) bt.Step {
		q := r.Messages[0].Parts[0].Text
		var pieces []bt.Piece
		for i := range 20 {
			pieces = append(pieces, bt.Text(fmt.Sprintf("%s.%d ", q, i)))
		}
		return bt.Reply(append(pieces, bt.ToolUse("id-"+q, "look_up", `{"q":`, `"`, q, `"}`))...)
	}))))
	defer server.Close()
	client := bt.NewClient(server.URL, func(o *bedrockruntime.Options) { o.HTTPClient = server.Client() })
	m := must.Get(bedrock.New(client, "any-model", nil))

	var g errgroup.Group
	for n := range 64 {
		g.Go(func() error {
			for i := range 4 {
				q := fmt.Sprintf("q%d-%d", n, i)
				var said strings.Builder
				var called string
				for d, err := range m.Stream(t.Context(), ask(q)) {
					if err != nil {
						return err
					}
					switch d := d.(type) {
					case agent.TextDelta:
						said.WriteString(d.Text)
					case agent.UsePart:
						called = d.ID + string(d.Input)
					}
				}
				if want := fmt.Sprintf(`id-%s{"q":"%s"}`, q, q); called != want || strings.Count(said.String(), q+".") != 20 {
					return fmt.Errorf("stream %s got %s and %q", q, called, said.String())
				}
			}
			return nil
		})
	}
	require.NoError(t, g.Wait())
}

// An ARN as model id reaches the service whole.
func TestModelARN(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:bedrock:us-east-1:111122223333:inference-profile/reader"
	script := bt.NewScript(bt.Reply(bt.Text("hello")))
	server := httptest.NewServer(script)
	defer server.Close()
	_, err := collect(t, t.Context(), must.Get(bedrock.New(bt.NewClient(server.URL), arn, nil)), ask("?"))
	require.NoError(t, err)
	require.Equal(t, arn, script.Requests()[0].Model)
}
