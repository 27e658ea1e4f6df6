package tracking

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
)

// SweepOptions configures [Tracker.Sweep]. System is required, and Look if the
// pipeline has External stages.
type SweepOptions struct {
	// System lists across scopes. It must be of the tracker's table.
	System *table.System

	// Look reports whether the object that an External stage of the record
	// waits for is in the storage, and returns its Ref. It is called only for
	// stages that are overdue. An error leaves the record for the next sweep.
	Look func(ctx context.Context, r Record, st Stage) (object.Ref, bool, error)

	// Live reports whether somebody works on the record although its lease may
	// have expired, for example a run that another process is about to take
	// over. Sweep asks before it fails a stage or abandons the record, and
	// leaves the record unchanged if Live returns true. An error leaves it for
	// the next sweep. Default: the leases decide.
	Live func(ctx context.Context, r Record) (bool, error)

	// Limit is the most changes that one call makes, and the most expired
	// records that it removes. Default 1,000.
	Limit int

	// Cursor is the Next of an earlier sweep that this one continues. Orphans
	// must be the same as in that sweep; otherwise Sweep returns [ErrInvalid].
	// Default: a new sweep.
	Cursor string

	// Orphans states that every process that holds a lease has ended, which
	// is known, for example, at the start of the only process that may open
	// the table's file. Then every stage that a worker runs is lost at once,
	// overdue or not, and the sweep reads every record that is not terminal. So
	// do not claim stages before all sweeps with Orphans have returned.
	// Default: a stage is lost when its lease has expired.
	Orphans bool
}

// SweepResult holds the numbers of records that a sweep changed.
type SweepResult struct {
	Lost      int // a worker's lease expired, or an optional External stage ran out of time
	Observed  int // an object was found that had not been reported
	Abandoned int // ended, because nobody continued them in time
	Moved     int // deferred, because a worker still holds a live lease
	Purged    int // expired and removed

	// More is set if the sweep stopped at a limit, so that there may be more
	// to do. Sweep again, with Next as the Cursor.
	More bool

	// Next is the Cursor of the sweep that continues this one. Empty if all
	// shards were read to their ends. It is not secret.
	Next string

	// Errors are of records that were not changed, at most 100 of them; the
	// sweep continued with the others.
	Errors []*SweepError
}

// SweepError is the reason that a sweep did not change a record.
type SweepError struct {
	Scope scope.Scope // the session
	Err   error
}

func (e *SweepError) Error() string { return fmt.Sprintf("tracking: sweep: %s: %v", e.Scope, e.Err) }

// Unwrap returns the reason.
func (e *SweepError) Unwrap() error { return e.Err }

const (
	defaultSweep   = 1000
	maxSweepErrors = 100
	maxSweepPages  = 128
)

// Sweep applies the effects of time to all records that are overdue:
//
//   - A stage that runs under an expired lease fails with "lost". It can be
//     retried if attempts are left.
//   - An External stage whose object has arrived succeeds. An optional one whose
//     object has not arrived fails, without its record.
//   - A record whose worker takes long but holds a live lease is deferred.
//   - Every other record ends as FAILED with the reason "abandoned".
//   - A record that [SweepOptions.Live] reports as live neither fails nor ends.
//
// It also removes expired records, if the store does not.
//
// Each record costs one read and one write, besides the listing. A record that
// has been continued in the meantime costs only the read. One call makes at most
// [SweepOptions.Limit] changes and reads at most 128 pages of the index, since
// any writer may place rows there. If it stops at one of these limits, or
// because ctx ends, the next call can continue at [SweepResult.Next]. Any number
// of sweeps may run at once: each change is decided from the current record.
//
// Sweep returns an error if a shard could not be listed, which is left for a new
// sweep, or if expired records could not be removed. The result is valid even
// then.
func (t *Tracker) Sweep(ctx context.Context, o *SweepOptions) (SweepResult, error) {
	s, err := t.newSweep(o)
	if err != nil {
		return SweepResult{}, opError("sweep", err)
	}
	var errs []error
	for len(s.at.Shards) > 0 {
		if s.isFull() {
			s.pauseSweep()
			break
		}
		done, err := s.sweepShard(ctx)
		if ended := ctx.Err(); ended != nil {
			s.pauseSweep()
			return s.result, opError("sweep", ended)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("shard %d: %w", s.at.Shards[0], err))
		}
		if done || err != nil {
			s.at.Shards, s.at.Cursor = s.at.Shards[1:], ""
		}
	}
	s.result.Purged, err = s.System.Purge(ctx, s.Limit)
	s.result.More = s.result.More || s.result.Purged == s.Limit
	return s.result, opError("sweep", errors.Join(append(errs, err)...))
}

// sweep is one Sweep in progress.
type sweep struct {
	SweepOptions
	t      *Tracker
	at     sweepCursor
	pages  int // that were read
	result SweepResult
}

// isFull reports whether the sweep has done as much as one call may.
func (s *sweep) isFull() bool { return s.countChanges() >= s.Limit || s.pages >= maxSweepPages }

func (s *sweep) countChanges() int {
	return s.result.Lost + s.result.Observed + s.result.Moved + s.result.Abandoned
}

// pauseSweep ends the sweep so that the next one can continue it.
func (s *sweep) pauseSweep() { s.result.Next, s.result.More = encodeCursor(s.at), true }

func (t *Tracker) newSweep(o *SweepOptions) (*sweep, error) {
	if o == nil || o.System == nil {
		return nil, invalidError("System is missing")
	}
	s := &sweep{SweepOptions: *o, t: t}
	for _, spec := range t.machine.pipeline.Stages {
		if spec.External && s.Look == nil {
			return nil, invalidError("Look is missing, but stage %s is External", spec.Stage)
		}
	}
	if s.Limit < 0 {
		return nil, invalidError("limit %d: must not be negative", s.Limit)
	}
	s.Limit = cmp.Or(s.Limit, defaultSweep)
	var err error
	if s.Cursor != "" {
		s.at, err = parseSweepCursor(s.Cursor, s.Orphans)
		return s, err
	}
	s.at.Shards = rand.Perm(Shards) //nolint:gosec // spreads concurrent sweepers; not secret
	if !s.Orphans {
		s.at.To = formatTime(t.currentTime().Add(time.Millisecond))
	}
	return s, nil
}

// sweepShard sweeps the first shard that is left. done reports whether it was read to
// its end; otherwise the sweep is full. Records with errors stay at the head of
// the shard and do not count as changes.
func (s *sweep) sweepShard(ctx context.Context) (done bool, err error) {
	q := table.Query{Slot: table.I3, Class: dueClass(s.t.machine.pipeline.Name), To: s.at.To}
	for s.pages < maxSweepPages {
		q.Cursor = s.at.Cursor
		page, err := s.System.Query(ctx, s.at.Shards[0], q)
		if errors.Is(err, table.ErrCursor) {
			return false, fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		if err != nil {
			return false, err
		}
		s.pages++
		for _, f := range page.Items {
			if err := ctx.Err(); err != nil {
				return false, err
			}
			if s.countChanges() >= s.Limit {
				return false, nil // the next sweep reads this page again
			}
			s.sweepRow(ctx, f)
		}
		if page.Next == "" {
			return true, nil
		}
		s.at.Cursor = page.Next
	}
	return false, nil
}

func (s *sweep) sweepRow(ctx context.Context, f table.Found) {
	if f.Scope.Level() != scope.SessionLevel || f.Item.Sort != metaSort {
		return // not an item of this package
	}
	v, err := s.sweepSession(ctx, f.Scope)
	if err != nil {
		if len(s.result.Errors) < maxSweepErrors {
			s.result.Errors = append(s.result.Errors, &SweepError{Scope: f.Scope, Err: err})
		}
		return
	}
	counters := map[verdict]*int{verdictLost: &s.result.Lost, verdictArrived: &s.result.Observed,
		verdictMoved: &s.result.Moved, verdictAbandoned: &s.result.Abandoned}
	if n, ok := counters[v]; ok {
		*n++
	}
}

func (s *sweep) sweepSession(ctx context.Context, session scope.Scope) (verdict, error) {
	view, r, err := s.t.readRecord(ctx, session)
	if errors.Is(err, ErrNotFound) {
		return verdictNone, nil // removed in the meantime
	}
	if err != nil {
		return verdictNone, err
	}
	f, err := s.lookForObjects(ctx, r)
	if err != nil {
		return verdictNone, err
	}
	_, v := s.t.machine.sweepRecord(r, f, s.t.currentTime())
	mayFail := s.Live == nil
	if !mayFail && v.isFailure() {
		live, err := s.Live(ctx, r)
		if live || err != nil {
			return verdictNone, err
		}
		mayFail = true
	}
	_, err = s.t.swapRecord(ctx, view, r, func(r Record, now time.Time) (Record, bool, error) {
		var next Record
		if next, v = s.t.machine.sweepRecord(r, f, now); v.isFailure() && !mayFail {
			v = verdictNone // the record has changed since; the next sweep asks Live
		}
		return next, v != verdictNone, nil
	})
	if err != nil {
		return verdictNone, err
	}
	return v, nil
}

// lookForObjects looks for the objects of the External stages that are overdue.
func (s *sweep) lookForObjects(ctx context.Context, r Record) (finding, error) {
	f := finding{orphans: s.Orphans, arrived: map[Stage]Location{}}
	for _, st := range s.t.machine.stagesToLookFor(r, f, s.t.currentTime()) {
		ref, ok, err := s.Look(ctx, r, st)
		switch {
		case err != nil:
			return f, err
		case !ok:
			f.absent = append(f.absent, st)
			continue
		}
		if f.arrived[st], err = locateRef(r.Scope, ref); err != nil {
			return f, err
		}
	}
	return f, nil
}
