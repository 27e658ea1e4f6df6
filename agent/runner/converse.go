package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/internal/ownstack"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tracking"
)

// firstEvents returns the events with which this process opens the log.
func (a *active) firstEvents() ([]json.RawMessage, error) {
	var events []json.RawMessage
	add := func(ev json.RawMessage, err error) error {
		if ev != nil {
			events = append(events, ev)
		}
		return err
	}
	if a.run.TakenOver {
		if err := add(encodeRetract(a.checkpoint.Position)); err != nil {
			return nil, err
		}
	}
	switch {
	case a.checkpoint.Position != "":
		return events, nil
	case a.isQueued():
		return events, add(encodeQueued(a.run))
	}
	return events, add(encodeStarted(a.run))
}

// task holds the arguments of the agent.
type task struct {
	ctx  context.Context //nolint:containedctx // of the agent
	stop func()          // ends the renewal of the stage's lease
	in   agent.Input

	skip         map[string]bool // calls that the log of an earlier run has
	atCheckpoint bool            // the newest event was a checkpoint
}

// prepareAgent does everything that precedes the agent. It returns nil if the run has ended before, with e.
func (a *active) prepareAgent(resume *agent.Checkpoint, e *agentResult) (*task, error) {
	if err := a.writeHistory(a.checkpoint); err != nil { // the process before may not have done so
		return nil, a.mapInterruption(err)
	}
	if a.stateErr == nil || a.checkpoint.End != nil {
		if err := a.awaitPlace(); err != nil && !a.mayHaveStage() {
			return nil, a.mapInterruption(err)
		}
	}
	if a.entry == nil {
		if err := a.appendMessage(); err != nil {
			return nil, err
		}
	}
	if err := a.settleLost(); err != nil {
		return nil, a.mapInterruption(err)
	}
	work, stop, err := a.holdStage()
	if errors.Is(err, errStore) { // another process ends the run with its stage
		return nil, err
	}
	if err != nil {
		return nil, a.mapInterruption(err)
	}
	t := &task{ctx: work, stop: stop}
	if err = a.buildInput(t, resume); err == nil && a.checkpoint.End == nil {
		return t, nil
	}
	stop()
	if err == nil {
		e.Result = *a.checkpoint.End
	}
	return nil, err
}

func (a *active) buildInput(t *task, resume *agent.Checkpoint) error {
	err := a.reasonToFail()
	if err != nil {
		return err
	}
	t.in = agent.Input{Scope: a.session, Shared: a.run.Shared, Run: a.agentRun(), Resume: resume}
	if t.in.History, err = a.loadHistory(); err != nil {
		return a.mapInterruption(err)
	}
	if a.overtakes && resume == nil && a.checkpoint.Ended == nil && a.checkpoint.End == nil {
		if t.in.History, err = a.closeOvertaken(t.in.History); err != nil {
			return a.mapInterruption(err)
		}
	}
	a.agentTurns, a.step = len(t.in.History.Turns), a.checkpoint.Step
	switch {
	case a.checkpoint.End != nil:
	case resume != nil:
		t.in.Run = resume.Run
	case a.runner.host.Prompt == nil:
		t.in.Prompt, t.in.Media = a.run.Prompt, a.run.Media
	default:
		if t.in.Prompt, t.in.Media, err = a.runner.host.Prompt(t.ctx, a.run); err != nil {
			return a.mapInterruption(err)
		}
	}
	return nil
}

const (
	// codeLost is the code of a run that was taken over too often.
	codeLost agent.Code = "lost"
	// codeTooLarge is the code of a run whose message does not fit the log.
	codeTooLarge agent.Code = "too_large"
	// codeUnreadable is the code of a run whose stored state is lost.
	codeUnreadable agent.Code = "unreadable"
)

// reasonToFail returns why the run must not be continued by any process, or nil.
func (a *active) reasonToFail() error {
	switch {
	case a.checkpoint.End != nil:
		return nil
	case a.stateErr != nil:
		return a.stateErr
	case a.wasTakenOverTooOften():
		return &agent.RunError{Code: codeLost, Message: "The run was interrupted too often.", Retryable: true}
	}
	return nil
}

// holdStage claims the stage of the run, if it has one, and renews its lease until stop is called. It returns the
// context for the agent.
func (a *active) holdStage() (work context.Context, stop func(), err error) {
	if a.runner.host.Stage == nil {
		return a.workCtx, func() {}, nil
	}
	attempt, err := a.claimStage()
	if a.run.Attempt = attempt; err != nil || attempt == nil {
		return a.workCtx, func() {}, err
	}
	a.stageKey = attempt.Record().Stage(attempt.Stage()).Key
	a.stageCtx, stop = attempt.Keep(a.workCtx)
	return a.stageCtx, stop, nil
}

// isOvertaken reports whether another process has claimed the stage for this same run. That process has lost the run,
// but was frozen before its claim, or this one is about to notice that it has lost the run itself.
func (a *active) isOvertaken(err error) bool {
	fenced, ok := errors.AsType[*tracking.StateError](err)
	if !ok || !errors.Is(err, tracking.ErrFenced) || a.stageKey == "" {
		return false
	}
	p := fenced.Record.Stage(fenced.Stage)
	return p.State == tracking.StateRunning && p.Key == a.stageKey
}

// mayHaveStage reports whether the run was stopped after a process had begun to work on it, so that its stage must end.
func (a *active) mayHaveStage() bool {
	return a.isStopped.Load() && a.tries > 0 && a.runner.host.Stage != nil
}

// claimStage claims the stage of the run, also for a run that was stopped, so that the stage ends with it. If that
// fails for the time of a lease, it returns errStore, unless the run was taken over too often.
func (a *active) claimStage() (attempt *tracking.Attempt, err error) {
	if attempt, err = a.runner.host.Stage(a.workCtx, a.run); err == nil || !a.isStopped.Load() {
		return attempt, err
	}
	err = a.runner.retryOperation(a.runCtx, func(ctx context.Context) (err error) {
		attempt, err = a.runner.host.Stage(ctx, a.run)
		if _, isRejected := errors.AsType[*tracking.StateError](err); isRejected {
			return nil
		}
		return err
	})
	if err != nil && a.mayHaveStage() && !a.wasTakenOverTooOften() {
		err = fmt.Errorf("%w: claim the stage: %w", errStore, err)
	}
	return attempt, err
}

// mapInterruption returns the error of a run that ended before the agent began, because of err.
func (a *active) mapInterruption(err error) error {
	if a.isStopped.Load() {
		return errStopped
	}
	return err
}

// appendMessage writes the user's message unless the log has it.
func (a *active) appendMessage() error {
	if a.checkpoint.Position != "" {
		return nil
	}
	events, err := encodeMessage(a.run, a.input.Decisions)
	if err != nil {
		return err
	}
	for _, ev := range events {
		err := a.appendEvent(ev, false)
		if errors.Is(err, replay.ErrTooLarge) {
			return &agent.RunError{Code: codeTooLarge, Message: "The message is too large.", Err: err}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// awaitPlace waits until a queued run may start.
func (a *active) awaitPlace() error {
	if !a.isQueued() {
		return nil
	}
	if err := a.ticket.Wait(a.workCtx); err != nil {
		if _, isFull := errors.AsType[*admission.FullError](err); isFull || isPermanent(err) || a.workCtx.Err() != nil {
			return err
		}
		return fmt.Errorf("%w: %w", errStore, err) // another process waits on
	}
	if a.checkpoint.Position == "" {
		ev, err := encodeStarted(a.run)
		if err == nil {
			err = a.appendEvent(ev, true)
		}
		if err != nil {
			return err
		}
	}
	a.tries++
	return a.repeatOperation(func(ctx context.Context) error {
		return a.updateHead(ctx, func(h *head) { h.status, h.tries = StatusRunning, a.tries })
	})
}

func (a *active) loadHistory() (h agent.History, _ error) {
	return h, a.repeatOperation(func(ctx context.Context) error {
		loaded, at, err := a.runner.turns.Load(ctx, a.session, a.listRoots()...)
		h, a.storedTurns, a.newestCompaction = loaded, at.Turns, at.Compaction
		return mapUnreadable(err)
	})
}

// streamEvents runs the agent and writes its events to the log and its checkpoints to the table.
func (a *active) streamEvents(t *task, e *agentResult) error {
	t.skipResumed(a.run)
	for ev, err := range a.openAgent(t) {
		if hasEnded, err := a.handleNext(t, ev, err, e); hasEnded || err != nil {
			return err
		}
	}
	return errors.New("runner: the stream of the agent did not end with Done")
}

//go:noinline // the copies of the input stay out of the frame of streamEvents
func (a *active) openAgent(t *task) iter.Seq2[agent.Event, error] {
	return a.runner.host.Stream(t.ctx, a.run, t.in)
}

// skipResumed lists the calls that the log of an earlier run has.
func (t *task) skipResumed(r *Run) {
	if r.Continues == "" || t.in.Resume == nil {
		return
	}
	t.skip = map[string]bool{}
	for _, use := range t.in.Resume.Pending() {
		t.skip[use.ID] = true
	}
}

// handleNext takes a pair of the agent's stream. It reports whether that was the last one, whose result it stores in e.
func (a *active) handleNext(t *task, ev agent.Event, err error, e *agentResult) (hasEnded bool, _ error) {
	if err != nil {
		e.Result, e.done, err = a.mapAgentError(errors.Join(err, a.settleTokens()))
		return true, err
	}
	if done, ok := ev.(agent.Done); ok {
		e.Result, e.done = a.mapDone(done), done
		return true, a.settleTokens()
	}
	if t.atCheckpoint && a.isHandingOver.Load() {
		return false, errHandover
	}
	switch ev.(type) {
	case agent.TextDelta, agent.ReasoningDelta: // most events, which need little stack
		t.atCheckpoint, err = a.handleEvent(t.ctx, ev, t.skip)
	default:
		t.atCheckpoint, err = a.handleOnOwnStack(t, ev)
	}
	return false, err
}

// handleOnOwnStack calls handleEvent with a separate stack. The run waits for the model most of the time, with a small
// stack.
func (a *active) handleOnOwnStack(t *task, ev agent.Event) (isCheckpoint bool, err error) {
	ownstack.Call(ownstack.KB16, func() { isCheckpoint, err = a.handleEvent(t.ctx, ev, t.skip) })
	return isCheckpoint, err
}

// maxKept is the size of the memory that a run keeps for the JSON of its next event.
const maxKept = 1 << 10

// handleEvent writes an event of the agent and reports whether it was a checkpoint.
func (a *active) handleEvent(ctx context.Context, ev agent.Event, skip map[string]bool) (isCheckpoint bool, _ error) {
	if err := a.countTokens(ev); err != nil {
		return false, err
	}
	raw, urgent, err := encodeEvent(a.event[:0], ev)
	if err != nil {
		return false, err
	}
	switch ev := ev.(type) {
	case agent.Checkpointed:
		isCheckpoint = true
		if err := a.storeCheckpoint(ev); err != nil {
			return true, err
		}
	case agent.Compacted:
		a.compactedTurns, a.hasCompaction = ev.Turns, true
	case agent.ToolCalled:
		a.announcedCalls[ev.ID] = true
		if skip[ev.ID] {
			raw = nil
		}
	case agent.StepFinished:
		clear(a.announcedCalls)
	}
	if raw != nil {
		if cap(raw) <= maxKept {
			a.event = raw[:0] // the log does not keep it
		}
		if err := a.appendEvent(raw, urgent); err != nil {
			return false, err
		}
	}
	return isCheckpoint, a.appendCustom(ctx, ev)
}

// appendCustom writes the host's events that follow an event of the agent.
func (a *active) appendCustom(ctx context.Context, ev agent.Event) error {
	if a.runner.host.Custom == nil {
		return nil
	}
	events, err := a.runner.host.Custom(ctx, a.run, ev)
	if err != nil && a.isStopped.Load() {
		return errStopped
	}
	if err != nil {
		return err
	}
	for _, c := range events {
		raw, err := encodeCustom(c)
		if err == nil {
			err = a.appendEvent(raw, false)
		}
		if err != nil {
			return fmt.Errorf("runner: event %q: %w", c.Name, err)
		}
	}
	return nil
}

// mapDone returns the result of a run whose agent did not fail.
func (a *active) mapDone(d agent.Done) Result {
	switch d.Outcome {
	case agent.OutcomeComplete:
		return Result{Status: StatusComplete, Output: d.Output, StopReason: d.StopReason}
	case agent.OutcomePending:
		return Result{Status: StatusPending}
	}
	if a.workCtx.Err() == nil && (a.stageCtx == nil || a.stageCtx.Err() == nil) {
		return newFailure(errors.New("runner: the context of the agent ended, but the run was not stopped"))
	}
	return Result{Status: StatusStopped} // stopped, or the stage belongs to another worker
}

// mapAgentError returns the result of a run whose agent failed.
func (a *active) mapAgentError(err error) (Result, agent.Done, error) {
	run, ok := errors.AsType[*agent.RunError](err)
	if !ok {
		return Result{}, agent.Done{}, err
	}
	if run.Code == agent.CodeIncomplete && run.Done.Outcome != "" {
		return a.mapDone(run.Done), run.Done, nil
	}
	return newFailure(err), run.Done, nil
}

// newFailure returns the result of a run that ended with err.
func newFailure(err error) Result {
	if errors.Is(err, errStopped) {
		return Result{Status: StatusStopped}
	}
	if run, ok := errors.AsType[*agent.RunError](err); ok {
		if run.Code == agent.CodeLimit {
			return Result{Status: StatusLimit, Code: string(run.Code), Message: run.Message, Err: err}
		}
		return Result{
			Status: StatusFailed, Code: string(run.Code), Message: run.Message, Retryable: run.Retryable, Err: err,
		}
	}
	if errors.Is(err, errUnreadable) {
		const message = "The stored state of the run cannot be read."
		return Result{Status: StatusFailed, Code: string(codeUnreadable), Message: message, Err: err}
	}
	return Result{Status: StatusFailed, Code: string(agent.CodeInternal), Message: "The run failed.", Err: err}
}

// findLastState returns the tools' memory at the end of a run.
func findLastState(end agent.Done) *tools.State {
	if end.History.State == nil {
		return &tools.State{}
	}
	return end.History.State
}
