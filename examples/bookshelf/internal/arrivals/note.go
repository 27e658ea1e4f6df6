package arrivals

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// A note is an item of a session with the announcement and the time when to look at the upload again.
const (
	noteSort  = "upload"
	noteClass = "uploads"
	shards    = 16
	stampForm = "2006-01-02T15:04:05.000Z" // sorts in time order

	// lateTime is how long after the end of a grant an upload in flight may still arrive.
	lateTime = 24 * time.Hour
	// again is the shortest time before a note is looked at again.
	again = time.Minute
)

// Announced is the client's announcement of an upload, before it is granted.
type Announced struct {
	Size   int64  // in bytes; zero if not announced
	SHA256 []byte // 32 bytes; nil if not announced
}

// Expect stores a note about an upload that is about to be granted until expires, and when its record is due. Call it
// before the record is made, so that every arrival is noticed.
func (d *Desk) Expect(
	ctx context.Context, session scope.Scope, filename string, a Announced, expires, due time.Time,
) error {
	view, err := d.table.In(session)
	if err != nil {
		return fmt.Errorf("arrivals: expect: %w", err)
	}
	item := table.Item{Sort: noteSort, Index: noteIndex(session, due), Attr: map[string]table.Value{
		"filename": filename, "size": a.Size, "sha256": a.SHA256, "expires": expires.UTC().Format(stampForm),
	}}
	if _, err := view.Put(ctx, item, table.Absent()); err != nil {
		return fmt.Errorf("arrivals: expect: %w", err)
	}
	return nil
}

// announced returns the announcement, or the zero Announced if the note does not exist.
func (d *Desk) announced(ctx context.Context, session scope.Scope) (Announced, error) {
	view, err := d.table.In(session)
	if err != nil {
		return Announced{}, fmt.Errorf("arrivals: %w", err)
	}
	item, err := view.Get(ctx, noteSort)
	if errors.Is(err, table.ErrNotFound) {
		return Announced{}, nil
	}
	if err != nil {
		return Announced{}, fmt.Errorf("arrivals: %w", err)
	}
	var a Announced
	a.Size, _ = item.Attr["size"].(int64)
	if sum, _ := item.Attr["sha256"].([]byte); len(sum) > 0 {
		a.SHA256 = sum
	}
	return a, nil
}

func noteIndex(session scope.Scope, due time.Time) []table.Entry {
	h := fnv.New32a()
	_, _ = h.Write([]byte(session.SessionID()))
	return []table.Entry{{
		Slot: table.I3, Level: scope.None, Class: noteClass, Shard: int(h.Sum32() % shards),
		Sort: due.UTC().Format(stampForm),
	}}
}

// pass is the position of Clean: a shard, and the query of its notes that were due when the pass began.
type pass struct {
	shard int
	q     table.Query
}

// maxCleanPages is the largest number of pages, of 100 notes, that one Clean reads: one of each shard, and ten more.
const maxCleanPages = shards + 10

// Clean processes the uploads whose notes are due. It deletes uploads of failed records, also late ones, and forgets
// sessions whose records are gone. It reads a bounded number of notes, since any writer may add items, and the next
// Clean continues there. It returns an error if a shard could not be listed. Notes that could not be processed are
// logged and stay due.
func (d *Desk) Clean(ctx context.Context, system *table.System) error {
	d.cleaning.Lock()
	defer d.cleaning.Unlock()
	if d.pass.q.To == "" {
		to := time.Now().Add(time.Millisecond).UTC().Format(stampForm)
		d.pass = pass{q: table.Query{Slot: table.I3, Class: noteClass, To: to}}
	}
	var errs []error
	for range maxCleanPages {
		page, err := system.Query(ctx, d.pass.shard, d.pass.q)
		if ctx.Err() != nil {
			return errors.Join(append(errs, ctx.Err())...)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("arrivals: clean: shard %d: %w", d.pass.shard, err))
		}
		for _, f := range page.Items {
			if err := d.clean(ctx, f); err != nil {
				d.log.WarnContext(ctx, "process due upload", "scope", f.Scope.String(), "err", err)
			}
		}
		if d.pass.q.Cursor = page.Next; page.Next != "" {
			continue
		}
		if d.pass.shard++; d.pass.shard == shards {
			d.pass = pass{}
			break
		}
	}
	return errors.Join(errs...)
}

// clean processes one upload. Any writer of items can add one to the index, so the note itself is read.
func (d *Desk) clean(ctx context.Context, f table.Found) error {
	if f.Scope.Level() != scope.SessionLevel || f.Item.Sort != noteSort {
		return nil
	}
	view, err := d.table.In(f.Scope)
	if err != nil {
		return err
	}
	note, err := view.Get(ctx, noteSort)
	if errors.Is(err, table.ErrNotFound) {
		return nil
	}
	now := time.Now()
	if err != nil || len(note.Index) == 0 || note.Index[0].Sort > now.UTC().Format(stampForm) {
		return err
	}
	rec, err := d.tracker.Get(ctx, f.Scope)
	var next time.Time // zero if the note can be deleted
	switch {
	case errors.Is(err, tracking.ErrNotFound):
		err = d.forget(ctx, f.Scope, note)
	case err != nil:
	case !rec.Terminal:
		next = rec.Due
	case rec.Status == tracking.StatusSuccess:
		note.Attr["accepted"] = true
		next = d.retained(rec)
	default:
		expires, _ := note.Attr["expires"].(string)
		granted, _ := time.Parse(stampForm, expires)
		if next = granted.Add(lateTime); !next.After(now) {
			next = d.retained(rec)
		}
		_, err = d.remove(ctx, rec)
	}
	if err != nil {
		return err
	}
	if next.IsZero() {
		err = view.Delete(ctx, noteSort, table.Version(note.Version))
	} else {
		if next.Before(now.Add(again)) {
			next = now.Add(again)
		}
		note.Index = noteIndex(f.Scope, next)
		_, err = view.Put(ctx, note, table.Version(note.Version))
	}
	if _, changed := errors.AsType[*table.ConflictError](err); changed {
		return nil // another process was quicker
	}
	return err
}

// retained returns when the record expires; zero means never.
func (d *Desk) retained(rec tracking.Record) time.Time {
	if d.o.Retention == 0 {
		return time.Time{}
	}
	return rec.Updated.Add(d.o.Retention)
}

// forget deletes the rest of a session whose record is gone or was never made. It keeps the file of an accepted
// upload.
func (d *Desk) forget(ctx context.Context, session scope.Scope, note table.Item) error {
	if d.o.Forget != nil {
		if err := d.o.Forget(ctx, session); err != nil {
			return err
		}
	}
	filename, _ := note.Attr["filename"].(string)
	if accepted, _ := note.Attr["accepted"].(bool); accepted || filename == "" {
		return nil
	}
	_, err := d.remove(ctx, tracking.Record{Scope: session, Filename: filename})
	return err
}
