package sweeper

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

const (
	// Every is the default interval between sweeps.
	Every = time.Minute

	// LookTime is the time limit of a look, so that one record whose store does not answer does not delay the others.
	LookTime = 10 * time.Second

	// SweepTime is the time limit of a sweep of Run. The next sweep continues with the rest, in another order.
	SweepTime = 5 * time.Minute
)

// Look has the type of [tracking.SweepOptions.Look].
type Look = func(context.Context, tracking.Record, tracking.Stage) (object.Ref, bool, error)

// Options configures [New]. Nil means the defaults.
type Options struct {
	// Every is the interval from the end of one sweep to the next, within a tenth. Zero means the constant Every.
	Every time.Duration

	// Clean is called after each sweep of Run, with the rest of SweepTime. Its error is logged. If nil, nothing is
	// called.
	Clean func(ctx context.Context) error

	// Log receives the changes of each sweep, at Info, and each record that failed, at Warn. If nil, nothing is
	// logged.
	Log *slog.Logger
}

// Sweeper sweeps the records of one tracker.
type Sweeper struct {
	tracker *tracking.Tracker
	o       tracking.SweepOptions
	every   time.Duration
	clean   func(context.Context) error // may be nil
	log     *slog.Logger
}

// New returns a sweeper. system must belong to the tracker's table. The context of look ends after LookTime. If look
// fails, the next sweep tries the record again.
func New(tracker *tracking.Tracker, system *table.System, look Look, o *Options) *Sweeper {
	s := &Sweeper{
		tracker: tracker, o: tracking.SweepOptions{System: system, Look: bounded(look)},
		every: Every, log: slog.New(slog.DiscardHandler),
	}
	if o != nil && o.Every > 0 {
		s.every = o.Every
	}
	if o != nil {
		s.clean = o.Clean
	}
	if o != nil && o.Log != nil {
		s.log = o.Log
	}
	return s
}

func bounded(look Look) Look {
	return func(ctx context.Context, r tracking.Record, st tracking.Stage) (object.Ref, bool, error) {
		ctx, cancel := context.WithTimeout(ctx, LookTime)
		defer cancel()
		return look(ctx, r, st)
	}
}

// Recover releases every held stage, so that stages of a killed process do not have to wait for their leases to expire.
// Call it before anything else is started, and only if no other process uses the table. It returns the error of
// [tracking.Tracker.Sweep] and logs records that failed.
func (s *Sweeper) Recover(ctx context.Context) error {
	o := s.o
	o.Orphans = true
	return s.sweep(ctx, o)
}

// Run sweeps at once and then periodically until ctx ends.
func (s *Sweeper) Run(ctx context.Context) {
	for ctx.Err() == nil {
		limited, cancel := context.WithTimeout(ctx, SweepTime)
		if err := s.sweep(limited, s.o); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "sweep table", "err", err)
		}
		if s.clean != nil {
			if err := s.clean(limited); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "clean uploads", "err", err)
			}
		}
		cancel()
		select {
		case <-time.After(s.every*9/10 + rand.N(s.every/5+1)): //nolint:gosec // so that not all sweep at once: it need not be unforeseeable
		case <-ctx.Done():
		}
	}
}

// sweep sweeps until there is no more work.
func (s *Sweeper) sweep(ctx context.Context, o tracking.SweepOptions) error {
	for {
		done, err := s.tracker.Sweep(ctx, &o)
		for _, e := range done.Errors {
			s.log.WarnContext(ctx, "sweep record", "scope", e.Scope.String(), "err", e.Err)
		}
		if done.Lost+done.Observed+done.Abandoned+done.Purged > 0 {
			s.log.InfoContext(ctx, "swept", "lost", done.Lost, "observed", done.Observed, "abandoned", done.Abandoned, "purged", done.Purged)
		}
		if err != nil || !done.More {
			return err
		}
		o.Cursor = done.Next
	}
}
