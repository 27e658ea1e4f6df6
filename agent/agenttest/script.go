package agenttest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/carrel-go/carrel/agent"
)

// ErrOver says that a script was asked for an answer after its last turn.
var ErrOver = errors.New("agenttest: the script is over")

// TurnError says which turn of a script did not go as it should. A Script yields it inside an [*agent.ModelError], so
// that it is found with [errors.As] in the error of a run too.
type TurnError struct {
	Turn int // from 1
	// Err is [ErrOver], or what a [Check] returned.
	Err error
}

// Error implements error.
func (e *TurnError) Error() string { return fmt.Sprintf("agenttest: turn %d: %v", e.Turn, e.Err) }

// Unwrap gives the reason.
func (e *TurnError) Unwrap() error { return e.Err }

// UnusedError says that a script has turns for which no request came.
type UnusedError struct {
	Played, Turns int
}

// Error implements error.
func (e *UnusedError) Error() string {
	return fmt.Sprintf("agenttest: %d of the script's %d turns were played", e.Played, e.Turns)
}

// TB is what this package needs of a [testing.TB].
type TB interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
}

// Script is a Model that plays turns, one a request, in the order in which the requests are sent. It is safe for
// concurrent use; but where several runs share one, which turn goes to which run is a matter of chance: give each its
// own by [Script.Again], or use a [Cast].
//
// A request for which no turn is left, or which does not pass the turn's checks, is answered with a [*TurnError]; a
// turn whose checks fail counts as played.
type Script struct {
	turns []Turn // each played once

	mu       sync.Mutex
	requests []*agent.Request
	errs     []error
}

// NewScript returns a script of the given turns. Whoever makes it looks at [Script.Err] at the end; [Play] does so by
// itself.
func NewScript(turns ...Turn) *Script {
	s := &Script{}
	for _, t := range turns {
		n := t.times
		t.times = 0
		for range n + 1 {
			s.turns = append(s.turns, t)
		}
	}
	return s
}

// Play is [NewScript] for a test, which fails at its end if [Script.Err] does.
func Play(t TB, turns ...Turn) *Script {
	t.Helper()
	s := NewScript(turns...)
	Verify(t, s)
	return s
}

// Verify makes a test fail at its end if Err of m, a [Script], [Cast], [Player] or [Recorder], is not nil then.
func Verify(t TB, m interface{ Err() error }) {
	t.Helper()
	t.Cleanup(func() {
		t.Helper()
		if err := m.Err(); err != nil {
			t.Errorf("%v", err)
		}
	})
}

// Again is a script of the same turns, at its beginning.
func (s *Script) Again() *Script { return &Script{turns: s.turns} }

// Requests are copies of the requests that came so far, in order.
func (s *Script) Requests() []*agent.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*agent.Request, len(s.requests))
	for i, r := range s.requests {
		out[i] = clone(r)
	}
	return out
}

// Err is what went wrong so far: each [*TurnError], and an [*UnusedError] if turns are left; or nil.
func (s *Script) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	errs := slices.Clone(s.errs)
	if n := len(s.requests); n < len(s.turns) {
		errs = append(errs, &UnusedError{Played: n, Turns: len(s.turns)})
	}
	return errors.Join(errs...)
}

// Stream implements [agent.Model]. A context that has ended takes no turn.
func (s *Script) Stream(ctx context.Context, r *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(nil, err)
			return
		}
		t, err := s.next(r)
		if err != nil {
			yield(nil, &agent.ModelError{Code: agent.Internal, Message: "The script and the run disagree.", Err: err})
			return
		}
		t.play(ctx, yield)
	}
}

// next takes the turn for a request.
func (s *Script) next(r *agent.Request) (Turn, error) {
	s.mu.Lock()
	n := len(s.requests)
	s.requests = append(s.requests, clone(r))
	s.mu.Unlock()

	t := Turn{}
	err := ErrOver
	if n < len(s.turns) {
		t, err = s.turns[n].settle(r)
	}
	if err != nil {
		err = &TurnError{Turn: n + 1, Err: err}
		s.mu.Lock()
		s.errs = append(s.errs, err)
		s.mu.Unlock()
	}
	return t, err
}

// settle gives the turn to be played for a request, if it passes the checks.
func (t Turn) settle(r *agent.Request) (Turn, error) {
	for {
		for _, check := range t.checks {
			if err := check(r); err != nil {
				return Turn{}, err
			}
		}
		if t.choose == nil {
			return t, nil
		}
		t = t.choose(r)
	}
}
