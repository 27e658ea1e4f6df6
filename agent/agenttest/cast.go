package agenttest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/carrel-go/carrel/agent"
)

// Cast is a Model for several conversations at once, each of which has a script of its own. They are told apart by
// the text of their first message. It is safe for concurrent use.
type Cast struct {
	scripts map[string]*Script

	mu     sync.Mutex
	errors []error
}

// NewCast returns a cast of scripts by the first message of the conversation that each is for.
func NewCast(scripts map[string]*Script) *Cast { return &Cast{scripts: maps.Clone(scripts)} }

// Err is what went wrong so far in each script, as [Script.Err] has it, and the conversations that there is no script
// for; or nil.
func (c *Cast) Err() error {
	c.mu.Lock()
	errs := slices.Clone(c.errors)
	c.mu.Unlock()
	for _, first := range slices.Sorted(maps.Keys(c.scripts)) {
		if err := c.scripts[first].Err(); err != nil {
			errs = append(errs, fmt.Errorf("agenttest: the script for %q: %w", first, err))
		}
	}
	return errors.Join(errs...)
}

// Stream implements [agent.Model].
func (c *Cast) Stream(ctx context.Context, r *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		first := ""
		if len(r.Messages) > 0 {
			first = texts(r.Messages[0].Parts)
		}
		s, ok := c.scripts[first]
		if !ok {
			err := fmt.Errorf("agenttest: no script is for the conversation that begins with %q", first)
			c.mu.Lock()
			c.errors = append(c.errors, err)
			c.mu.Unlock()
			yield(nil, &agent.ModelError{Code: agent.Internal, Message: "The script and the run disagree.", Err: err})
			return
		}
		s.Stream(ctx, r)(yield)
	}
}
