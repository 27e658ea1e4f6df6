package tracking

import (
	"context"
	"crypto/rand"
	"time"
	"unicode/utf8"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

const maxKey = 2048

// ClaimOptions configures [Tracker.Claim] and [Tracker.Track]. Key is required.
type ClaimOptions struct {
	// Key identifies the work: a run id, the id of a queue message, the digest
	// of the accepted data. It stays in the record after the stage has
	// ended. UTF-8, 1 to 2,048 bytes.
	Key string

	// Source is the object that is worked on. Default: none; for a stage that
	// is resumed, its current source.
	Source object.Ref

	// Lease is how long the worker may be silent before another can take the
	// stage. Default: [StageSpec.Lease].
	Lease time.Duration

	// Observed is proof that an External stage succeeded, recorded by the same
	// write and refused as by [Tracker.Observe]. Default: none.
	Observed *Observation

	// Automatic states that no person asked for this claim. It then respects
	// the back-off, with [ErrEarly] before [Progress.NotBefore], and leaves a
	// stage that waits for review alone, with [ErrParked].
	Automatic bool

	// TakeOver takes the stage from a live lease of the same Key, or after a
	// release. If the stage has ended permanently, the error is [ErrTerminal], and
	// in every other state it is [ErrTaken]. TakeOver is for a caller who knows by
	// other means that the holder is dead.
	TakeOver bool
}

// Claim takes a stage for a worker. A stage that was parked or released is
// resumed within its attempt; a stage that is queued, that failed and may be
// retried, or that runs under an expired lease is started as a new attempt. It
// costs one read and one write. Of many concurrent callers, one gets the stage.
//
// If the state does not allow the claim, the error is a *[StateError]:
// [ErrRunning], [ErrTerminal], [ErrExhausted] or [ErrDependencies]; if
// Automatic is set, also [ErrEarly] or [ErrParked]; if TakeOver is set, also
// [ErrTaken].
func (t *Tracker) Claim(ctx context.Context, session scope.Scope, st Stage, o *ClaimOptions) (*Attempt, error) {
	c, err := t.newClaim(session, st, o)
	if err != nil {
		return nil, opError("claim", err)
	}
	a, err := t.takeStage(ctx, session, c)
	return a, opError("claim", err)
}

func (t *Tracker) takeStage(ctx context.Context, session scope.Scope, c claim) (*Attempt, error) {
	r, err := t.updateRecord(ctx, session, func(r Record, now time.Time) (Record, bool, error) {
		return t.machine.claimStage(r, c, now)
	})
	if err != nil {
		return nil, err
	}
	view, err := t.sessionView(session)
	if err != nil {
		return nil, err
	}
	a := &Attempt{
		tracker: t, view: view, turn: make(chan struct{}, 1),
		hold: hold{spec: c.spec, fence: r.Stage(c.spec.Stage).Fence, owner: c.owner, lease: c.lease},
	}
	a.record.Store(&r)
	return a, nil
}

func (t *Tracker) newClaim(session scope.Scope, st Stage, o *ClaimOptions) (claim, error) {
	if err := session.Require(scope.SessionLevel); err != nil {
		return claim{}, err
	}
	if o == nil || o.Key == "" {
		return claim{}, invalidError("the key is missing")
	}
	if len(o.Key) > maxKey || !utf8.ValidString(o.Key) {
		return claim{}, invalidError("the key must be UTF-8 of at most %d bytes", maxKey)
	}
	spec, err := t.machine.pipeline.findSpec(st)
	if err != nil {
		return claim{}, err
	}
	if spec.External {
		return claim{}, stageError("%s is External: it is observed, not claimed", st)
	}
	c := claim{spec: spec, key: o.Key, owner: rand.Text(), takeOver: o.TakeOver,
		keepsBackoff: o.Automatic, skipsReview: o.Automatic}
	if c.lease, err = durationOr(o.Lease, spec.Lease); err != nil {
		return claim{}, err
	}
	if c.source, err = locateRef(session, o.Source); err != nil {
		return claim{}, err
	}
	if o.Observed != nil {
		if c.observed, c.observedDest, err = t.checkObservation(session, *o.Observed); err != nil {
			return claim{}, err
		}
	}
	return c, nil
}

// durationOr returns d or, if d is zero, its default, in whole milliseconds.
func durationOr(d, otherwise time.Duration) (time.Duration, error) {
	if d == 0 {
		d = otherwise
	}
	if d = d.Truncate(time.Millisecond); d <= 0 {
		return 0, invalidError("a duration must be at least 1 ms")
	}
	return d, nil
}
