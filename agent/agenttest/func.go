package agenttest

import (
	"context"
	"iter"

	"github.com/carrel-go/carrel/agent"
)

// Func returns a Model that answers with the deltas of f, in order, and then with its error, if any. Without an error
// the answer is completed as [Answer] does. The consumer's goroutine calls f when it ranges over the stream, so f must
// be safe for concurrent use if streams run at once. It must not change the request, or keep it.
//
// Func panics if f is nil.
func Func(f func(ctx context.Context, r *agent.Request) ([]agent.Delta, error)) agent.Model {
	if f == nil {
		panic("agenttest: Func: the function must not be nil")
	}
	return turnFunc(func(ctx context.Context, r *agent.Request) Turn {
		deltas, err := f(ctx, r)
		if err != nil {
			return Fail(err, deltas...)
		}
		return Answer(deltas...)
	})
}

// turnFunc is a Model that plays the turn that it returns for a request, unless the context has ended.
type turnFunc func(context.Context, *agent.Request) Turn

func (f turnFunc) Stream(ctx context.Context, r *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(nil, err)
			return
		}
		f(ctx, r).play(ctx, yield)
	}
}
