package server

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"time"
	"unicode/utf8"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tracking"
)

// runTime is the longest that a run may take: the stage's due.
const runTime = 15 * time.Minute

// newHost returns what the bookshelf adds to a run.
func (s *Server) newHost() runner.Host {
	return runner.Host{
		Stream: s.streamAgent, Prompt: s.buildPrompt, Stage: s.claimStage, Custom: s.customEvents, End: s.recordEnd,
	}
}

// claimStage takes the upload's enrichment stage for a run. The first run proves that the file has arrived; taking the
// stage records that. Later runs use the recorded file and no other.
func (s *Server) claimStage(ctx context.Context, r *runner.Run) (*tracking.Attempt, error) {
	if isChat(r) { // it does not have a stage
		return nil, nil
	}
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

// streamAgent runs the agent. The output of a complete extraction is the metadata that results from the whole
// conversation.
func (s *Server) streamAgent(ctx context.Context, r *runner.Run, in agent.Input) iter.Seq2[agent.Event, error] {
	return func(yield func(agent.Event, error) bool) {
		ctx, cancel := context.WithTimeoutCause(scope.NewContext(ctx, r.Scope), runTime, errOverdue)
		defer cancel()
		a := s.o.Agent
		if isChat(r) {
			a = s.o.Chat
			var err error
			if ctx, err = s.allowSharing(ctx, r); err != nil {
				yield(nil, err)
				return
			}
		}
		for ev, err := range a.Stream(ctx, in) {
			done, isDone := ev.(agent.Done)
			switch {
			case err != nil:
				err = publicError(err)
			case isDone && errors.Is(context.Cause(ctx), errOverdue):
				ev, err = nil, &agent.RunError{
					Code: agent.CodeTimeout, Message: "The run took too long and was ended.", Retryable: true, Done: done,
				}
			case isDone && !isChat(r):
				draft := booktools.Draft(done.History.Turns...)
				s.setTitle(r, draft)
				done.Output = draft.Canonical()
				ev = done
			}
			if !yield(ev, err) {
				return
			}
		}
	}
}

var errOverdue = errors.New("server: the run took too long")

// setTitle shows the draft's title in lists of uploads, truncated to fit. The next write of the record stores it.
func (s *Server) setTitle(r *runner.Run, draft book.Metadata) {
	if draft.Title == nil || r.Attempt == nil {
		return
	}
	const limit = 256 // bytes of a label
	title := *draft.Title
	for len(title) > limit {
		_, last := utf8.DecodeLastRuneInString(title)
		title = title[:len(title)-last]
	}
	if err := r.Attempt.SetLabel("title", title); err != nil {
		s.o.Log.Warn("set the title of an upload", "run", r.ID, "err", err)
	}
}

// customEvents returns the metadata_update of a successful set_field and the id of a chat, and logs the cause of a
// failed call.
func (s *Server) customEvents(_ context.Context, r *runner.Run, ev agent.Event) ([]runner.Custom, error) {
	if step, ok := ev.(agent.StepStarted); ok && step.Step == 1 && isChat(r) {
		id, err := json.Marshal(r.Scope.SessionID())
		return []runner.Custom{{Name: chatEvent, Value: id}}, err
	}
	done, ok := ev.(agent.ToolDone)
	if !ok {
		return nil, nil
	}
	if done.Err != nil {
		s.o.Log.Warn("tool failed", "run", r.ID, "tool", done.Name, "err", done.Err)
	}
	u, ok := booktools.ReadUpdate(done.Name, done.Result)
	if !ok {
		return nil, nil
	}
	value, err := json.Marshal(u)
	return []runner.Custom{{Name: metadataUpdate, Value: value}}, err
}

// recordEnd parks or fails the stage of a run that has ended. It deletes the upload if the record has failed for ever.
func (s *Server) recordEnd(ctx context.Context, r *runner.Run, res runner.Result) error {
	if r.Attempt == nil { // the stage was not taken, or has ended
		return nil
	}
	keeps := res.Status == runner.StatusComplete
	if res.Status == runner.StatusStopped {
		turns, err := s.loadTurns(ctx, r.Scope)
		if err != nil {
			return err
		}
		keeps = !booktools.Draft(turns...).IsZero()
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
