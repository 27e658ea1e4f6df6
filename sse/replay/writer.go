package replay

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/carrel-go/carrel/internal/sleep"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/sse"
)

// Writer writes a log. It is safe for concurrent use. Events are stored in the order of the calls of Append.
//
// A Writer must be ended with Finish, Close or Abandon.
type Writer struct {
	store  *Store
	log    log
	id     string
	recent *recent
	life   context.Context //nolint:containedctx // of all writes
	cancel context.CancelFunc

	mu        sync.Mutex
	timer     *time.Timer   // calls storeDue
	armed     bool          // the timer runs
	storing   bool          // a goroutine is in storeBatches
	next      int64         // number of the next segment
	began     time.Time     // when the last commit began
	pending   []line        // events that no commit holds yet
	bytes     int           // of pending
	appended  int           // number of events accepted, merged ones included
	committed int           // number of them that are stored
	last      place         // of the last stored event
	urgent    bool          // pending events are stored without waiting for the interval
	ending    bool          // no more events are accepted
	storeErr  error         // of the last write, if that is repeated
	err       error         // why nothing can be stored any more
	changed   chan struct{} // closed at the next change; nil if nobody waits
}

// line is an event on its way to the table.
type line struct {
	text  []byte // the data, or a reference to an object
	plain bool   // text is the data
	final bool
}

// Open takes the log over and starts its next segment with the given events, at most 1,000. It creates the log if it
// does not exist. From then on every earlier Writer of the log, in any process, fails with [ErrFenced].
//
// Open returns [sse.ErrFinished] if the log has ended, and repeats writes that fail until ctx ends.
func (s *Store) Open(ctx context.Context, sc scope.Scope, name string, first ...json.RawMessage) (*Writer, error) {
	l, err := s.openLog(sc, name)
	if err != nil {
		return nil, fmt.Errorf("replay: open: %w", err)
	}
	if err := sc.RequireWrite(); err != nil {
		return nil, fmt.Errorf("replay: open: %w", err)
	}
	if len(first) > maxEvents {
		return nil, fmt.Errorf("replay: open: %w: %d events: must be at most %d", ErrInvalid, len(first), maxEvents)
	}
	w := &Writer{store: s, log: l, id: rand.Text(), began: time.Now()}
	w.life, w.cancel = context.WithCancel(context.WithoutCancel(ctx))
	w.timer = time.AfterFunc(time.Hour, w.storeDue)
	w.timer.Stop()
	var lines []line
	for _, data := range first {
		line, err := w.encodeEvent(ctx, data)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	seg, err := w.takeOver(ctx, lines)
	if err != nil {
		return nil, fmt.Errorf("replay: open: %w", err)
	}
	w.recent, w.next, w.last = newRecent(seg), seg.number+1, place{seg.number, len(lines) - 1}
	if replaced := s.registerLocal(l, w.recent); replaced != nil {
		replaced.endWriter()
	}
	return w, nil
}

// takeOver writes a segment after all others.
func (w *Writer) takeOver(ctx context.Context, lines []line) (*segment, error) {
	for {
		head, err := w.log.readHead(ctx)
		switch {
		case isPermanent(err):
			return nil, err
		case err != nil && sleep.For(ctx, retryDelay(0)) != nil:
			return nil, errors.Join(context.Cause(ctx), err)
		case err != nil:
			continue
		case head.final:
			return nil, sse.ErrFinished
		}
		seg := w.newSegment(head.number+1, lines)
		if err = w.putSegment(ctx, seg); !errors.Is(err, ErrFenced) { // otherwise another writer has written meanwhile
			return seg, err
		}
	}
}

// Append adds an event. It is stored with the next commit; if urgent is set, at once. Append waits if the events that
// are not stored yet exceed four segments. It does not keep data.
//
// It returns [ErrTooLarge] and [ErrInvalid] for the event, and the error of the bucket for a large event. These do not
// end the Writer, nor does the end of ctx. It returns [ErrFenced] if another Writer has taken the log over, and the
// error of the table if a write can never succeed. Append and Finish then return that error for every later event.
//
// Other errors of the table, such as denied access, are not reported at once: the Writer repeats the write. If ctx ends
// while Append, Flush, Finish or Close waits, the error contains that of the last write.
func (w *Writer) Append(ctx context.Context, data json.RawMessage, urgent bool) error {
	line, err := w.encodeEvent(ctx, data)
	if err != nil {
		return err
	}
	return w.addLine(ctx, line, urgent)
}

// addLine accepts a line.
func (w *Writer) addLine(ctx context.Context, l line, urgent bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.bytes >= 4*w.store.o.MaxSegment && w.err == nil && !w.ending {
		if err := w.waitLocked(ctx); err != nil {
			return err
		}
	}
	switch {
	case w.err != nil:
		return w.err
	case w.ending:
		return ErrClosed
	}
	w.appended++
	if !w.mergeLocked(l) {
		l.text = bytes.Clone(l.text)
		w.pending = append(w.pending, l)
		w.bytes += len(l.text) + 1
	}
	w.urgent = w.urgent || urgent
	w.ending = l.final
	w.scheduleLocked()
	return nil
}

// mergeLocked joins l with the last pending event if Options.Merge does.
func (w *Writer) mergeLocked(l line) bool {
	if w.store.o.Merge == nil || len(w.pending) == 0 || !l.plain || l.final {
		return false
	}
	last := &w.pending[len(w.pending)-1]
	if !last.plain || last.final || len(last.text)+len(l.text) > w.store.o.MaxSegment {
		return false
	}
	joined, ok := w.store.o.Merge(last.text, l.text)
	if ok {
		w.bytes += len(joined) - len(last.text)
		last.text = joined
	}
	return ok
}

// Flush waits until every event that was appended before is stored. It returns the id of the last stored event, or ""
// if this Writer has not stored an event.
func (w *Writer) Flush(ctx context.Context) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flushLocked(ctx)
}

func (w *Writer) flushLocked(ctx context.Context) (string, error) {
	target := w.appended
	if len(w.pending) > 0 {
		w.urgent = true
		w.scheduleLocked()
	}
	for w.committed < target && w.err == nil {
		if err := w.waitLocked(ctx); err != nil {
			return "", err
		}
	}
	if w.committed < target {
		return "", w.err
	}
	if w.last.index < 0 {
		return "", nil
	}
	return w.last.String(), nil
}

// Finish appends the last event of the log, waits until it is stored, and ends the Writer. Readers end after it. If it
// returns an error, the event may be stored or not, and the Writer must still be ended.
func (w *Writer) Finish(ctx context.Context, data json.RawMessage) error {
	l, err := w.encodeEvent(ctx, data)
	if err != nil {
		return err
	}
	l.final = true
	if err := w.addLine(ctx, l, true); err != nil {
		return err
	}
	if _, err := w.Flush(ctx); err != nil {
		return err
	}
	w.Abandon()
	return nil
}

// Close stores the pending events and ends the Writer, but not the log: another Writer can continue it. If ctx ends
// first, the events that are not stored are dropped.
func (w *Writer) Close(ctx context.Context) error {
	w.mu.Lock()
	w.ending = true
	_, err := w.flushLocked(ctx)
	w.mu.Unlock()
	w.Abandon()
	return err
}

// Abandon ends the Writer at once and drops the events that are not stored. It may be called more than once.
func (w *Writer) Abandon() {
	w.cancel()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failLocked(ErrClosed)
	for w.storing {
		_ = w.waitLocked(context.Background())
	}
	w.leaveStore()
}

// waitLocked waits for a change of the Writer's state.
func (w *Writer) waitLocked(ctx context.Context) error {
	if w.changed == nil {
		w.changed = make(chan struct{})
	}
	changed := w.changed
	w.mu.Unlock()
	var err error
	select {
	case <-changed:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	w.mu.Lock()
	if err != nil {
		return fmt.Errorf("replay: %w", errors.Join(err, w.storeErr))
	}
	return nil
}

// failLocked keeps the first error and wakes everybody who waits.
func (w *Writer) failLocked(err error) {
	if w.err != nil {
		return
	}
	w.err, w.pending, w.bytes = err, nil, 0
	w.timer.Stop()
	w.notifyLocked()
}

func (w *Writer) notifyLocked() {
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}
