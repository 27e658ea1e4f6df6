package arrivals

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/internal/dueindex"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

const (
	lateTime = 24 * time.Hour // how long after the end of a grant an upload in flight may still arrive
	minWait  = time.Minute    // the shortest time before a note is looked at again
)

// Clean deletes the uploads of failed records, also late ones, and forgets
// sessions whose records are gone. Call it about every minute. system must be of
// the Recorder's table; it is not kept, because request handlers that hold a
// Recorder must not hold a System.
//
// Clean reads a bounded number of notes, since any writer may add items, and the
// next call continues there. It returns an error if a shard could not be listed.
// Notes that could not be processed are logged and stay due.
func (r *Recorder) Clean(ctx context.Context, system *table.System) error {
	if system == nil {
		return invalidError("clean", "system: must not be nil")
	}
	err := r.cleaning.Continue(ctx, system, notes, time.Now(), func(f table.Found) error {
		if err := r.cleanUpload(ctx, f); err != nil {
			r.log.WarnContext(ctx, "process due upload", "scope", f.Scope.String(), "err", err)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("arrivals: clean: %w", err)
	}
	return nil
}

// cleanUpload processes one upload. Any writer of items can add one to the index,
// so the note itself is read.
func (r *Recorder) cleanUpload(ctx context.Context, f table.Found) error {
	if f.Scope.Level() != scope.SessionLevel || f.Item.Sort != noteSort {
		return nil
	}
	view, err := r.table.In(f.Scope)
	if err != nil {
		return err
	}
	note, err := view.Get(ctx, noteSort)
	if errors.Is(err, table.ErrNotFound) {
		return nil
	}
	now := time.Now()
	if err != nil || len(note.Index) == 0 || note.Index[0].Sort > dueindex.FormatTime(now) {
		return err
	}
	next, err := r.settleUpload(ctx, f.Scope, note, now)
	if err != nil {
		return err
	}
	if next.IsZero() {
		err = view.Delete(ctx, noteSort, table.Version(note.Version))
	} else {
		if next.Before(now.Add(minWait)) {
			next = now.Add(minWait)
		}
		note.Index = []table.Entry{notes.Entry(f.Scope, next)}
		_, err = view.Put(ctx, note, table.Version(note.Version))
	}
	if _, changed := errors.AsType[*table.ConflictError](err); changed {
		return nil // another process was quicker
	}
	return err
}

// settleUpload does what the state of the record requires, and returns the time of
// the next look, or zero if the note can be deleted. It marks the note of an
// accepted upload, whose file outlives its record.
func (r *Recorder) settleUpload(ctx context.Context, session scope.Scope, note table.Item,
	now time.Time) (next time.Time, _ error) {
	rec, err := r.tracker.Get(ctx, session)
	switch {
	case errors.Is(err, tracking.ErrNotFound):
		return time.Time{}, r.forgetSession(ctx, session, note)
	case err != nil:
		return time.Time{}, err
	case !rec.Terminal:
		return rec.Due, nil
	case rec.Status == tracking.StatusSuccess:
		note.Attr["accepted"] = true
		return rec.Expires, nil
	}
	text, _ := note.Attr["expires"].(string)
	granted, _ := time.Parse(dueindex.TimeLayout, text)
	if next = granted.Add(lateTime); !next.After(now) {
		next = rec.Expires
	}
	if rec.Stage(r.stage).State == tracking.StateSuccess {
		_, err = r.deleteUpload(ctx, rec) // what Discard could not delete
		return next, err
	}
	return next, r.deleteLate(ctx, rec)
}

// forgetSession deletes the rest of a session whose record is gone or was never
// made. It keeps the file of an accepted upload.
func (r *Recorder) forgetSession(ctx context.Context, session scope.Scope, note table.Item) error {
	if r.o.Forget != nil {
		if err := r.o.Forget(ctx, session); err != nil {
			return err
		}
	}
	filename, _ := note.Attr["filename"].(string)
	if accepted, _ := note.Attr["accepted"].(bool); accepted || filename == "" {
		return nil
	}
	_, err := r.deleteUpload(ctx, tracking.Record{Scope: session, Filename: filename})
	return err
}
