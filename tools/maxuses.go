package tools

import (
	"context"
	"errors"
	"fmt"
)

// maxUsesState is the name in a [State] under which MaxUses counts: an object of numbers by the names of tools. While a
// call with an idempotency key runs, it also has the member that openUse names.
const maxUsesState = "tools.uses"

// MaxUses lets a tool be used n times in a conversation; further calls give the model a correction, and nothing has
// run. The count is kept in the call's [State], by the name under which the tool is offered, so it goes on over turns,
// runs and restarts, and two tools offered under one name count together.
//
// A use is reserved before the call runs, so that calls which run at once cannot overshoot, and stays used if the call
// fails or panics: it may have had its effect. A call that is pending has not run and gives its use back. A call that a
// resumed run makes again, because it was cut off or ended the run, is the same use. Inside [RetryTransient] each
// attempt is a use. It panics if n is not positive.
func MaxUses(n int) Middleware {
	if n <= 0 {
		panic(fmt.Sprintf("tools: %d uses of a tool", n))
	}
	return func(next Handler) Handler {
		return func(ctx context.Context, c *Call) (res Result, err error) {
			if err := reserveUse(c, n); err != nil {
				return Result{}, err
			}
			defer func() { // also after a panic
				_, fatal := errors.AsType[*FatalError](err)
				if fatal || err != nil && ctx.Err() != nil {
					return // the call may be made again
				}
				if failed := closeUse(c, err); failed != nil {
					res, err = Result{}, errors.Join(err, failed)
				}
			}()
			return next(ctx, c)
		}
	}
}

// openUse returns the name of the member that says that the call has a use already; "" without an idempotency key.
func openUse(c *Call) string {
	if c.IdempotencyKey() == "" {
		return ""
	}
	return fmt.Sprintf("%s#%.16s", c.Name(), c.IdempotencyKey())
}

// reserveUse takes one of n uses of the call's tool.
func reserveUse(c *Call, n int) error {
	var uses map[string]int
	return c.State().Update(maxUsesState, &uses, func() error {
		open := openUse(c)
		if uses[open] > 0 {
			return nil
		}
		if uses[c.Name()] >= n {
			times := fmt.Sprintf("%d times", n)
			if n == 1 {
				times = "once"
			}
			return Correct(fmt.Sprintf("Not run: %s may be used %s in a conversation, and it has been. Go on without it.",
				c.Name(), times))
		}
		if uses == nil {
			uses = map[string]int{}
		}
		uses[c.Name()]++
		if open != "" {
			uses[open] = 1
		}
		return nil
	})
}

// closeUse ends a use after the call has returned err. A pending call gives its use back.
func closeUse(c *Call, err error) error {
	_, pending := errors.AsType[*PendingError](err)
	open := openUse(c)
	if open == "" && !pending {
		return nil
	}
	var uses map[string]int
	return c.State().Update(maxUsesState, &uses, func() error {
		delete(uses, open)
		if pending {
			uses[c.Name()]--
		}
		return nil
	})
}
