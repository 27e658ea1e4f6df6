package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/tracking"
)

// maxMessage is the longest message to the agent in characters.
const maxMessage = 4000

// extract answers POST /api/metadata/extract: it starts a run on the upload and streams its events.
func (s *Server) extract(w http.ResponseWriter, r *http.Request) error {
	var id, message string
	if err := readBody(w, r, map[string]any{"session_id": &id, "message": &message}); err != nil {
		return err
	}
	if id == "" {
		return newProblem(http.StatusBadRequest, "The field session_id is missing.")
	}
	if utf8.RuneCountInString(message) > maxMessage {
		return newProblem(http.StatusRequestEntityTooLarge, fmt.Sprintf("The message is longer than %d characters.", maxMessage))
	}
	if message != "" && strings.TrimSpace(message) == "" {
		return newProblem(http.StatusBadRequest, "The message is blank.")
	}
	session, rec, err := s.record(r, id)
	if err != nil {
		return err
	}
	run, err := s.begin(r.Context(), session, rec, message)
	if err != nil {
		return err
	}
	sse.Serve(w, r, func(ctx context.Context, _ string) iter.Seq2[[]sse.Event, error] {
		return run.feed.follow(ctx) // from the start, since the run is new
	}, &sse.Options{Lifetime: -1}) // a client cannot resume a run yet
	return nil
}

// begin takes the upload's enrichment stage and starts a run that the server owns.
func (s *Server) begin(ctx context.Context, session scope.Scope, rec tracking.Record, message string) (*run, error) {
	st := rec.Stage(tracking.Enrichment)
	switch {
	case rec.Terminal:
		return nil, newProblem(http.StatusConflict, strings.TrimSpace("The upload has ended and cannot be extracted again. "+st.Error.Message))
	case st.Live(time.Now()):
		return nil, busy(st.Key)
	}
	run := &run{s: s, session: session, message: message, feed: newFeed()}
	o := &tracking.ClaimOptions{Key: "run." + rand.Text()}
	if err := run.upload(ctx, rec, o); err != nil {
		return nil, err
	}
	var err error
	run.attempt, err = s.o.Tracker.Claim(ctx, session, tracking.Enrichment, o)
	if err != nil {
		return nil, taken(err)
	}
	run.id = fmt.Sprintf("%s.%d", session.SessionID(), run.attempt.Fence())
	run.first = !run.attempt.Record().Stage(tracking.Enrichment).Parked
	if !s.own(run.live) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
		defer cancel()
		run.fail(ctx, stopped)
		return nil, newProblem(http.StatusServiceUnavailable, "The server is shutting down.").with("Retry-After", "5")
	}
	return run, nil
}

// upload finds the run's file. The first run proves that the file has arrived; taking the stage records that. Later
// runs use the recorded file.
func (r *run) upload(ctx context.Context, rec tracking.Record, o *tracking.ClaimOptions) error {
	ref, err := r.s.o.Arrivals.Arrived(ctx, rec)
	if errors.Is(err, presign.ErrNotArrived) {
		return newProblem(http.StatusConflict, "The file has not arrived yet.")
	}
	if rejected, ok := errors.AsType[*presign.RejectedError](err); ok {
		ref, r.refused, err = rejected.Ref, RejectedUpload(rejected), nil
	}
	if err != nil {
		r.s.o.Log.ErrorContext(ctx, "look for the upload", "scope", r.session.String(), "err", err)
		return newProblem(http.StatusServiceUnavailable, "The storage is unavailable. Try again.").with("Retry-After", "2")
	}
	r.source = ref
	o.Source = ref
	o.Observed = &tracking.Observation{Stage: tracking.UserUpload, Dest: ref}
	return nil
}

// RejectedUpload returns the error that people see of an upload that may not stay.
func RejectedUpload(e *presign.RejectedError) *tracking.Error {
	if errors.Is(e, presign.ErrTooLarge) {
		return &tracking.Error{Code: "image_too_large", Message: "The file is too large. Please upload a smaller one.", Err: e}
	}
	return &tracking.Error{
		Code: "upload_differs", Err: e,
		Message: "The file that arrived is not the one that was announced. Please upload it again.",
	}
}

// Upload returns the upload of the session that a tool call is for.
func Upload(tr *tracking.Tracker, landing *object.Bucket) func(context.Context, scope.Scope) (object.Ref, error) {
	return func(ctx context.Context, session scope.Scope) (object.Ref, error) {
		rec, err := tr.Get(ctx, session)
		if err != nil {
			return object.Ref{}, err
		}
		root, err := landing.In(session)
		if err != nil {
			return object.Ref{}, err
		}
		return rec.Stage(tracking.UserUpload).Destination.Ref(root)
	}
}

// taken describes why the stage could not be acquired.
func taken(err error) error {
	state, ok := errors.AsType[*tracking.StateError](err)
	switch {
	case ok && errors.Is(err, tracking.ErrRunning):
		return busy(state.Record.Stage(state.Stage).Key)
	case ok && errors.Is(err, tracking.ErrExhausted):
		return newProblem(http.StatusConflict, "All attempts for this upload are used up.")
	case ok && errors.Is(err, tracking.ErrTerminal):
		return newProblem(http.StatusConflict, "The upload is finished.")
	case ok, errors.Is(err, tracking.ErrContended):
		return newProblem(http.StatusConflict, "Somebody else is working on this upload. Try again.").with("Retry-After", "1")
	}
	return err
}

// busy returns the response if another run or accept holds the stage under this key.
func busy(key string) *problem {
	if isAcceptKey(key) {
		return newProblem(http.StatusConflict, "The upload is being accepted.").with("Retry-After", "1")
	}
	return newProblem(http.StatusConflict, "A run is under way for this upload. Wait until it has ended.")
}
