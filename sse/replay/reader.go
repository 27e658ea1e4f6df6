package replay

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/carrel-go/carrel/internal/sleep"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse"
)

// Events yields the events of a log in order, from the first one after the event with the id after; an empty id means
// from the beginning. It waits for new events and ends after the last event of a finished log, or with an error:
//
//   - the cause of ctx when it ends;
//   - [sse.ErrNotFound] if the scope does not have such a log, or all of it has expired;
//   - [sse.ErrUnknownID] if after is not the id of an event of the log;
//   - [sse.ErrExpired] if events after the cursor have expired;
//   - [sse.ErrFinished] if after is the last event of a finished log;
//   - the error of the table or of the bucket.
func (s *Store) Events(ctx context.Context, sc scope.Scope, name, after string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		stopped := false
		r, err := s.newReading(ctx, sc, name, after)
		if err == nil {
			err = r.readLog(ctx, func(events []Event) bool {
				for _, e := range events {
					if !yield(e, nil) {
						stopped = true
						return false
					}
				}
				return true
			}, true)
		}
		if err != nil && !stopped {
			yield(Event{}, err)
		}
	}
}

// End returns the last event of a log that has ended. It returns false if the log has not ended, and [sse.ErrNotFound]
// if the scope does not have such a log. It costs one read.
func (s *Store) End(ctx context.Context, sc scope.Scope, name string) (last Event, ok bool, _ error) {
	l, err := s.openLog(sc, name)
	if err != nil {
		return Event{}, false, fmt.Errorf("replay: end: %w", err)
	}
	head, err := l.readHead(ctx)
	switch {
	case err != nil:
		return Event{}, false, fmt.Errorf("replay: end: %w", err)
	case head.number == 0:
		return Event{}, false, fmt.Errorf("replay: end: %w", sse.ErrNotFound)
	case !head.final:
		return Event{}, false, nil
	}
	r := reading{store: s, log: l, next: place{head.number, head.count() - 1}}
	if err := r.readEvents(ctx, head); err != nil {
		return Event{}, false, err
	}
	return r.batch[0], true, nil
}

// doubtTime is how long the Writer of this process may be silent before its readers look into the table. A Writer that
// has been replaced does not notice that before its next write.
const doubtTime = 5 * time.Second

// reading is the state of one reader.
type reading struct {
	store   *Store
	log     log
	memory  *recent     // of a Writer in this process, also after it has ended; or nil
	doubted bool        // the table is read next, and not the memory
	next    place       // of the event that is read next
	final   bool        // the last event has been read
	exists  bool        // a segment of the log was seen
	idle    int         // how often nothing was found in a row
	doubt   *time.Timer // stopped while the reader does not wait
	batch   []Event
}

// newReading returns a reader of the events after the one with the id after.
func (s *Store) newReading(ctx context.Context, sc scope.Scope, name, after string) (*reading, error) {
	l, err := s.openLog(sc, name)
	if err != nil {
		return nil, err
	}
	r := &reading{store: s, log: l, next: place{segment: 1}}
	if after != "" {
		err = r.seek(ctx, after)
	}
	return r, err
}

// readLog passes the events of each segment to yield until that returns false. When it has passed the newest one, it
// waits for more if wait is set. It reuses the slice that it passes.
func (r *reading) readLog(ctx context.Context, yield func([]Event) bool, wait bool) error {
	for !r.final {
		segments, changed, err := r.fetchSegments(ctx)
		if err != nil {
			return err
		}
		for _, seg := range segments {
			if err := r.readEvents(ctx, seg); err != nil {
				return err
			}
			if !yield(r.batch) {
				return nil
			}
		}
		switch {
		case len(segments) > 0:
			r.idle = 0
			continue
		case !wait:
			return nil
		}
		if err := r.waitForMore(ctx, changed); err != nil {
			return err
		}
	}
	return nil
}

// seek places the reader after the event with the id after.
func (r *reading) seek(ctx context.Context, after string) error {
	last, err := parsePlace(after)
	if err != nil {
		return err
	}
	r.next = place{last.segment, last.index + 1}
	segments, err := r.querySegments(ctx, last.segment, 1)
	if err != nil {
		return err
	}
	if len(segments) == 0 || segments[0].number > last.segment {
		first, err := r.querySegments(ctx, 1, 1)
		switch {
		case err != nil:
			return err
		case len(first) == 0:
			return fmt.Errorf("replay: %w", sse.ErrNotFound)
		case first[0].number > last.segment:
			return fmt.Errorf("replay: %w", sse.ErrExpired)
		}
		return fmt.Errorf("replay: %w %q", sse.ErrUnknownID, after)
	}
	count := segments[0].count()
	switch {
	case last.index >= count:
		return fmt.Errorf("replay: %w %q", sse.ErrUnknownID, after)
	case r.next.index == count && segments[0].final:
		return fmt.Errorf("replay: %w", sse.ErrFinished)
	}
	return nil
}

// fetchSegments returns the segments from r.next on. If the result is empty, the caller fetches again when changed is
// closed, or after a while if changed is nil.
func (r *reading) fetchSegments(ctx context.Context) ([]*segment, <-chan struct{}, error) {
	if memory := r.store.recentOf(r.log); memory != nil {
		r.memory = memory
	}
	if r.memory != nil && !r.doubted {
		if segments, changed, ok := r.memory.segmentsFrom(r.next.segment); ok {
			return r.checkSegments(segments, changed)
		}
	}
	r.doubted = false
	segments, err := r.querySegments(ctx, r.next.segment, 0)
	if err != nil {
		return nil, nil, err
	}
	return r.checkSegments(segments, nil)
}

// checkSegments returns an error if segments are missing, and drops a first segment that holds nothing new.
func (r *reading) checkSegments(segments []*segment, changed <-chan struct{}) ([]*segment, <-chan struct{}, error) {
	for i, seg := range segments {
		if seg.number != r.next.segment+int64(i) {
			return nil, nil, fmt.Errorf("replay: %w", sse.ErrExpired)
		}
	}
	r.exists = r.exists || len(segments) > 0 || changed != nil
	if !r.exists {
		return nil, nil, fmt.Errorf("replay: %w", sse.ErrNotFound)
	}
	if len(segments) > 0 && r.next.index >= segments[0].count() {
		r.next = place{segment: r.next.segment + 1}
		if segments = segments[1:]; len(segments) == 0 { // a newer one may have been stored already
			changed := make(chan struct{})
			close(changed)
			return nil, changed, nil
		}
	}
	return segments, changed, nil
}

// querySegments reads segments from the table, at most limit of them. Zero means a page.
func (r *reading) querySegments(ctx context.Context, from int64, limit int) (segments []*segment, _ error) {
	q := table.Query{From: r.log.names.sortKey(from), To: r.log.names.end(), Consistent: true, Limit: limit}
	for {
		page, err := r.log.view.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("replay: read: %w", err)
		}
		for _, f := range page.Items {
			seg, err := decodeSegment(r.log.names, f.Item)
			if err != nil {
				return nil, err
			}
			segments = append(segments, seg)
		}
		if q.Cursor = page.Next; len(segments) > 0 || q.Cursor == "" { // a page may hold nothing but expired items
			return segments, nil
		}
	}
}

// readEvents puts the events of a segment from r.next on into r.batch.
func (r *reading) readEvents(ctx context.Context, seg *segment) error {
	clear(r.batch)
	r.batch = r.batch[:0]
	for i, line := range seg.events() {
		if i < r.next.index {
			continue
		}
		if line[0] == referenceMark {
			var err error
			if line, err = r.store.loadEvent(ctx, r.log, line[1:]); err != nil {
				return err
			}
		}
		r.batch = append(r.batch, Event{ID: place{seg.number, i}.String(), Data: line})
	}
	r.next, r.final = place{segment: seg.number + 1}, seg.final
	return nil
}

// waitForMore waits until more events may have been stored.
func (r *reading) waitForMore(ctx context.Context, changed <-chan struct{}) error {
	if changed != nil {
		return r.waitForChange(ctx, changed)
	}
	r.idle++
	return sleep.For(ctx, r.store.o.Poll<<min(r.idle-1, 2))
}

// waitForChange waits for the Writer of this process, but not too long.
func (r *reading) waitForChange(ctx context.Context, changed <-chan struct{}) error {
	if r.doubt == nil {
		r.doubt = time.NewTimer(doubtTime)
	} else {
		r.doubt.Reset(doubtTime)
	}
	var err error
	select {
	case <-changed:
	case <-r.doubt.C:
		r.doubted = true
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	r.doubt.Stop()
	return err
}
