package agenttest

import (
	"context"
	"iter"

	"github.com/carrel-go/carrel/agent"
)

// Func is a Model that answers with what f returns: the deltas in order, and then the error if there is one. Without
// an error the answer is completed as that of [Answer]. f is called when the sequence is ranged over, in that
// goroutine, and for several requests at once where several streams run; it keeps and changes nothing of a request.
func Func(f func(ctx context.Context, r *agent.Request) ([]agent.Delta, error)) agent.Model {
	return function(f)
}

type function func(context.Context, *agent.Request) ([]agent.Delta, error)

func (f function) Stream(ctx context.Context, r *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(nil, err)
			return
		}
		t := Turn{}
		t.deltas, t.err = f(ctx, r)
		if t.err != nil {
			t.end = failing
		}
		t.play(ctx, yield)
	}
}
