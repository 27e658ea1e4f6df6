package tracking

import (
	"context"
	"crypto/rand"
	"errors"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
)

const maxKey = 2048

// StartOptions of [Tracker.Start] and [Tracker.Resume].
type StartOptions struct {
	// Key says on whose behalf: a run id, a queue message's id, the digest
	// of what is to be stored. It stays in the record after the stage has
	// ended. Needed; UTF-8, at most 2,048 bytes.
	Key string

	// Source is the object that is worked on. Default: none; of a Resume,
	// the one that the stage has.
	Source object.Ref

	// Lease is how long the attempt may be silent. Default [StageSpec.Lease].
	Lease time.Duration

	// Due is the longest that the run should take. Default [StageSpec.Due].
	Due time.Duration

	// Observed is proof that an External stage succeeded, recorded in the
	// same write. It is refused as by [Tracker.Observe]. Default: none.
	Observed *Observation

	// Automatic says that no person asked for this: before
	// [Progress.NotBefore] it is refused with [ErrEarly]. Default: it is
	// not looked at.
	Automatic bool

	// TakeOver, with Resume, takes a stage from a live lease of the same
	// Key, and nothing else: for a caller who knows by other means that
	// the holder is dead. Default: the lease decides.
	TakeOver bool
}

// Start begins a new attempt at a stage that was never parked: one that is
// queued, that failed and may be tried again, or that runs under a dead lease.
// It is one read and one write.
//
// A refusal is a *[StateError]: [ErrRunning], [ErrTerminal], [ErrParked],
// [ErrExhausted], [ErrDependencies]; if it is Automatic, [ErrEarly]. Of many
// concurrent callers, one gets the stage.
func (t *Tracker) Start(ctx context.Context, session scope.Scope, st Stage, o *StartOptions) (*Attempt, error) {
	if o != nil && o.TakeOver {
		return nil, opError("start", invalid("TakeOver is for Resume"))
	}
	a, err := t.claim(ctx, session, st, o, t.machine.start)
	return a, opError("start", err)
}

// Resume goes on with the attempt at a stage that was parked or released, or
// that was parked before and has since failed or lost its worker. It is one
// read and one write.
//
// A refusal is a *[StateError]: [ErrRunning], [ErrTerminal], [ErrNotParked];
// with TakeOver, [ErrTaken]; if it is Automatic, [ErrEarly]; of Observed,
// [ErrDependencies].
func (t *Tracker) Resume(ctx context.Context, session scope.Scope, st Stage, o *StartOptions) (*Attempt, error) {
	a, err := t.claim(ctx, session, st, o, t.machine.resume)
	return a, opError("resume", err)
}

func (t *Tracker) claim(ctx context.Context, session scope.Scope, st Stage, o *StartOptions,
	give func(Record, claim, time.Time) (Record, bool, error),
) (*Attempt, error) {
	c, err := t.newClaim(session, st, o)
	if err != nil {
		return nil, err
	}
	r, err := t.update(ctx, session, func(r Record, now time.Time) (Record, bool, error) { return give(r, c, now) })
	if err != nil {
		return nil, err
	}
	view, err := t.view(session)
	if err != nil {
		return nil, err
	}
	a := &Attempt{
		tracker: t, view: view, turn: make(chan struct{}, 1),
		hold: hold{spec: c.spec, fence: r.Stage(st).Fence, owner: c.owner, lease: c.lease},
	}
	a.record.Store(&r)
	return a, nil
}

func (t *Tracker) newClaim(session scope.Scope, st Stage, o *StartOptions) (claim, error) {
	if err := session.Require(scope.SessionLevel); err != nil {
		return claim{}, err
	}
	if o == nil || o.Key == "" {
		return claim{}, invalid("no key")
	}
	if len(o.Key) > maxKey || !utf8.ValidString(o.Key) {
		return claim{}, invalid("a key that is longer than %d bytes or no UTF-8", maxKey)
	}
	spec, err := t.machine.pipeline.spec(st)
	if err != nil {
		return claim{}, err
	}
	if spec.External {
		return claim{}, stageError("%s is External: it is observed, not started", st)
	}
	c := claim{spec: spec, key: o.Key, owner: rand.Text(), takeOver: o.TakeOver, patient: o.Automatic}
	if c.lease, err = duration(o.Lease, spec.Lease); err != nil {
		return claim{}, err
	}
	if c.due, err = duration(o.Due, spec.Due); err != nil {
		return claim{}, err
	}
	if c.source, err = locate(session, o.Source); err != nil {
		return claim{}, err
	}
	if o.Observed != nil {
		if c.observed, c.observedDest, err = t.proof(session, *o.Observed); err != nil {
			return claim{}, err
		}
	}
	return c, nil
}

// duration returns d or its default, in whole milliseconds.
func duration(d, otherwise time.Duration) (time.Duration, error) {
	if d == 0 {
		d = otherwise
	}
	if d = d.Truncate(time.Millisecond); d <= 0 {
		return 0, invalid("a duration under a millisecond")
	}
	return d, nil
}

// Attempt is a stage in a worker's hands. Each of its operations is exactly
// one write and no read, and works only while the attempt holds the stage:
// afterwards the error is a *[StateError] of [ErrFenced], nothing is changed,
// and the worker must stop. Repeating the operation that ended the attempt, as
// after a lost answer, is no error and writes nothing more.
//
// A lease that has run out is no error by itself: while nobody else has taken
// the stage, it is still held.
//
// It is safe for concurrent use; operations wait for each other, no longer than
// their context lasts. To end an attempt whose own context was cancelled, use
// one that was not, such as [context.WithoutCancel]'s. There is nothing to
// close: an attempt that is dropped ends with its lease.
type Attempt struct {
	tracker *Tracker
	view    *table.View
	hold    hold

	turn   chan struct{} // holds a value while an operation runs
	record atomic.Pointer[Record]
}

// Stage returns the stage.
func (a *Attempt) Stage() Stage { return a.hold.spec.Stage }

// Fence returns the number under which the attempt holds the stage. A later
// holder's is greater.
func (a *Attempt) Fence() int64 { return a.hold.fence }

// Record returns the newest record that the attempt knows. It does not wait
// and reads nothing.
func (a *Attempt) Record() Record { return *a.record.Load() }

// Heartbeat renews the lease, from now.
func (a *Attempt) Heartbeat(ctx context.Context) error {
	return a.do(ctx, "heartbeat", func(r Record, now time.Time) (Record, bool, error) {
		return a.tracker.machine.heartbeat(r, a.hold, now)
	})
}

// Complete ends the stage with success. dest is what it made; a zero Ref is
// none. The last required stage ends the record.
func (a *Attempt) Complete(ctx context.Context, dest object.Ref) error {
	to, err := locate(a.view.Scope(), dest)
	if err != nil {
		return opError("complete", err)
	}
	return a.do(ctx, "complete", func(r Record, now time.Time) (Record, bool, error) {
		return a.tracker.machine.complete(r, a.hold, to, now)
	})
}

// Fail ends the attempt with a failure, of which is recorded what [Error]
// says. The record ends with it where the failure is permanent or the attempts
// are used up, unless the stage has been parked before.
func (a *Attempt) Fail(ctx context.Context, cause error) error {
	if cause == nil {
		return opError("fail", invalid("no error to fail with"))
	}
	f := failureOf(cause)
	return a.do(ctx, "fail", func(r Record, now time.Time) (Record, bool, error) {
		return a.tracker.machine.fail(r, a.hold, f, now)
	})
}

// Park lets go of the stage until a person has looked at it. It is overdue
// after due; 0 is the tracker's review window.
func (a *Attempt) Park(ctx context.Context, due time.Duration) error {
	due, err := duration(due, a.tracker.machine.review)
	if err != nil {
		return opError("park", err)
	}
	return a.do(ctx, "park", func(r Record, now time.Time) (Record, bool, error) {
		return a.tracker.machine.park(r, a.hold, due, now)
	})
}

// Release hands the stage on, unfinished: anybody may resume it at once.
func (a *Attempt) Release(ctx context.Context) error {
	return a.do(ctx, "release", func(r Record, now time.Time) (Record, bool, error) {
		return a.tracker.machine.release(r, a.hold, now)
	})
}

func (a *Attempt) do(ctx context.Context, op string, f step) error {
	select {
	case a.turn <- struct{}{}:
	case <-ctx.Done():
		return opError(op, context.Cause(ctx))
	}
	defer func() { <-a.turn }()
	r, err := a.tracker.swap(ctx, a.view, a.Record(), f)
	a.record.Store(&r)
	return opError(op, err)
}

// gone reports whether err means that the stage is in other hands for good.
func gone(err error) bool { return errors.Is(err, ErrFenced) || errors.Is(err, ErrNotFound) }
