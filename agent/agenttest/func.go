package agenttest

import (
	"context"
	"iter"

	"github.com/carrel-go/carrel/agent"
)

// Func returns a Model that answers with the deltas of f, in order, and then with its error, if any. Without an error
// the answer is completed as [Answer] does. The consumer's goroutine calls f when it ranges over the stream, so f must
// be safe for concurrent use if streams run at once. It must not change the request, or keep it.
func Func(f func(ctx context.Context, r *agent.Request) ([]agent.Delta, error)) agent.Model {
	return funcModel(f)
}

type funcModel func(context.Context, *agent.Request) ([]agent.Delta, error)

func (f funcModel) Stream(ctx context.Context, r *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(nil, err)
			return
		}
		t := Turn{}
		t.deltas, t.err = f(ctx, r)
		if t.err != nil {
			t.end = endError
		}
		t.play(ctx, yield)
	}
}
