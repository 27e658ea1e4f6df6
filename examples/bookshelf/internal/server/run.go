package server

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
	"unicode/utf8"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tracking"
)

const (
	runTime    = 15 * time.Minute // the longest run: the stage's due
	settleTime = 20 * time.Second // for the writes at a run's end, which its cancellation must not stop
)

// run is one conversation turn of a person with the agent about one upload: from taking the stage until it is parked
// or has failed. It belongs to the server, not to the request that began it.
type run struct {
	s       *Server
	id      string
	session scope.Scope
	message string
	first   bool // nothing has been extracted yet
	source  object.Ref
	refused *tracking.Error // why the upload is not worth a look, or nil
	attempt *tracking.Attempt
	feed    *feed
}

// Failures that are the server's own, or of the upload.
var (
	stopped = &tracking.Error{Code: "stopped", Message: "The server was shut down during the run. Try again.", Retryable: true}
	lost    = &tracking.Error{Code: "lost", Message: "Another run has taken this upload over.", Retryable: true}
	silent  = &tracking.Error{Code: "lost", Message: "The run's record could not be kept up to date, so it was ended. Try again.", Retryable: true}
	overdue = &tracking.Error{Code: string(agent.CodeTimeout), Message: "The run took too long and was ended.", Retryable: true}
)

// live runs it to its end. The stage's state is committed before the last event is sent.
func (r *run) live() {
	defer r.feed.end()
	base, cancel := context.WithTimeoutCause(scope.NewContext(r.s.life, r.session), runTime, overdue)
	defer cancel()
	work, release := r.attempt.Keep(base)
	meta, err := r.converse(work)
	release()

	settle, done := context.WithTimeout(context.WithoutCancel(base), settleTime)
	defer done()
	f := failure(err)
	r.setTitle(meta)
	switch {
	case f == nil:
		if err := r.attempt.Park(settle, 0); err != nil {
			r.tellFailure(failure(err))
			return
		}
		r.send("complete", map[string]any{"metadata": meta})
	case f == lost: // the stage is another's now: nothing of it is ours to change
		r.tellFailure(f)
	case f == stopped && !meta.IsZero():
		if err := r.attempt.Park(settle, 0); err != nil {
			f = failure(err)
		}
		r.tellFailure(f)
	default:
		r.fail(settle, f)
	}
}

// setTitle shows the title of the draft, as far as it fits, in lists of uploads. The next write stores it.
func (r *run) setTitle(meta book.Metadata) {
	if meta.Title == nil {
		return
	}
	const limit = 256 // bytes of a label
	title := *meta.Title
	for len(title) > limit {
		_, last := utf8.DecodeLastRuneInString(title)
		title = title[:len(title)-last]
	}
	if err := r.attempt.SetLabel("title", title); err != nil {
		r.s.o.Log.Warn("the title of an upload cannot be shown in lists", "run", r.id, "err", err)
	}
}

// fail records the failure, sends it, and deletes the upload if nothing can be done with it any more.
func (r *run) fail(ctx context.Context, f *tracking.Error) {
	if err := r.attempt.Fail(ctx, f); err != nil {
		r.s.o.Log.Error("failure not recorded", "run", r.id, "scope", r.session.String(), "failure", f, "err", err)
		f = failure(err) // what is told is what the record says, or that nothing is known
	} else {
		r.s.o.Arrivals.Discard(ctx, r.attempt.Record())
	}
	r.tellFailure(f)
}

// tellFailure logs the cause and sends what a browser may know of it.
func (r *run) tellFailure(f *tracking.Error) {
	r.s.o.Log.Error("run failed", "run", r.id, "scope", r.session.String(), "err", f)
	r.send("error", map[string]any{"code": f.Code, "message": f.Message})
}

// prompt is what the model is told: what the person said, after what is meant where nobody says anything if this is
// the first time.
func (r *run) prompt() string {
	switch {
	case r.message == "":
		return r.s.o.Prompt
	case r.first:
		return r.s.o.Prompt + "\n\n" + r.message
	}
	return r.message
}

// converse lets the agent work and keeps what was said. It returns the metadata that the whole conversation has
// arrived at.
func (r *run) converse(ctx context.Context) (meta book.Metadata, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("server: panic in a run: %v\n%s", p, debug.Stack())
		}
	}()
	if r.refused != nil {
		return meta, r.refused
	}
	if r.first { // whatever the model would make of it: what is no image fails before anything is spent on it
		root, err := r.s.o.Landing.In(r.session)
		if err != nil {
			return meta, err
		}
		if _, err := r.s.o.Photos.Gray(ctx, root, r.source); err != nil {
			return meta, err
		}
	}
	turns, err := r.s.turns(r.session)
	if err != nil {
		return meta, err
	}
	before, err := turns.load(ctx)
	if err != nil {
		return meta, err
	}
	after := before
	in := agent.Input{Scope: r.session, Run: r.id, Prompt: r.prompt(), History: before}
	for ev, failed := range r.s.o.Agent.Stream(ctx, in) {
		if run, ok := errors.AsType[*agent.RunError](failed); ok {
			after = run.Done.History
		}
		if err = failed; err != nil {
			break
		}
		if done, ok := ev.(agent.Done); ok {
			after = done.History
			if done.Outcome == agent.OutcomeCancelled {
				err = context.Cause(ctx)
			}
			break
		}
		r.tell(ev)
	}
	if err = ended(ctx, err); errors.Is(err, lost) {
		return meta, err
	}
	// What was said is kept also where the run failed: whole turns, and only while this run holds the stage.
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	if held := r.attempt.Heartbeat(keep); held != nil {
		return meta, errors.Join(err, held)
	}
	if kept := turns.append(keep, len(before.Turns), after.Turns[len(before.Turns):]); kept != nil {
		err = errors.Join(err, kept)
	}
	return draft(after), err
}

// ended puts the reason why the run's context ended, if it has, in the place of what came of that.
func ended(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	switch {
	case err == nil || cause == nil:
		return err
	case errors.Is(cause, errShutdown):
		return stopped
	case errors.Is(cause, tracking.ErrFenced):
		return lost
	case errors.Is(cause, tracking.ErrLease): // nobody has been seen to take the stage
		return silent
	}
	return cause
}

// failure is what the record and the browser may know of an error.
func failure(err error) *tracking.Error {
	if err == nil {
		return nil
	}
	if errors.Is(err, tracking.ErrFenced) {
		return lost
	}
	if e, ok := errors.AsType[*tracking.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*tools.FatalError](err); ok {
		return &tracking.Error{Code: e.Code, Message: e.Message, Retryable: e.Retryable, Err: e.Err}
	}
	if e, ok := errors.AsType[*agent.RunError](err); ok {
		return &tracking.Error{Code: string(e.Code), Message: e.Message, Retryable: true, Err: e.Err}
	}
	return &tracking.Error{Code: string(agent.CodeInternal), Message: "Something went wrong here. It may be tried again.", Retryable: true, Err: err}
}
