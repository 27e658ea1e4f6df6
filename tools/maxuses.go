package tools

import (
	"context"
	"errors"
	"fmt"
)

// maxUsesState is the name in a [State] under which MaxUses counts: an object of numbers by the names of tools.
const maxUsesState = "tools.uses"

// MaxUses lets a tool be used n times in a conversation; further calls give the model a correction, and nothing has
// run. The count is kept in the call's [State], by the name under which the tool is offered, so it goes on over turns,
// runs and restarts, and two tools offered under one name count together.
//
// A use is reserved before the call runs, so that calls which run at once cannot overshoot, and stays used if the call
// fails or panics: it may have had its effect. A call that is pending has not run and gives its use back. Inside
// [RetryTransient] each attempt is a use. It panics if n is not positive.
func MaxUses(n int) Middleware {
	if n <= 0 {
		panic(fmt.Sprintf("tools: %d uses of a tool", n))
	}
	return func(next Handler) Handler {
		return func(ctx context.Context, c *Call) (Result, error) {
			if err := use(c, n); err != nil {
				return Result{}, err
			}
			res, err := next(ctx, c)
			if _, ok := errors.AsType[*PendingError](err); ok {
				var uses map[string]int
				if back := c.State().Update(maxUsesState, &uses, func() error { uses[c.Name()]--; return nil }); back != nil {
					return Result{}, errors.Join(err, back)
				}
			}
			return res, err
		}
	}
}

// use takes one of n uses of the call's tool.
func use(c *Call, n int) error {
	var uses map[string]int
	return c.State().Update(maxUsesState, &uses, func() error {
		if uses[c.Name()] >= n {
			times := fmt.Sprintf("%d times", n)
			if n == 1 {
				times = "once"
			}
			return Correct(fmt.Sprintf("Not run: %s may be used %s in a conversation, and it has been. Go on without it.", c.Name(), times))
		}
		if uses == nil {
			uses = map[string]int{}
		}
		uses[c.Name()]++
		return nil
	})
}
