package bedrock_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// A result that is too long for the model is truncated and the model is asked again, after an HTTP error and after an
// exception in the stream. The next run continues.
func TestGiantResultsOverTheWire(t *testing.T) {
	t.Parallel()
	const words = "prompt is too long: 203470 tokens > 200000 maximum"
	for name, refusal := range map[string]bt.Step{
		"HTTP": bt.Fail(400, "ValidationException", words), "stream": bt.Reply(bt.Exception("ValidationException", words)),
	} {
		for _, c := range []agent.Compactor{nil, agent.DropOldest(100_000)} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				fits := func(s bt.Step) bt.Step {
					return bt.Forever(bt.Func(func(r *bt.Request) bt.Step {
						if len(r.Body) > 600_000 {
							return refusal
						}
						return s
					}))
				}
				script := bt.NewScript(bt.Reply(bt.ToolUse("c1", "read", `{}`)), fits(bt.Reply(bt.Text("ok"))))
				bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
					tool, err := tools.New("read", "Reads.", func(context.Context, *tools.Call, struct{}) (string, error) {
						return strings.Repeat("a long text ", 750_000/12), nil
					})
					require.NoError(t, err)
					a, err := agent.New(m, &agent.Options{Tools: tools.Of(tool), Compact: c})
					require.NoError(t, err)
					tenant, err := scope.Tenant("acme")
					require.NoError(t, err)
					done, err := a.Run(t.Context(), agent.Input{Scope: tenant, Prompt: "Read it."})
					require.NoError(t, err)
					_, err = a.Run(t.Context(), agent.Input{Scope: tenant, Prompt: "And?", History: done.History})
					require.NoError(t, err)
				})
				require.Len(t, script.Requests(), 4, "what was cut stays cut")
			})
		}
	}
}
