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
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tracking"
)

const (
	runTime    = 15 * time.Minute // the longest run: the stage's due
	settleTime = 20 * time.Second // for the writes at a run's end, which its cancellation must not stop
)

// run is one turn of a conversation between a person and the agent about one upload. It lasts from taking the stage
// until the stage is parked or has failed. The server owns it, not the request that started it.
type run struct {
	s       *Server
	id      string
	session scope.Scope
	message string
	first   bool // nothing has been extracted yet
	source  object.Ref
	refused *tracking.Error // why the upload was rejected, or nil
	attempt *tracking.Attempt
	feed    *feed
}

// Failures of a run that the agent does not report.
var (
	stopped = &tracking.Error{Code: "stopped", Message: "The server was shut down during the run. Try again.", Retryable: true}
	lost    = &tracking.Error{Code: "lost", Message: "Another run has taken this upload over.", Retryable: true}
	silent  = &tracking.Error{Code: "lost", Message: "The run's record could not be kept up to date, so it was ended. Try again.", Retryable: true}
	overdue = &tracking.Error{Code: string(agent.CodeTimeout), Message: "The run took too long and was ended.", Retryable: true}
)

// live executes the run. It commits the stage's state before it sends the last event.
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
	case f == lost: // another run holds the stage, so this one must not change it
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

// setTitle shows the draft's title in lists of uploads, truncated to fit. The next write stores it.
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
		r.s.o.Log.Warn("set the title of an upload", "run", r.id, "err", err)
	}
}

// fail records the failure, sends it, and deletes the upload if the record has failed permanently.
func (r *run) fail(ctx context.Context, f *tracking.Error) {
	if err := r.attempt.Fail(ctx, f); err != nil {
		r.s.o.Log.Error("failure not recorded", "run", r.id, "scope", r.session.String(), "failure", f, "err", err)
		f = failure(err) // report what is recorded, not the failure that could not be
	} else {
		r.s.o.Arrivals.Discard(ctx, r.attempt.Record())
	}
	r.tellFailure(f)
}

// tellFailure logs the cause and sends its public part.
func (r *run) tellFailure(f *tracking.Error) {
	r.s.o.Log.Error("run failed", "run", r.id, "scope", r.session.String(), "err", f)
	r.send("error", map[string]any{"code": f.Code, "message": f.Message})
}

// prompt returns the text for the model: the person's message. On the first run, the default prompt precedes it.
func (r *run) prompt() string {
	switch {
	case r.message == "":
		return r.s.o.Prompt
	case r.first:
		return r.s.o.Prompt + "\n\n" + r.message
	}
	return r.message
}

// converse runs the agent and saves the conversation. It returns the metadata that results from the whole
// conversation.
func (r *run) converse(ctx context.Context) (meta book.Metadata, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("server: panic in a run: %v\n%s", p, debug.Stack())
		}
	}()
	if r.refused != nil {
		return meta, r.refused
	}
	root, err := r.s.o.Landing.In(r.session)
	if err != nil {
		return meta, err
	}
	if r.first { // a file that is not an image fails before the model is called
		if _, err := r.s.o.Photos.Gray(ctx, root, r.source); err != nil {
			return meta, err
		}
	}
	before, head, err := r.s.o.History.Load(ctx, r.session, root)
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
	// Complete turns are saved even if the run failed, but only while this run holds the stage.
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	if held := r.attempt.Heartbeat(keep); held != nil {
		return meta, errors.Join(err, held)
	}
	for i, turn := range after.Turns[len(before.Turns):] {
		if kept := r.s.o.History.Append(keep, r.session, head.Turns+i+1, turn, after.State); kept != nil {
			err = errors.Join(err, kept)
			break
		}
	}
	return booktools.Draft(after.Turns...), err
}

// ended returns the cause of the context's end, if it has ended, and otherwise err.
func ended(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	switch {
	case err == nil || cause == nil:
		return err
	case errors.Is(cause, errShutdown):
		return stopped
	case errors.Is(cause, tracking.ErrFenced):
		return lost
	case errors.Is(cause, tracking.ErrLease): // the lease is lost, but no other holder is known
		return silent
	}
	return cause
}

// failure returns the part of an error that the record and the browser may show.
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
	return &tracking.Error{Code: string(agent.CodeInternal), Message: "Internal error. Try again.", Retryable: true, Err: err}
}
