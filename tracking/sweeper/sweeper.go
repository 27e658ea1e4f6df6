package sweeper

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/carrel-go/carrel/internal/sleep"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

const (
	defaultEvery = time.Minute
	lookTime     = 10 * time.Second // so that one record whose store does not answer does not delay the others
	sweepTime    = 5 * time.Minute  // the next sweep continues with the rest, in another order
)

// Options configures [New]. Nil means all defaults.
type Options struct {
	// Look has the meaning of [tracking.SweepOptions.Look]. Its context ends
	// after 10 s. Required if the pipeline has External stages.
	Look func(ctx context.Context, r tracking.Record, st tracking.Stage) (object.Ref, bool, error)

	// Live has the meaning of [tracking.SweepOptions.Live]. Its context ends
	// after 10 s. Default: the leases decide.
	Live func(ctx context.Context, r tracking.Record) (bool, error)

	// Every is the interval from the end of one sweep to the next, within a
	// tenth. Default: one minute.
	Every time.Duration

	// Clean is called after each sweep of Run, for example to delete abandoned
	// uploads. The sweep and Clean end after 5 min together. An error is
	// logged. If nil, nothing is called.
	Clean func(ctx context.Context) error

	// Log receives the number of changes of each sweep that made some, at Info,
	// and each record that could not be swept, at Warn. If nil, nothing is
	// logged.
	Log *slog.Logger
}

// Sweeper sweeps the records of one tracker. It is safe for concurrent use.
type Sweeper struct {
	tracker *tracking.Tracker
	sweep   tracking.SweepOptions
	every   time.Duration
	clean   func(context.Context) error // may be nil
	log     *slog.Logger
}

// New returns a sweeper of the tracker's records. system must be of the
// tracker's table. New returns tracking.ErrInvalid if tracker or system is nil,
// if Every is negative, or if Look is missing.
func New(tracker *tracking.Tracker, system *table.System, o *Options) (*Sweeper, error) {
	if o == nil {
		o = &Options{}
	}
	switch {
	case tracker == nil:
		return nil, invalidError("the tracker must not be nil")
	case system == nil:
		return nil, invalidError("the system must not be nil")
	case o.Every < 0:
		return nil, invalidError("Every %v: must not be negative", o.Every)
	}
	isExternal := func(s tracking.StageSpec) bool { return s.External }
	if o.Look == nil && slices.ContainsFunc(tracker.Pipeline().Stages, isExternal) {
		return nil, invalidError("Look must not be nil, because the pipeline has External stages")
	}
	s := &Sweeper{
		tracker: tracker, every: cmp.Or(o.Every, defaultEvery), clean: o.Clean, log: o.Log,
		sweep: tracking.SweepOptions{System: system, Look: limitLook(o.Look), Live: limitLive(o.Live)},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

func invalidError(format string, args ...any) error {
	return fmt.Errorf("sweeper: new: %w: %s", tracking.ErrInvalid, fmt.Sprintf(format, args...))
}

type (
	lookFunc = func(context.Context, tracking.Record, tracking.Stage) (object.Ref, bool, error)
	liveFunc = func(context.Context, tracking.Record) (bool, error)
)

func limitLook(look lookFunc) lookFunc {
	return func(ctx context.Context, r tracking.Record, st tracking.Stage) (object.Ref, bool, error) {
		ctx, cancel := context.WithTimeout(ctx, lookTime)
		defer cancel()
		return look(ctx, r, st)
	}
}

func limitLive(live liveFunc) liveFunc {
	if live == nil {
		return nil
	}
	return func(ctx context.Context, r tracking.Record) (bool, error) {
		ctx, cancel := context.WithTimeout(ctx, lookTime)
		defer cancel()
		return live(ctx, r)
	}
}

// Recover fails every stage that a worker holds as lost, without waiting for its
// lease to expire, except those that Options.Live reports as live. Call it before
// anything else is started, and only if no other process uses the table. It
// returns the error of [tracking.Tracker.Sweep] and logs records that could not be
// swept.
func (s *Sweeper) Recover(ctx context.Context) error {
	o := s.sweep
	o.Orphans = true
	return s.sweepAll(ctx, o)
}

// Run sweeps at once and then periodically until ctx ends. Sweeps that fail are
// logged.
func (s *Sweeper) Run(ctx context.Context) {
	for ctx.Err() == nil {
		failed, unclean := s.sweepOnce(ctx)
		if failed != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "sweep table", "err", failed)
		}
		if unclean != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "clean up after sweep", "err", unclean)
		}
		wait := s.every*9/10 + rand.N(s.every/5+1) //nolint:gosec // spreads sweepers; not secret
		_ = sleep.For(ctx, wait)                   // the loop ends with ctx
	}
}

// Sweep sweeps once and calls Options.Clean, in a process that a schedule wakes
// up.
func (s *Sweeper) Sweep(ctx context.Context) error { return errors.Join(s.sweepOnce(ctx)) }

// sweepOnce returns the errors of the sweep and of Options.Clean.
func (s *Sweeper) sweepOnce(ctx context.Context) (failed, unclean error) {
	ctx, cancel := context.WithTimeout(ctx, sweepTime)
	defer cancel()
	failed = s.sweepAll(ctx, s.sweep)
	if s.clean != nil {
		unclean = s.clean(ctx)
	}
	return failed, unclean
}

// sweepAll repeats the sweep until it has read every shard.
func (s *Sweeper) sweepAll(ctx context.Context, o tracking.SweepOptions) error {
	for {
		done, err := s.tracker.Sweep(ctx, &o)
		for _, e := range done.Errors {
			s.log.WarnContext(ctx, "sweep record", "scope", e.Scope.String(), "err", e.Err)
		}
		if done.Lost+done.Observed+done.Abandoned+done.Purged > 0 {
			s.log.InfoContext(ctx, "swept",
				"lost", done.Lost, "observed", done.Observed, "abandoned", done.Abandoned, "purged", done.Purged)
		}
		if err != nil || !done.More {
			return err
		}
		o.Cursor = done.Next
	}
}
