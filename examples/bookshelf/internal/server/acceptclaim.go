package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tracking"
)

// checkAcceptable returns a problem unless a person may accept the card of a stage. A run has left it to be reviewed,
// or has ended without a result, so that the person types the card. An accept that was killed may have left it behind.
func checkAcceptable(session scope.Scope, st tracking.Progress) error {
	switch {
	case st.Parked, st.State == tracking.StateFailed:
		return nil
	case st.Live(time.Now()):
		return newBusyProblem(session, st.Key)
	case st.State == tracking.StateRunning && isAcceptKey(st.Key):
		return nil
	}
	return newProblem(http.StatusConflict, "Nothing has been extracted from this upload yet.")
}

// claimForAccept takes the stage. A stage that was never reviewed is parked first and then taken again, so that an
// accept that fails does not end the record, even on the last attempt.
func (s *Server) claimForAccept(ctx context.Context, session scope.Scope, key string) (*tracking.Attempt, error) {
	claim := &tracking.ClaimOptions{Key: key, Lease: acceptLease}
	attempt, err := s.o.Tracker.Claim(ctx, session, tracking.Enrichment, claim)
	if err != nil || attempt.Record().Stage(tracking.Enrichment).Parked {
		return attempt, err
	}
	if err := attempt.Park(ctx, 0); err != nil {
		return nil, err
	}
	return s.o.Tracker.Claim(ctx, session, tracking.Enrichment, claim)
}

// newClaimProblem describes why an accept did not get the stage.
func newClaimProblem(err error) error {
	state, ok := errors.AsType[*tracking.StateError](err)
	switch {
	case ok && errors.Is(err, tracking.ErrRunning):
		return newBusyProblem(state.Record.Scope, state.Record.Stage(state.Stage).Key)
	case ok && errors.Is(err, tracking.ErrExhausted):
		return newProblem(http.StatusConflict, "All attempts for this upload are used up.")
	case ok && errors.Is(err, tracking.ErrTerminal):
		return newProblem(http.StatusConflict, "The upload is finished.")
	case ok, errors.Is(err, tracking.ErrContended):
		p := newProblem(http.StatusConflict, "Somebody else is working on this upload. Try again.")
		return p.WithHeader("Retry-After", "1")
	}
	return err
}
