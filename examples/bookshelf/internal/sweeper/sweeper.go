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
	// Every is how often a table is swept.
	Every = time.Minute

	// LookTime is how long a look may take: a store that does not answer about one record must not keep the others
	// waiting.
	LookTime = 10 * time.Second

	// SweepTime is how long a sweep of Run may take. The next one goes on with what it has left, in another order.
	SweepTime = 5 * time.Minute
)

// Look is what [tracking.SweepOptions.Look] is.
type Look = func(context.Context, tracking.Record, tracking.Stage) (object.Ref, bool, error)

// Options of [New]. Nil is valid.
type Options struct {
	// Every is how long after one sweep the next one begins, give or take a tenth. Default: Every.
	Every time.Duration

	// Clean is called after each sweep of Run, with the time that is left of SweepTime; its error is logged. If nil,
	// nothing is called.
	Clean func(ctx context.Context) error

	// Log gets, at Info, what a sweep has done if it has done anything, and at Warn each record that it had to leave.
	// Default: nothing is logged.
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

// New returns a sweeper. system must be of the tracker's table. The context of look ends after LookTime; an error leaves
// the record for the next sweep.
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

// Recover gives up what a process that was killed has left behind: every stage that somebody seems to be at work on.
// It is for a table that nobody else works on, before anything is started; then nobody has to wait for a lease to run
// out. The error is that of [tracking.Tracker.Sweep]; records that it had to leave are logged.
func (s *Sweeper) Recover(ctx context.Context) error {
	o := s.o
	o.Orphans = true
	return s.sweep(ctx, o)
}

// Run sweeps at once, and then again and again until ctx ends.
func (s *Sweeper) Run(ctx context.Context) {
	for ctx.Err() == nil {
		limited, cancel := context.WithTimeout(ctx, SweepTime)
		if err := s.sweep(limited, s.o); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "the table could not be swept", "err", err)
		}
		if s.clean != nil {
			if err := s.clean(limited); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "uploads could not be looked after", "err", err)
			}
		}
		cancel()
		select {
		case <-time.After(s.every*9/10 + rand.N(s.every/5+1)): //nolint:gosec // so that not all sweep at once: it need not be unforeseeable
		case <-ctx.Done():
		}
	}
}

// sweep sweeps until nothing is left that can be done.
func (s *Sweeper) sweep(ctx context.Context, o tracking.SweepOptions) error {
	for {
		done, err := s.tracker.Sweep(ctx, &o)
		for _, e := range done.Errors {
			s.log.WarnContext(ctx, "a record could not be swept", "scope", e.Scope.String(), "err", e.Err)
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
