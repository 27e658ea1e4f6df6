package runner

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/history"
	"github.com/carrel-go/carrel/internal/jsonobject"
	"github.com/carrel-go/carrel/internal/sleep"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tools/approval"
)

// Options configures a [Runner]. A nil *Options is valid.
type Options struct {
	// Logs stores the events of the runs, with [MergeDeltas] as its Merge. If nil, New makes a Store with the defaults of
	// package replay on the table of the runs, and with Objects.
	Logs *replay.Store
	// Turns stores the conversations. If nil, New makes a Store on the table of the runs, with Objects.
	Turns *history.Store
	// Lease is the time after which a run whose process is silent may be taken over, at least a second. Zero means 10 s.
	Lease time.Duration
	// Heartbeat is the interval at which the lease is renewed and a stop request is noticed, at most a third of Lease.
	// Zero means 3 s, or a third of Lease if that is less.
	Heartbeat time.Duration
	// Exclusive states that the table belongs to this process alone, such as one of package bolt. Runs that this Runner
	// does not have are then taken over at once, and leases are not renewed.
	Exclusive bool
	// Retention is the time after which the items of a run expire. It must not be shorter than that of the logs. Zero
	// means 30 days.
	Retention time.Duration
	// ChatRetention is the time after its last message for which the session of a [Chat] is kept, at least an hour; it may
	// be kept for up to twice as long. Afterwards the client's id begins a new conversation. It should not be shorter than
	// that of the turns. Zero means forever.
	ChatRetention time.Duration
	// MaxRuns is the largest number of runs in this process. Further ones are rejected with [*admission.FullError]. Zero
	// means 2,000.
	MaxRuns int
	// Objects stores requests and checkpoints that do not fit an item, in the scope of their session as
	// "run-<digest>.json", and holds the objects that media name. Give the bucket a lifecycle rule for the former. If nil,
	// large requests fail with [ErrTooLarge], and runs whose media name objects cannot be continued.
	Objects *object.Bucket
	// Admission limits the runs of each user and tenant. If nil, they are not limited.
	Admission *admission.Admission
	// StepTokens is the estimated number of tokens of a step, which is reserved from the budget of Admission before the
	// model is asked, and settled at the real number afterwards. A run whose tenant has used its budget up fails with the
	// code "budget". Zero means that runs do not use the budget.
	StepTokens int64
	// Approvals records the decisions of [Runner.Decide]. If nil, New makes them on the table of the runs.
	Approvals *approval.Approvals
	// Logger, if non-nil, receives what no caller sees: why a run failed, was lost or could not be recovered. A failure
	// with the code "internal" or "unreadable" is logged at Error, and all others at Warn.
	Logger *slog.Logger
}

// Runner starts, continues and stops runs. It is safe for concurrent use.
type Runner struct {
	table *table.Table
	logs  *replay.Store
	turns *history.Store
	host  Host
	o     Options
	id    string // of this Runner, for leases

	objects jsonobject.Store // of requests and checkpoints

	mu           sync.Mutex
	live         map[liveKey]*active
	count        int           // of runs, also those that are about to start
	closing      bool          // Shutdown has been called
	interrupting bool          // and its context has ended
	idle         chan struct{} // closed when closing is set and count is 0
}

type liveKey struct {
	partition string
	n         int
}

// New returns a Runner whose runs are in t. It returns [ErrInvalid] if t is nil, if the host does not have exactly one
// of Agent and Stream, or if an option is out of range.
func New(t *table.Table, host Host, o *Options) (*Runner, error) {
	switch {
	case t == nil:
		return nil, fmt.Errorf("%w: the table must not be nil", ErrInvalid)
	case (host.Agent == nil) == (host.Stream == nil):
		return nil, fmt.Errorf("%w: the Host must have one of Agent and Stream", ErrInvalid)
	case host.Stream == nil:
		host.Stream = streamAgent(host.Agent)
	}
	r := &Runner{
		table: t, host: host, id: rand.Text(),
		live: make(map[liveKey]*active), idle: make(chan struct{}),
	}
	if o != nil {
		r.o = *o
	}
	r.objects = jsonobject.Store{Bucket: r.o.Objects, Kind: "run", MaxSize: maxObject}
	r.o.Lease = cmp.Or(r.o.Lease, 10*time.Second)
	r.o.Heartbeat = cmp.Or(r.o.Heartbeat, min(3*time.Second, r.o.Lease/3))
	r.o.Retention = cmp.Or(r.o.Retention, 30*24*time.Hour)
	r.o.MaxRuns = cmp.Or(r.o.MaxRuns, 2000)
	if r.o.Lease < time.Second || r.o.Heartbeat < 0 || r.o.Heartbeat > r.o.Lease/3 || r.o.Retention < time.Hour ||
		r.o.MaxRuns < 1 || r.o.StepTokens < 0 || r.o.ChatRetention != 0 && r.o.ChatRetention < time.Hour {
		return nil, fmt.Errorf("%w: Lease must be at least a second, Heartbeat at most a third of it, Retention at least "+
			"an hour, ChatRetention 0 or at least an hour, MaxRuns positive and StepTokens not negative", ErrInvalid)
	}
	if err := r.openStores(); err != nil {
		return nil, err
	}
	return r, nil
}

// openStores sets the stores of the runs to those of the options, or to new ones on the table of the runs.
func (r *Runner) openStores() (err error) {
	r.logs, r.turns = r.o.Logs, r.o.Turns
	if r.logs == nil {
		r.logs, err = replay.New(r.table, &replay.Options{Objects: r.o.Objects, Merge: MergeDeltas})
	}
	if err == nil && r.turns == nil {
		r.turns, err = history.New(r.table, &history.Options{Objects: r.o.Objects})
	}
	if err == nil && r.o.Approvals == nil {
		r.o.Approvals, err = approval.New(r.table, nil)
	}
	return err
}

// reserveRun counts a run that is about to start.
func (r *Runner) reserveRun() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closing:
		return ErrShutdown
	case r.count >= r.o.MaxRuns:
		return &admission.FullError{Kind: "process runs", Limit: int64(r.o.MaxRuns), RetryAfter: 5 * time.Second}
	}
	r.count++
	return nil
}

// unreserveRun is the opposite of reserveRun.
func (r *Runner) unreserveRun() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count--; r.count == 0 && r.closing {
		close(r.idle)
	}
}

// findActive returns the run if it is in this process.
func (r *Runner) findActive(session scope.Scope, n int) *active {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.live[liveKey{session.Partition(), n}]
}

// launchRun runs a reserved run in a new goroutine. It returns false if this process has the run already.
func (r *Runner) launchRun(a *active) bool {
	key := liveKey{a.session.Partition(), a.n}
	r.mu.Lock()
	if r.live[key] != nil {
		r.mu.Unlock()
		return false
	}
	r.live[key] = a
	closing, interrupting := r.closing, r.interrupting
	r.mu.Unlock()
	if closing {
		a.handOver()
	}
	if interrupting {
		a.interruptWork(errHandover)
	}
	go a.executeRun(func() {
		r.mu.Lock()
		delete(r.live, key)
		r.mu.Unlock()
		close(a.done)
		r.unreserveRun()
	})
	return true
}

// Shutdown hands all runs of this process over to others, see [Runner.Recover], and waits until they have left. From
// then on Start returns [ErrShutdown].
//
// A run is handed over at its next checkpoint, which is before its next tool call or at the end of its turn. When ctx
// ends, the rest are interrupted, and the next process retracts their events since the last checkpoint. Shutdown then
// waits for at most the time of a lease more, and returns an error if a run is still there, because a function of the
// host does not heed its context.
func (r *Runner) Shutdown(ctx context.Context) error {
	r.mu.Lock()
	if !r.closing {
		r.closing = true
		if r.count == 0 {
			close(r.idle)
		}
	}
	r.mu.Unlock()
	for _, a := range r.liveRuns() {
		a.handOver()
	}
	select {
	case <-r.idle:
		return nil
	case <-ctx.Done():
	}
	r.mu.Lock()
	r.interrupting = true
	r.mu.Unlock()
	for _, a := range r.liveRuns() {
		a.interruptWork(errHandover)
	}
	select {
	case <-r.idle:
		return nil
	case <-time.After(r.o.Lease):
		return errors.New("runner: shutdown: a function of the host does not return")
	}
}

// retryOperation repeats an operation of the store until it succeeds, until its error is final, until ctx ends, or for
// the time of a lease.
func (r *Runner) retryOperation(ctx context.Context, op func(context.Context) error) error {
	return r.retryFor(ctx, r.o.Lease, op)
}

// retryFor is retryOperation with another time.
func (r *Runner) retryFor(ctx context.Context, most time.Duration, op func(context.Context) error) error {
	last := time.Now().Add(most)
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := r.tryOperation(ctx, op)
		if err == nil || isPermanent(err) {
			return err
		}
		if ended := sleep.For(ctx, wait); ended != nil {
			return errors.Join(ended, err)
		}
		if time.Now().After(last) {
			return err
		}
	}
}

// tryOperation bounds one try of an operation.
func (r *Runner) tryOperation(ctx context.Context, op func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, r.o.Lease/2)
	defer cancel()
	return op(ctx)
}

// isPermanent reports whether an operation of the store returns err again if it is repeated.
func isPermanent(err error) bool {
	for _, permanent := range []error{
		errLost, errForeign, errUnreadable, jsonobject.ErrLost, jsonobject.ErrNoBucket, ErrTooLarge, ErrNotFound,
		table.ErrInvalid, table.ErrTooLarge, scope.ErrDenied,
		history.ErrForked, history.ErrTooLarge, history.ErrInvalid, object.ErrOutside,
	} {
		if errors.Is(err, permanent) {
			return true
		}
	}
	return false
}

// logError reports an error that no caller sees.
func (r *Runner) logError(ctx context.Context, msg, run string, err error) {
	if r.o.Logger != nil {
		r.o.Logger.ErrorContext(ctx, msg, "run", run, "error", err)
	}
}

// logDegraded logs what the model did not see in a run, although the run may be complete.
func (r *Runner) logDegraded(ctx context.Context, run string, end agent.Done) {
	if r.o.Logger == nil {
		return
	}
	if end.OmittedMedia > 0 {
		const msg = "runner: the model did not see media that its service rejects"
		r.o.Logger.WarnContext(ctx, msg, "run", run, "media", end.OmittedMedia)
	}
	if end.CompactErr != nil {
		const msg = "runner: the Compactor of the agent failed, and the run continued without it"
		r.o.Logger.ErrorContext(ctx, msg, "run", run, "error", end.CompactErr)
	}
}

// logFailure logs why a run failed: at Error if an operator must look at the cause, and otherwise at Warn.
func (r *Runner) logFailure(ctx context.Context, run string, res Result) {
	level := slog.LevelWarn
	if res.Code == string(agent.CodeInternal) || res.Code == string(codeUnreadable) {
		level = slog.LevelError
	}
	if r.o.Logger != nil {
		r.o.Logger.Log(ctx, level, "runner: a run failed", "run", run, "code", res.Code, "error", res.Err)
	}
}
