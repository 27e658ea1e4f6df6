package agenttest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"

	"github.com/carrel-go/carrel/agent"
)

// Script is a Model that plays one turn per request, in the order of the requests. It is safe for concurrent use, but
// runs that share a Script compete for its turns: give each run its own, or use [Func].
//
// A request after the last turn, or one that fails the checks of its turn, is answered with an [*agent.ModelError], and
// [Script.Err] returns the reason.
type Script struct {
	turns []Turn // each is played once

	mu       sync.Mutex
	requests []*agent.Request
	errs     []error
}

// NewScript returns a script of the given turns. Check [Script.Err] at the end; in a test, [Play] does.
func NewScript(turns ...Turn) *Script {
	return &Script{turns: slices.Clone(turns)}
}

// Play returns a script whose [Script.Err] fails the test at its end.
func Play(t testing.TB, turns ...Turn) *Script {
	t.Helper()
	s := NewScript(turns...)
	t.Cleanup(func() {
		t.Helper()
		if err := s.Err(); err != nil {
			t.Errorf("%v", err)
		}
	})
	return s
}

// Requests returns the requests so far, in order. Do not change the values of their parts.
func (s *Script) Requests() []*agent.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*agent.Request, len(s.requests))
	for i, r := range s.requests {
		out[i] = copyRequest(r)
	}
	return out
}

// copyRequest copies r with its messages: the agent appends to the messages of later requests.
func copyRequest(r *agent.Request) *agent.Request {
	c := *r
	c.Messages = slices.Clone(r.Messages)
	for i := range c.Messages {
		c.Messages[i].Parts = slices.Clone(c.Messages[i].Parts)
	}
	c.Tools = slices.Clone(r.Tools)
	return &c
}

// Err returns an error that names each request that failed, and the number of turns that were not played; or nil.
func (s *Script) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	errs := slices.Clone(s.errs)
	if n := len(s.requests); n < len(s.turns) {
		errs = append(errs, fmt.Errorf("agenttest: %d of the script's %d turns were played", n, len(s.turns)))
	}
	return errors.Join(errs...)
}

// Stream implements [agent.Model]. If the context has ended, it does not take a turn.
func (s *Script) Stream(ctx context.Context, r *agent.Request) iter.Seq2[agent.Delta, error] {
	return turnFunc(func(_ context.Context, r *agent.Request) Turn {
		t, err := s.takeTurn(r)
		if err != nil {
			return Fail(&agent.ModelError{Code: agent.CodeInternal, Message: "The test's script does not fit the run.",
				Err: err})
		}
		return t
	}).Stream(ctx, r)
}

func (s *Script) takeTurn(r *agent.Request) (Turn, error) {
	s.mu.Lock()
	n := len(s.requests)
	s.requests = append(s.requests, copyRequest(r))
	s.mu.Unlock()

	err := errors.New("all turns have been played")
	if n < len(s.turns) {
		err = s.turns[n].checkRequest(r)
	}
	if err != nil {
		err = fmt.Errorf("agenttest: turn %d: %w", n+1, err)
		s.mu.Lock()
		s.errs = append(s.errs, err)
		s.mu.Unlock()
		return Turn{}, err
	}
	return s.turns[n], nil
}

// checkRequest returns the error of the first check that fails.
func (t Turn) checkRequest(r *agent.Request) error {
	for _, check := range t.checks {
		if err := check(r); err != nil {
			return err
		}
	}
	return nil
}
