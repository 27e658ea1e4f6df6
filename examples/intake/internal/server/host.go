package server

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/examples/intake/internal/files"
	"github.com/carrel-go/carrel/examples/intake/internal/intaketools"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tracking"
)

// takePrefix begins the agent name of a run that takes in a file. The id of the file follows.
const takePrefix = "take-in "

// newHost returns the functions that intake adds to a run.
func (s *Server) newHost() runner.Host {
	return runner.Host{Stream: s.stream, Prompt: s.prompt, Stage: s.claim, Custom: s.custom, End: s.recordEnd}
}

// fileOf returns the session of the file that a run takes in, or false.
func (s *Server) fileOf(r *runner.Run) (scope.Scope, bool, error) {
	id, ok := strings.CutPrefix(r.Agent, takePrefix)
	if !ok {
		return scope.Scope{}, false, nil
	}
	user, err := s.userOf(r.Scope)
	if err != nil {
		return scope.Scope{}, false, err
	}
	session, err := user.Session(id)
	return session, err == nil, err
}

// stream runs the agent in the scope of the run's user, whose files are in many sessions.
func (s *Server) stream(ctx context.Context, r *runner.Run, in agent.Input) iter.Seq2[agent.Event, error] {
	return func(yield func(agent.Event, error) bool) {
		user, err := s.userOf(r.Scope)
		if err != nil {
			yield(nil, err)
			return
		}
		in.Scope = user
		if r.Attempt != nil {
			ctx = intaketools.NewContext(ctx, r.ID)
		}
		for ev, err := range s.o.Agent.Stream(scope.NewContext(ctx, user), in) {
			if !yield(ev, err) {
				return
			}
		}
	}
}

// prompt returns what the model is asked, and puts the chat on the list of its user.
func (s *Server) prompt(ctx context.Context, r *runner.Run) (string, []tools.Media, error) {
	session, takesIn, err := s.fileOf(r)
	if err != nil {
		return "", nil, err
	}
	if !takesIn {
		s.listChat(ctx, r, "")
		return r.Prompt, nil, nil
	}
	rec, err := s.o.Tracker.Get(ctx, session)
	if err != nil {
		return "", nil, err
	}
	s.listChat(ctx, r, rec.Filename)
	return intaketools.TakeIn(session.SessionID(), rec.Filename, r.Prompt), nil, nil
}

// custom returns an event that names the file which the run takes in, and logs the cause of a failed call.
func (s *Server) custom(_ context.Context, r *runner.Run, ev agent.Event) ([]runner.Custom, error) {
	id, takesIn := strings.CutPrefix(r.Agent, takePrefix)
	if begun, ok := ev.(agent.StepStarted); ok && takesIn && begun.Step == 1 {
		value, err := json.Marshal(map[string]string{"id": id})
		return []runner.Custom{{Name: "file", Value: value}}, err
	}
	if done, ok := ev.(agent.ToolDone); ok && done.Err != nil {
		s.o.Log.Warn("tool failed", "run", r.ID, "tool", done.Name, "err", done.Err)
	}
	return nil, nil
}

// claim takes the stage "profiled" of the file that the run takes in. It reads the record again if another process that
// has the run changes the stage meanwhile.
func (s *Server) claim(ctx context.Context, r *runner.Run) (*tracking.Attempt, error) {
	session, takesIn, err := s.fileOf(r)
	if err != nil || !takesIn {
		return nil, err
	}
	for {
		attempt, err := s.tryClaim(ctx, session, r)
		rejected, ok := errors.AsType[*tracking.StateError](err)
		isOurs := ok && rejected.Record.Stage(files.Profiled).Key == r.ID
		if ctx.Err() != nil || !isOurs || !errors.Is(err, tracking.ErrRunning) && !errors.Is(err, tracking.ErrTaken) {
			return attempt, err
		}
	}
}

func (s *Server) tryClaim(ctx context.Context, session scope.Scope, r *runner.Run) (*tracking.Attempt, error) {
	rec, err := s.o.Tracker.Get(ctx, session)
	if err != nil {
		return nil, err
	}
	o := &tracking.ClaimOptions{Key: r.ID}
	if st := rec.Stage(files.Profiled); st.Key == r.ID { // another process has begun the run
		switch st.State {
		case tracking.StateRunning, tracking.StateReleased:
			o.TakeOver = true
		case tracking.StateFailed:
		default: // it has ended the stage
			return nil, nil
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
	attempt, err := s.o.Tracker.Claim(ctx, session, files.Profiled, o)
	if err != nil {
		return nil, claimError(err)
	}
	if refused == nil {
		return attempt, nil
	}
	if err := attempt.Fail(ctx, refused); err != nil {
		return nil, err
	}
	s.o.Arrivals.Discard(ctx, attempt.Record())
	return nil, &agent.RunError{Code: agent.Code(refused.Code), Message: refused.Message, Err: refused}
}

// RejectedUpload returns the error that people see of an upload that may not stay.
func RejectedUpload(e *presign.RejectedError) *tracking.Error {
	if errors.Is(e, presign.ErrTooLarge) {
		return &tracking.Error{Code: "too_large", Message: "The file is too large.", Err: e}
	}
	return &tracking.Error{
		Code: "upload_differs", Err: e,
		Message: "The file that arrived is not the one that was announced. Please upload it again.",
	}
}

// claimError returns the public error of a run that did not get its stage.
func claimError(err error) error {
	rejected, ok := errors.AsType[*tracking.StateError](err)
	if !ok {
		return err
	}
	e := &agent.RunError{Code: "conflict", Message: "This file is being read already.", Retryable: true, Err: err}
	if errors.Is(err, tracking.ErrTerminal) || rejected.Record.Stage(files.Profiled).State == tracking.StateSuccess {
		e.Message, e.Retryable = "The file was taken in already, or its upload has ended.", false
	}
	return e
}

// recordEnd ends the stage of a run: with success if the report is recorded, and otherwise as failed, to be tried again
// unless the file is not a table.
func (s *Server) recordEnd(ctx context.Context, r *runner.Run, res runner.Result) error {
	if r.Attempt == nil {
		return nil
	}
	user, err := s.userOf(r.Scope)
	if err != nil {
		return err
	}
	view, err := s.o.Files.Open(user, scope.Scope{})
	if err != nil {
		return err
	}
	f, err := view.Get(ctx, r.Attempt.Record().Scope.SessionID())
	if err != nil {
		return err
	}
	if f.Report.IsRecorded() {
		if err := files.Label(r.Attempt, f.Report); err != nil {
			return err
		}
		return r.Attempt.Complete(ctx, object.Ref{})
	}
	e := &tracking.Error{
		Code: "not_profiled", Message: "The file was not profiled. The chat says why.", Retryable: true, Err: res.Err,
	}
	reason, err := intaketools.CheckTable(ctx, s.o.Files, user, &f)
	if err != nil {
		s.o.Log.Warn("cannot check a file that was not taken in", "run", r.ID, "err", err)
	}
	switch {
	case reason != "":
		e.Code, e.Message = files.CodeNotTable, reason
	case res.Status == runner.StatusStopped:
		e.Code, e.Message = files.CodeStopped, "The run was stopped before the file was profiled."
	case res.Status == runner.StatusFailed && res.Message != "":
		e.Message = res.Message
	}
	return r.Attempt.Fail(ctx, e)
}
