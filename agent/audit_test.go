package agent

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

type refusals struct {
	mu  sync.Mutex
	all []scope.Refusal
}

func (r *refusals) Refused(_ context.Context, f scope.Refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, f)
}

// Each refused request of a model is reported once. Corrections and failures of a tool are not reported.
func TestRefusalsAreReportedOnce(t *testing.T) {
	t.Parallel()
	heard := &refusals{}
	m := play(
		step{use("c1", "echo", `{"word":"a","tenant_id":"globex"}`), calls},
		step{use("c2", "read_any_file", `{"key":"tenant=globex/shared/x"}`), use("c3", "echo", `{"word":"ok"}`), calls},
		step{use("c4", "echo", `{"word":"mend"}`), use("c5", "echo", `{"word":"ok"}`), use("c6", "echo", `{"word":"secret"}`), calls},
		step{use("c7", "echo", `{"word":"cut`), use("c8", "echo", `{"word":"ok"}`), calls},
		step{text("Done."), end},
	)
	a, err := New(m, &Options{Tools: tools.Of(echo(t)), Audit: heard})
	require.NoError(t, err)
	s := tenant(t, "acme")
	_, err = a.Run(t.Context(), Input{Scope: s, Prompt: "Go."})
	require.NoError(t, err)
	require.Len(t, heard.all, 3)
	for i, want := range []string{`tenant_id: is not known`, `"read_any_file"`, `call of "echo"`} {
		require.Equal(t, s, heard.all[i].Scope)
		require.Equal(t, "agent.Call", heard.all[i].Op)
		require.ErrorContains(t, heard.all[i].Err, want)
	}
}
