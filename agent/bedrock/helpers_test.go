package bedrock_test

import (
	"context"
	"net/http"
	"regexp"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/agent/bedrock/internal/memnet"
	"github.com/carrel-go/carrel/internal/must"
)

// bubble runs f inside a synctest bubble with a model that calls h over an in-memory network. The bubble fails a
// test that leaves a goroutine behind, so every test here is a leak test too.
func bubble(t *testing.T, h http.Handler, o *bedrock.Options, f func(t *testing.T, m *bedrock.Model)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		client, stop := memnet.Serve(h)
		defer stop()
		f(t, newModel(client, o))
		if s, ok := h.(*bt.Script); ok {
			require.NoError(t, s.Err())
		}
	})
}

func newModel(client *http.Client, o *bedrock.Options) *bedrock.Model {
	return must.Get(bedrock.New(bt.NewClient(memnet.URL, func(o *bedrockruntime.Options) { o.HTTPClient = client }), "any-model", o))
}

func ask(text string) *agent.Request {
	return &agent.Request{Messages: []agent.Message{{Role: agent.RoleUser, Parts: []agent.Part{{Text: text}}}}}
}

// collect reads a stream to its end, and checks that an error is its last yield.
func collect(t *testing.T, ctx context.Context, m agent.Model, r *agent.Request) ([]agent.Delta, error) {
	t.Helper()
	var deltas []agent.Delta
	var last error
	for d, err := range m.Stream(ctx, r) {
		require.NoError(t, last, "a yield after the error")
		if err != nil {
			require.Nil(t, d)
			last = err
			continue
		}
		deltas = append(deltas, d)
	}
	return deltas, last
}

func modelError(t *testing.T, err error) *agent.ModelError {
	t.Helper()
	me, ok := err.(*agent.ModelError) //nolint:errorlint // the contract is the type itself
	require.True(t, ok, "%T is no *agent.ModelError: %v", err, err)
	return me
}

var bubbleName = regexp.MustCompile(`synctest bubble \d+`)

// sdkGoroutines counts the goroutines of this bubble that run code of the AWS SDK.
func sdkGoroutines(t *testing.T) int {
	t.Helper()
	synctest.Wait()
	stack := make([]byte, 256)
	bubble := bubbleName.Find(stack[:runtime.Stack(stack, false)])
	require.NotEmpty(t, bubble)
	var b strings.Builder
	require.NoError(t, pprof.Lookup("goroutine").WriteTo(&b, 2))
	n := 0
	for g := range strings.SplitSeq(b.String(), "\n\n") {
		isSDK := strings.Contains(g, "service/bedrockruntime.") || strings.Contains(g, "smithy-go/transport/http.(*EventStream")
		if isSDK && bubbleName.FindString(g) == string(bubble) {
			n++
		}
	}
	return n
}
