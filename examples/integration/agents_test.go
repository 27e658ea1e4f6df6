package integration_test

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/runner"
)

// pacedModel yields the n-th delta of an answer after n times the pace.
type pacedModel struct {
	agent.Model
	pace time.Duration
}

func (m pacedModel) Stream(ctx context.Context, r *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		due := time.Now()
		for d, err := range m.Model.Stream(ctx, r) {
			due = due.Add(m.pace)
			select {
			case <-time.After(time.Until(due)):
			case <-ctx.Done():
				yield(nil, ctx.Err())
				return
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

// newHost returns a Host whose agent does not have tools.
func newHost(t *testing.T, m agent.Model) runner.Host {
	t.Helper()
	a, err := agent.New(m, nil)
	require.NoError(t, err)
	return runner.Host{Stream: func(ctx context.Context, _ *runner.Run, in agent.Input) iter.Seq2[agent.Event, error] {
		return a.Stream(ctx, in)
	}}
}
