package server

import (
	"context"
	"errors"
	"regexp"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tracking"
)

// newHost returns what the bookshelf adds to a run.
func (s *Server) newHost() runner.Host {
	return runner.Host{
		Stream: s.streamAgent, Prompt: s.buildPrompt, Stage: s.claimStage, Custom: s.customEvents, End: s.recordEnd,
	}
}

// claimStage takes the upload's enrichment stage for a run. It looks at the record again if another process that has
// the run, or had it, changes the stage meanwhile.
func (s *Server) claimStage(ctx context.Context, r *runner.Run) (*tracking.Attempt, error) {
	if isChat(r) { // it does not have a stage
		return nil, nil
	}
	for {
		attempt, err := s.tryClaim(ctx, r)
		if ctx.Err() != nil || !isClaimedFor(r, err) {
			return attempt, err
		}
	}
}

// isClaimedFor reports whether a claim was rejected because another process has claimed or ended the stage for the same
// run since the record was read.
func isClaimedFor(r *runner.Run, err error) bool {
	if !errors.Is(err, tracking.ErrRunning) && !errors.Is(err, tracking.ErrTaken) {
		return false
	}
	rejected, ok := errors.AsType[*tracking.StateError](err)
	return ok && rejected.Record.Stage(tracking.Enrichment).Key == r.ID
}

// tryClaim takes the stage in the state in which the record is read. The first run proves that the file has arrived;
// taking the stage records that. Later runs use the recorded file and no other.
func (s *Server) tryClaim(ctx context.Context, r *runner.Run) (*tracking.Attempt, error) {
	rec, err := s.o.Tracker.Get(ctx, r.Scope)
	if err != nil {
		return nil, err
	}
	o := &tracking.ClaimOptions{Key: r.ID}
	if st := rec.Stage(tracking.Enrichment); st.Key == r.ID { // another process has begun the run
		switch {
		case st.State == tracking.StateRunning, st.State == tracking.StateReleased:
			o.TakeOver = true
		case st.State != tracking.StateFailed: // it has ended the stage
			return nil, nil
		case st.Error.Code != lostCode:
			return nil, publicError(&st.Error)
		}
	}
	ref, err := s.o.Arrivals.Arrived(ctx, rec)
	var refused *tracking.Error
	if rejected, ok := errors.AsType[*presign.RejectedError](err); ok {
		ref, refused, err = rejected.Ref, RejectedUpload(rejected), nil
	}
	if err != nil {
		return nil, err
	}
	o.Source, o.Observed = ref, &tracking.Observation{Stage: tracking.UserUpload, Dest: ref}
	attempt, err := s.o.Tracker.Claim(ctx, r.Scope, tracking.Enrichment, o)
	if err != nil {
		return nil, claimError(err)
	}
	if refused == nil {
		return attempt, nil
	}
	if err := s.failStage(ctx, attempt, refused); err != nil {
		return nil, err
	}
	return nil, publicError(refused)
}

// lostCode is the code of a stage that was ended because its worker was silent.
const lostCode = "lost"

// RejectedUpload returns the error that people see of an upload that may not stay.
func RejectedUpload(e *presign.RejectedError) *tracking.Error {
	if errors.Is(e, presign.ErrTooLarge) {
		const message = "The file is too large. Please upload a smaller one."
		return &tracking.Error{Code: "image_too_large", Message: message, Err: e}
	}
	return &tracking.Error{
		Code: "upload_differs", Err: e,
		Message: "The file that arrived is not the one that was announced. Please upload it again.",
	}
}

// ownObject matches the names of objects that packages runner, history and replay store beside the upload of a session.
var ownObject = regexp.MustCompile(`^(run|turn|event)-[0-9a-f]{64}\.json$`)

// IsOwnObject reports whether a name in the landing bucket is that of an object which the service stores there itself.
func IsOwnObject(name string) bool { return ownObject.MatchString(name) }

// claimError returns the public error of a run that did not get its stage.
func claimError(err error) error {
	if _, ok := errors.AsType[*tracking.StateError](err); !ok && !errors.Is(err, tracking.ErrContended) {
		return err
	}
	f := &tracking.Error{
		Code: "conflict", Message: "Somebody else is working on this upload. Try again.", Retryable: true, Err: err,
	}
	if errors.Is(err, tracking.ErrTerminal) || errors.Is(err, tracking.ErrExhausted) {
		f.Message, f.Retryable = "The upload has ended and cannot be extracted again.", false
	}
	return publicError(f)
}

// buildPrompt returns the text for the model: the person's message. On the first run, the default prompt precedes it,
// and a file that is not an image fails before the model is asked.
func (s *Server) buildPrompt(ctx context.Context, r *runner.Run) (string, []tools.Media, error) {
	if isChat(r) {
		return r.Prompt, nil, nil
	}
	isFirst := r.Attempt != nil && !r.Attempt.Record().Stage(tracking.Enrichment).Parked
	if isFirst {
		photo, err := uploadOf(r.Attempt.Record(), s.o.Landing)
		if err != nil {
			return "", nil, err
		}
		root, err := s.o.Landing.In(r.Scope)
		if err != nil {
			return "", nil, err
		}
		if _, err := s.o.Photos.Gray(ctx, root, photo); err != nil {
			return "", nil, publicError(err)
		}
	}
	switch {
	case r.Prompt == "":
		return s.o.Prompt, nil, nil
	case isFirst:
		return s.o.Prompt + "\n\n" + r.Prompt, nil, nil
	}
	return r.Prompt, nil, nil
}

// Upload returns the upload of the session that a tool call is for.
func Upload(tr *tracking.Tracker, landing *object.Bucket) func(context.Context, scope.Scope) (object.Ref, error) {
	return func(ctx context.Context, session scope.Scope) (object.Ref, error) {
		rec, err := tr.Get(ctx, session)
		if err != nil {
			return object.Ref{}, err
		}
		return uploadOf(rec, landing)
	}
}

func uploadOf(rec tracking.Record, landing *object.Bucket) (object.Ref, error) {
	root, err := landing.In(rec.Scope)
	if err != nil {
		return object.Ref{}, err
	}
	return rec.Stage(tracking.UserUpload).Destination.Ref(root)
}

// recordEnd parks or fails the stage of a run that has ended. It deletes the upload if the record has failed for ever.
func (s *Server) recordEnd(ctx context.Context, r *runner.Run, res runner.Result) error {
	if r.Attempt == nil { // the stage was not taken, or has ended
		return nil
	}
	keeps := res.Status == runner.StatusComplete
	if res.Status == runner.StatusStopped {
		d, err := s.loadDraft(ctx, r.Scope)
		if err != nil {
			return err
		}
		keeps = !d.mergeEdits().Metadata.IsZero()
	}
	if keeps {
		return r.Attempt.Park(ctx, 0)
	}
	code, message := endOf(res.Status, res.Code, res.Message)
	isRetryable := res.Retryable || res.Status != runner.StatusFailed || res.Code == string(agent.CodeInternal)
	return s.failStage(ctx, r.Attempt, &tracking.Error{Code: code, Message: message, Retryable: isRetryable, Err: res.Err})
}

// failStage records a failure, and deletes the upload if the record has failed for ever.
func (s *Server) failStage(ctx context.Context, attempt *tracking.Attempt, f *tracking.Error) error {
	if err := attempt.Fail(ctx, f); err != nil {
		return err
	}
	s.o.Arrivals.Discard(ctx, attempt.Record())
	return nil
}

// endOf returns the code and message of a run that did not complete, for its record and its last event.
func endOf(status runner.Status, code, message string) (string, string) {
	switch status {
	case runner.StatusFailed:
		return code, message
	case runner.StatusLimit:
		return string(agent.CodeLimit), "The run reached a limit before it was done. Try again."
	}
	return string(status), "The run was stopped."
}

// publicError returns err with the code and message that a browser may see. Runs that failed can be tried again, unless
// the cause is the upload.
func publicError(err error) error {
	if run, ok := errors.AsType[*agent.RunError](err); ok {
		public := *run
		if _, isFatal := errors.AsType[*tools.FatalError](err); !isFatal {
			public.Retryable = true
		}
		return &public
	}
	if e, ok := errors.AsType[*tools.FatalError](err); ok {
		return &agent.RunError{Code: agent.Code(e.Code), Message: e.Message, Retryable: e.Retryable, Err: err}
	}
	if e, ok := errors.AsType[*tracking.Error](err); ok {
		return &agent.RunError{Code: agent.Code(e.Code), Message: e.Message, Retryable: e.Retryable, Err: err}
	}
	return err
}
