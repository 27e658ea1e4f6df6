package bedrock_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
)

// Leaving the loop and cancelling the context both end the stream while the connection is still there.
func TestLeavingEndsTheStream(t *testing.T) {
	t.Parallel()
	script := func() *bt.Script {
		return bt.NewScript(bt.Reply(bt.Text("one", "two", "three"), bt.Stall()))
	}
	t.Run("break", func(t *testing.T) {
		bubble(t, script(), nil, func(t *testing.T, m *bedrock.Model) {
			for d, err := range m.Stream(t.Context(), ask("?")) {
				require.NoError(t, err)
				require.Equal(t, agent.TextDelta{Text: "one"}, d)
				break
			}
			require.Zero(t, sdkGoroutines(t))
		})
	})
	t.Run("cancel", func(t *testing.T) {
		bubble(t, script(), nil, func(t *testing.T, m *bedrock.Model) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var last error
			for d, err := range m.Stream(ctx, ask("?")) {
				if d == (agent.TextDelta{Text: "three"}) {
					cancel()
				}
				last = err
			}
			require.Equal(t, context.Canceled, last)
			require.Zero(t, sdkGoroutines(t))
		})
	})
	t.Run("cancelled before", func(t *testing.T) {
		bubble(t, script(), nil, func(t *testing.T, m *bedrock.Model) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			got, err := collect(t, ctx, m, ask("?"))
			require.Equal(t, context.Canceled, err)
			require.Empty(t, got)
		})
	})
	t.Run("panic", func(t *testing.T) {
		bubble(t, script(), nil, func(t *testing.T, m *bedrock.Model) {
			require.PanicsWithValue(t, "consumer", func() {
				for range m.Stream(t.Context(), ask("?")) {
					panic("consumer")
				}
			})
			require.Zero(t, sdkGoroutines(t))
		})
	})
}

// A token in the environment does not change the client's credentials. The test is not parallel because it sets the
// environment.
func TestEnvironmentIsNotReadAgain(t *testing.T) {
	script := bt.NewScript(bt.Reply(bt.Text("hello")))
	bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
		t.Setenv("AWS_BEARER_TOKEN_BEDROCK", "a-token-of-somebody-else")
		_, err := collect(t, t.Context(), m, ask("?"))
		require.NoError(t, err)
		require.Contains(t, script.Requests()[0].Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=bedrocktest/")
	})
}
