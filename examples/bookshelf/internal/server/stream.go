package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"log/slog"
	"time"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/draft"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/library"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tracking"
)

// runTime is the longest that a run may take: the stage's due.
const runTime = 15 * time.Minute

// streamAgent runs the agent. The output of a complete extraction is the metadata that results from the whole
// conversation.
func (s *Server) streamAgent(ctx context.Context, r *runner.Run, in agent.Input) iter.Seq2[agent.Event, error] {
	ctx = booktools.NewContext(ctx, r.Prompt)
	return func(yield func(agent.Event, error) bool) {
		ctx, cancel := context.WithTimeoutCause(scope.NewContext(ctx, r.Scope), runTime, errOverdue)
		defer cancel()
		events, err := s.openAgent(ctx, r, &in)
		if err != nil {
			yield(nil, err)
			return
		}
		events(func(ev agent.Event, err error) bool { return yield(s.finishEvent(ctx, r, ev, err)) })
	}
}

// openAgent returns the stream of the run's agent.
func (s *Server) openAgent(
	ctx context.Context, r *runner.Run, in *agent.Input,
) (iter.Seq2[agent.Event, error], error) {
	if !isChat(r) {
		return s.o.Agent.Stream(ctx, *in), nil
	}
	ctx, err := s.allowSharing(ctx, r)
	if err != nil {
		return nil, err
	}
	return s.o.Chat.Stream(ctx, *in), nil
}

// finishEvent returns a pair of the agent's stream with the output of the run and the errors that browsers may see.
func (s *Server) finishEvent(ctx context.Context, r *runner.Run, ev agent.Event, err error) (agent.Event, error) {
	if err != nil {
		return ev, publicError(err)
	}
	done, isDone := ev.(agent.Done)
	if !isDone {
		return ev, nil
	}
	if errors.Is(context.Cause(ctx), errOverdue) {
		return nil, &agent.RunError{
			Code: agent.CodeTimeout, Message: "The run took too long and was ended.", Retryable: true, Done: done,
		}
	}
	if isChat(r) {
		return ev, nil
	}
	if done.Output, err = s.buildOutput(ctx, r, done.History); err != nil {
		return nil, &agent.RunError{Code: agent.CodeInternal, Retryable: true, Done: done, Err: err}
	}
	return done, nil
}

var errOverdue = errors.New("server: the run took too long")

// buildOutput returns the draft at the end of a run, whose title is shown in lists of uploads. It does not end with the
// run's context, so that the draft of a stopped run is complete.
func (s *Server) buildOutput(ctx context.Context, r *runner.Run, h agent.History) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	found, err := booktools.Findings(h)
	if err != nil {
		return nil, err
	}
	edits, err := s.drafts.Load(ctx, r.Scope)
	if err != nil {
		return nil, err
	}
	m := draft.Merge(found, edits).Metadata
	s.setTitle(r.Attempt, m)
	return m.Canonical(), nil
}

// setTitle shows the title of a book in lists of uploads. The attempt's next write of the record stores it.
func (s *Server) setTitle(attempt *tracking.Attempt, m book.Metadata) {
	if attempt == nil {
		return
	}
	if err := attempt.SetLabel(library.TitleLabel, library.LabelTitle(m)); err != nil {
		s.o.Log.Warn("set the title of an upload", "scope", attempt.Record().Scope.String(), "err", err)
	}
}

// customEvents returns the metadata_update of a successful set_field and the id of a chat, and logs the cause of a
// failed call.
func (s *Server) customEvents(ctx context.Context, r *runner.Run, ev agent.Event) ([]runner.Custom, error) {
	if step, ok := ev.(agent.StepStarted); ok && step.Step == 1 && isChat(r) {
		page, err := s.o.History.Page(ctx, r.Scope, "", 1)
		if err != nil {
			return nil, err
		}
		turns := 0
		if len(page.Turns) > 0 {
			turns = page.Turns[0].Number
		}
		value, err := json.Marshal(chatStart{r.Scope.SessionID(), &turns})
		return []runner.Custom{{Name: chatEvent, Value: value}}, err
	}
	done, ok := ev.(agent.ToolDone)
	if !ok {
		return nil, nil
	}
	if done.Err != nil {
		level := slog.LevelWarn
		if _, ok := errors.AsType[*tools.CorrectionError](done.Err); ok { // a mistake of the model, which receives it
			level = slog.LevelInfo
		}
		s.o.Log.Log(ctx, level, "tool failed", "run", r.ID, "tool", done.Name, "err", done.Err)
	}
	u, ok := booktools.ReadUpdate(done.Name, done.Result)
	if !ok {
		return nil, nil
	}
	u.Source = cmp.Or(u.Source, draft.Found)
	value, err := json.Marshal(u)
	return []runner.Custom{{Name: metadataUpdate, Value: value}}, err
}
