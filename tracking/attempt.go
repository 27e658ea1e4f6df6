package tracking

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
)

// Attempt holds a stage for a worker. Each operation costs one write and no
// read, and works only while the attempt holds the stage: afterwards it changes
// nothing and returns a *[StateError] with [ErrFenced], and the worker must
// stop. The operation that ended the attempt can be repeated, for example if
// its answer was lost: it writes nothing more and returns no error.
//
// An expired lease alone is not an error: the attempt holds the stage until
// another worker takes it.
//
// An Attempt is safe for concurrent use. Operations wait for each other while
// their context lasts. To end an attempt after its context was cancelled, use
// [context.WithoutCancel]. An attempt need not be closed: it ends with its lease.
type Attempt struct {
	tracker *Tracker
	view    *table.View
	hold    hold

	turn   chan struct{} // holds a value while an operation runs
	record atomic.Pointer[Record]

	mu     sync.Mutex
	labels map[string]string // not yet stored
}

// Stage returns the stage.
func (a *Attempt) Stage() Stage { return a.hold.spec.Stage }

// Fence returns the fencing token of the attempt. A later holder's is greater.
func (a *Attempt) Fence() int64 { return a.hold.fence }

// Record returns the attempt's latest copy of the record, without I/O.
func (a *Attempt) Record() Record { return *a.record.Load() }

// Heartbeat renews the lease, from now.
func (a *Attempt) Heartbeat(ctx context.Context) error {
	return a.changeStage(ctx, "heartbeat", func(r Record, now time.Time) (Record, bool, error) {
		return a.tracker.machine.renewLease(r, a.hold, now)
	})
}

// Complete ends the stage with success. dest is its result, and may be zero. The
// last required stage ends the record.
func (a *Attempt) Complete(ctx context.Context, dest object.Ref) error {
	to, err := locateRef(a.view.Scope(), dest)
	if err != nil {
		return opError("complete", err)
	}
	return a.changeStage(ctx, "complete", func(r Record, now time.Time) (Record, bool, error) {
		return a.tracker.machine.completeStage(r, a.hold, to, now)
	})
}

// Fail ends the attempt and records cause as [Error] describes. The record ends
// too if the failure is not retryable or was the last attempt, unless the stage
// has ever been parked.
func (a *Attempt) Fail(ctx context.Context, cause error) error {
	if cause == nil {
		return opError("fail", invalidError("the cause is missing"))
	}
	f := recordableError(cause)
	return a.changeStage(ctx, "fail", func(r Record, now time.Time) (Record, bool, error) {
		return a.tracker.machine.failStage(r, a.hold, f, now)
	})
}

// Park releases the stage to wait for human review. The record is overdue after
// due; zero means [Options.Review].
func (a *Attempt) Park(ctx context.Context, due time.Duration) error {
	due, err := durationOr(due, a.tracker.machine.review)
	if err != nil {
		return opError("park", err)
	}
	return a.changeStage(ctx, "park", func(r Record, now time.Time) (Record, bool, error) {
		return a.tracker.machine.parkStage(r, a.hold, due, now)
	})
}

// Release releases the unfinished stage. Any worker can resume it at once.
func (a *Attempt) Release(ctx context.Context) error {
	return a.changeStage(ctx, "release", func(r Record, now time.Time) (Record, bool, error) {
		return a.tracker.machine.releaseStage(r, a.hold, now)
	})
}

// changeStage performs one operation. Labels that were set are stored by the same write.
func (a *Attempt) changeStage(ctx context.Context, op string, f transition) error {
	select {
	case a.turn <- struct{}{}:
	case <-ctx.Done():
		return opError(op, context.Cause(ctx))
	}
	defer func() { <-a.turn }()
	labels := a.pendingLabels()
	r, err := a.tracker.swapRecord(ctx, a.view, a.Record(), func(r Record, now time.Time) (Record, bool, error) {
		next, write, err := f(r, now)
		if write {
			next.Labels = mergeLabels(next.Labels, labels)
		}
		return next, write, err
	})
	a.record.Store(&r)
	if err == nil {
		a.dropLabels(labels)
	}
	return opError(op, err)
}

// isStageLost reports whether err proves that the attempt cannot hold the stage again.
func isStageLost(err error) bool { return errors.Is(err, ErrFenced) || errors.Is(err, ErrNotFound) }
