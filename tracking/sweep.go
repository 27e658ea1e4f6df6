package tracking

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
)

// SweepOptions of [Tracker.Sweep]. System is needed, and Look where the
// pipeline has External stages.
type SweepOptions struct {
	// System lists across scopes. It must be of the tracker's table.
	System *table.System

	// Look asks the storage whether what the record's External stage waits
	// for has arrived, and where it is. It is asked only of stages whose
	// time is over. An error leaves the record for the next sweep.
	Look func(ctx context.Context, r Record, st Stage) (object.Ref, bool, error)

	// Limit is how many changes a sweep makes at most, and how many expired
	// records it removes. Default 1,000.
	Limit int

	// Shards are the shards to look into, of 0 to [Shards]-1, for several
	// sweepers that share the work. Default: all, in random order.
	Shards []int

	// Orphans says that every lease of the table is of a process that has
	// ended, as one knows who has locked a file at the start. Then every
	// stage that a worker runs is lost at once, overdue or not, and the
	// sweep looks at every record that is not terminal. Default: leases
	// say who is dead.
	Orphans bool
}

// SweepResult says what a sweep did.
type SweepResult struct {
	Lost      int // records with stages whose workers were not heard of any more, or that were optional and did not arrive
	Observed  int // of uploads that had arrived
	Abandoned int // ended, since nobody went on with them
	Moved     int // put off, since somebody is still at work on them
	Purged    int // expired and removed

	// More is set where the sweep has reached its limit.
	More bool

	// Errors are of records that were left as they are, at most 100 of
	// them; the sweep went on with the others.
	Errors []*SweepError
}

// SweepError says why a record was left as it is.
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
)

// Sweep does what time brings with it, to all records that are overdue:
//
//   - A stage that runs under a dead lease fails with [CodeLost] and may be
//     started again, if attempts are left.
//   - An External stage whose object is there after all succeeds; an optional
//     one whose object is not fails, by itself.
//   - Where a worker with a live lease takes longer than was expected, the
//     record is looked at again later.
//   - Everything else has been waited for in vain: the record ends, FAILED,
//     with the reason [CodeAbandoned].
//
// And it removes records whose retention is over, where the store does not.
//
// Each record costs one read and one write beside the listing; one that is
// overdue no more, the read alone. A sweep may be ended at any point and begun
// anew, and any number of them may run at once: each change is decided from
// what the record is by then. The error is of the listing or the removing: the
// shards that could not be listed are left for the next sweep, and what was done
// is in the result.
func (t *Tracker) Sweep(ctx context.Context, o *SweepOptions) (SweepResult, error) {
	s, err := t.newSweep(o)
	if err != nil {
		return SweepResult{}, opError("sweep", err)
	}
	var errs []error
	for _, shard := range s.Shards {
		if err := ctx.Err(); err != nil {
			return s.result, opError("sweep", err)
		}
		if err := s.shard(ctx, shard); err != nil {
			errs = append(errs, fmt.Errorf("shard %d: %w", shard, err))
		}
	}
	s.result.Purged, err = s.System.Purge(ctx, s.Limit)
	s.result.More = s.result.More || s.result.Purged == s.Limit
	return s.result, opError("sweep", errors.Join(append(errs, err)...))
}

// sweep is one Sweep under way.
type sweep struct {
	SweepOptions
	t      *Tracker
	result SweepResult
}

func (t *Tracker) newSweep(o *SweepOptions) (*sweep, error) {
	if o == nil || o.System == nil {
		return nil, invalid("no System")
	}
	s := &sweep{SweepOptions: *o, t: t}
	for _, spec := range t.machine.pipeline.Stages {
		if spec.External && s.Look == nil {
			return nil, invalid("no Look, and %s is External", spec.Stage)
		}
	}
	if s.Limit < 0 {
		return nil, invalid("a limit of %d", s.Limit)
	}
	if s.Limit == 0 {
		s.Limit = defaultSweep
	}
	if s.Shards == nil {
		s.Shards = rand.Perm(Shards) //nolint:gosec // so that sweepers that begin at once part ways; nothing secret
	}
	for _, shard := range s.Shards {
		if shard < 0 || shard >= Shards {
			return nil, invalid("shard %d of %d", shard, Shards)
		}
	}
	return s, nil
}

// shard sweeps one shard. Records that cannot be dealt with stay at its head;
// they do not count towards the limit, so they are in nobody's way.
func (s *sweep) shard(ctx context.Context, n int) error {
	q := table.Query{Slot: table.I3, Class: dueClass(s.t.machine.pipeline.Name)}
	if !s.Orphans {
		q.To = stamp(s.t.now().Add(time.Millisecond))
	}
	for {
		page, err := s.System.Query(ctx, n, q)
		if err != nil {
			return err
		}
		for _, f := range page.Items {
			if err := ctx.Err(); err != nil {
				return err
			}
			if s.result.More {
				return nil
			}
			s.row(ctx, f)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return nil
		}
	}
}

func (s *sweep) row(ctx context.Context, f table.Found) {
	if f.Scope.Level() != scope.SessionLevel || f.Item.Sort != metaSort {
		return // placed there by another hand
	}
	v, err := s.record(ctx, f.Scope)
	if err != nil {
		if len(s.result.Errors) < maxSweepErrors {
			s.result.Errors = append(s.result.Errors, &SweepError{Scope: f.Scope, Err: err})
		}
		return
	}
	switch v {
	case nothing:
		return
	case lost:
		s.result.Lost++
	case arrived:
		s.result.Observed++
	case moved:
		s.result.Moved++
	case abandoned:
		s.result.Abandoned++
	}
	s.result.More = s.result.Lost+s.result.Observed+s.result.Moved+s.result.Abandoned == s.Limit
}

// record sweeps one record.
func (s *sweep) record(ctx context.Context, session scope.Scope) (verdict, error) {
	view, err := s.t.view(session)
	if err != nil {
		return nothing, err
	}
	r, err := s.t.read(ctx, view)
	if errors.Is(err, ErrNotFound) {
		return nothing, nil // removed in the meantime
	}
	if err != nil {
		return nothing, err
	}
	f, err := s.look(ctx, r)
	if err != nil {
		return nothing, err
	}
	v := nothing
	_, err = s.t.swap(ctx, view, r, func(r Record, now time.Time) (Record, bool, error) {
		var next Record
		next, v = s.t.machine.sweep(r, f, now)
		return next, v != nothing, nil
	})
	if err != nil {
		return nothing, err
	}
	return v, nil
}

// look finds out what the table does not know of a record.
func (s *sweep) look(ctx context.Context, r Record) (finding, error) {
	f := finding{orphans: s.Orphans, there: map[Stage]Location{}}
	for _, st := range s.t.machine.awaited(r, f, s.t.now()) {
		ref, ok, err := s.Look(ctx, r, st)
		switch {
		case err != nil:
			return f, err
		case !ok:
			f.absent = append(f.absent, st)
			continue
		}
		if f.there[st], err = locate(r.Scope, ref); err != nil {
			return f, err
		}
	}
	return f, nil
}
