package tools

import (
	"context"
	"errors"
	"fmt"
)

// maxUsesState is the name in a [State] of the counts of MaxUses: an object of numbers by tool name. While a call with
// an idempotency key runs, it also has a member with the name that openUse returns.
const maxUsesState = "tools.uses"

// MaxUses limits a tool to n uses in a conversation. Further calls do not run, and the model receives a correction. The
// count is part of the call's [State], under the name of the tool in its [Set]. It therefore survives turns, runs and
// restarts, and two tools with one name share it.
//
// MaxUses reserves a use before the call runs, so that concurrent calls cannot exceed n. The use stays reserved if the
// call fails or panics, because the call may have had its effect. A pending call did not run, so its use is released.
// If a resumed run repeats a call that was interrupted or ended the run, that is the same use. Inside [RetryTransient]
// each attempt is a use. MaxUses panics if n is not positive.
func MaxUses(n int) Middleware {
	if n <= 0 {
		panic(fmt.Sprintf("tools: invalid number of uses %d: must be positive", n))
	}
	return func(next Handler) Handler {
		return func(ctx context.Context, c *Call) (res Result, err error) {
			if err := reserveUse(c, n); err != nil {
				return Result{}, err
			}
			defer func() { // also after a panic
				_, fatal := errors.AsType[*FatalError](err)
				if fatal || err != nil && ctx.Err() != nil {
					return // the call may be repeated
				}
				if failed := closeUse(c, err); failed != nil {
					res, err = Result{}, errors.Join(err, failed)
				}
			}()
			return next(ctx, c)
		}
	}
}

// openUse returns the name of the member that marks a use that the call has reserved, or "" without an idempotency key.
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
			return Correct(fmt.Sprintf("Not run: %s may be used %s in a conversation, and it has been. Continue without it.",
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
