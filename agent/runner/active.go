package runner

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/internal/watchdog"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tracking"
)

// active is a run in this process. Its goroutine is that of an execution. A timer calls a keeper, which renews the
// leases.
type active struct {
	runner    *Runner
	session   scope.Scope
	view      *table.View
	n         int // of the run, like in HEAD
	epoch     int64
	nonce     string
	continues int  // the number of the run that this one continues, or 0
	overtakes bool // the run before waits for approvals, and this one does not continue it
	run       *Run
	input     *input
	ticket    *admission.Ticket // may be nil

	headMu sync.Mutex // held while HEAD is written
	head   head

	runCtx     context.Context // of all writes of the run
	cancelRun  context.CancelCauseFunc
	workCtx    context.Context // of the host and the agent, within runCtx
	cancelWork context.CancelCauseFunc
	stageCtx   context.Context // of the agent, within workCtx, while its stage is held; nil without a stage
	stageKey   string          // of the claim of the stage

	watchdog *watchdog.Watchdog // loses the run if a call of the log does not return

	opened        chan struct{} // closed when the log exists, or never will
	entry         chan error    // receives the result of beginLog; nil if the log is opened before everything else
	done          chan struct{} // closed when the run has left this process
	isEnding      atomic.Bool   // the last event is being written
	isHandingOver atomic.Bool   // the run is handed over at the next checkpoint
	isStopped     atomic.Bool   // the run was asked to stop

	log               *replay.Writer
	status            Status           // of the last event; empty until this process has written it
	stateErr          error            // why the run cannot be continued, although it must end
	checkpoint        checkpointRecord // the newest checkpoint
	checkpointVersion int64            // the version of its item; 0 if it does not exist
	checkpointSeq     int64            // of checkpoints in this epoch
	agentTurns        int              // turns of the agent's history at the newest checkpoint
	storedTurns       int              // of the stored history
	newestCompaction  int              // number of the newest stored compaction
	compactedTurns    []agent.Turn
	hasCompaction     bool // compactedTurns wait for their checkpoint
	announcedCalls    map[string]bool
	event             []byte // memory for the JSON of an event

	tries      int64 // as in HEAD
	step       int   // the newest step
	isReserved bool  // its tokens are reserved
	used       int64 // tokens that are not settled
}

func newActive(ctx context.Context, r *Runner, session scope.Scope, view *table.View, h head) *active {
	a := &active{
		runner: r, session: session, view: view, head: h, n: h.n, epoch: h.epoch, nonce: h.nonce,
		continues: h.continues, overtakes: h.overtakes, opened: make(chan struct{}), done: make(chan struct{}),
		announcedCalls: make(map[string]bool),
	}
	a.runCtx, a.cancelRun = context.WithCancelCause(ctx)
	a.watchdog = watchdog.New(r.o.Lease, a.loseRun)
	context.AfterFunc(a.runCtx, a.watchdog.End)
	a.workCtx, a.cancelWork = context.WithCancelCause(a.runCtx)
	return a
}

// agentRun is the run's id for the agent, on which the idempotency keys of its calls depend. Unlike the number of a run
// it is never used again.
func (a *active) agentRun() string { return a.run.ID + "." + a.nonce }

// listRoots returns where the objects of the run may be.
func (a *active) listRoots() []*object.Root { return a.runner.listRoots(a.session, a.input.shared) }

func (a *active) takePlace(ctx context.Context) (err error) {
	if a.runner.o.Admission == nil {
		return nil
	}
	a.ticket, err = a.runner.o.Admission.Enter(ctx, a.session, runID(a.session, a.n)+"."+a.nonce)
	return err
}

func (a *active) isQueued() bool { return a.ticket != nil && a.ticket.Queued() }

// countTry counts this process in HEAD, before that is written, if it works on the run at once.
func (a *active) countTry() {
	if !a.isQueued() {
		a.head.tries++
	}
	a.tries = a.head.tries
}

// leavePlace frees the place of the run. If that fails, the place expires.
func (a *active) leavePlace(ctx context.Context) {
	if a.ticket != nil {
		_ = a.runner.tryOperation(ctx, a.ticket.Leave)
	}
}

// handOver leaves the run to another process at its next checkpoint.
func (a *active) handOver() {
	a.isHandingOver.Store(true)
	if a.isQueued() {
		a.interruptWork(errHandover)
	}
}

// stopRun ends the run as stopped.
func (a *active) stopRun() {
	a.isStopped.Store(true)
	a.interruptWork(errStopped)
}

// interruptWork cancels what the run does.
func (a *active) interruptWork(cause error) { a.cancelWork(cause) }

// loseRun ends the run in this process. Nothing more is written.
func (a *active) loseRun() { a.cancelRun(errLost) }

// exitRun records why the run leaves this process: it has ended if err is nil or errEnded.
func (a *active) exitRun(err error, stopKeeping func()) {
	switch {
	case err == nil || errors.Is(err, errEnded):
		err = a.closeHead(stopKeeping)
	case errors.Is(err, errHandover):
		stopKeeping()
		err = a.releaseRun()
	}
	stopKeeping()
	if a.log != nil {
		a.log.Abandon()
	}
	a.cancelRun(errLost)
	if err != nil {
		a.settleOnLeaving()
		a.runner.logError(a.runCtx, "runner: the run was left to another process", a.run.ID, err)
	}
}

// enterRun restores the state of the run and opens its log. It returns the checkpoint from which the agent continues. A
// run whose log is lost ends here, with errEnded.
//
// A run that begins here does not wait for its log: awaitLog does. No other process has written anything of it that
// must be fenced before its stage is claimed. A run that overtakes another one writes a checkpoint before it asks the
// agent, and so needs the log.
func (a *active) enterRun() (*agent.Checkpoint, error) {
	resumed, err := a.restoreCheckpoint()
	if err == nil && !a.run.TakenOver && !a.overtakes && !a.isQueued() && a.stateErr == nil {
		a.entry = make(chan error, 1)
		go a.beginLog()
		return resumed, nil
	}
	defer close(a.opened)
	if err != nil {
		return nil, err
	}
	if err = a.openLog(); err != nil && a.isLogLost(err) {
		err = cmp.Or(a.endWithoutLog(err), errEnded)
	}
	return resumed, err
}

// beginLog opens the log of a run that begins here, and appends the message.
func (a *active) beginLog() {
	err := catchPanic(a.openLog) // the table is the host's
	close(a.opened)
	if err != nil {
		err = &entryError{err}
	} else {
		err = catchPanic(a.appendMessage)
	}
	a.entry <- err
}

// awaitLog waits for beginLog. It returns an *entryError if the log is not open, and the error of the message.
func (a *active) awaitLog() error {
	if a.entry == nil {
		return nil
	}
	return <-a.entry
}

// entryError is returned for a run that this process cannot run, since it cannot open the log.
type entryError struct{ error }

func (e *entryError) Unwrap() error { return e.error }

// reasonToLeave returns why this process must not continue the run, or nil. err is the error with which the run failed.
func (a *active) reasonToLeave(err error) error {
	switch {
	case a.runCtx.Err() != nil:
		return context.Cause(a.runCtx)
	case errors.Is(err, errLost), errors.Is(err, errStore), errors.Is(err, errHandover),
		errors.Is(err, replay.ErrFenced), errors.Is(err, replay.ErrClosed):
		return err
	case errors.Is(context.Cause(a.workCtx), errHandover):
		return errHandover
	case a.stageCtx == nil:
		return nil
	}
	if cause := context.Cause(a.stageCtx); errors.Is(cause, tracking.ErrLease) || a.isOvertaken(cause) {
		return errHandover
	}
	return nil
}

// openLog opens the log of the run, which fences the process that wrote it before, and appends the first events of this
// one.
func (a *active) openLog() error {
	first, err := a.firstEvents()
	if err != nil {
		return err
	}
	err = a.writeLog(func(ctx context.Context) (err error) {
		a.log, err = a.runner.logs.Open(ctx, a.session, logName(a.n), first...)
		return err
	})
	if errors.Is(err, sse.ErrFinished) {
		return errEnded
	}
	return err
}
