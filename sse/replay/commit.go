package replay

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/carrel-go/carrel/internal/ownstack"
	"github.com/carrel-go/carrel/internal/sleep"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// putTime bounds one write of a segment. After it the write is repeated.
const putTime = 5 * time.Second

// scheduleLocked has the pending events stored: now if they are due, otherwise by the timer.
func (w *Writer) scheduleLocked() {
	if w.storing || w.err != nil || len(w.pending) == 0 {
		return
	}
	due := w.dueLocked()
	switch {
	case due <= 0:
		w.storing = true
		go w.storeBatches()
	case !w.armed:
		w.armed = true
		w.timer.Reset(due)
	}
}

// storeDue is called by the timer.
func (w *Writer) storeDue() {
	w.mu.Lock()
	w.armed = false
	isDue := !w.storing && w.err == nil && len(w.pending) > 0 && w.dueLocked() <= 0
	w.storing = w.storing || isDue
	w.scheduleLocked()
	w.mu.Unlock()
	if isDue {
		w.storeBatches()
	}
}

// dueLocked returns how long the pending events wait for their commit.
func (w *Writer) dueLocked() time.Duration {
	if w.urgent || w.bytes >= w.store.o.MaxSegment {
		return 0
	}
	return time.Until(w.store.nextTick(w.began))
}

// storeBatches stores events until none are due. It is called with storing set, which it clears.
func (w *Writer) storeBatches() {
	ownstack.Grow(ownstack.KB8) // its goroutine has just begun
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.err == nil && len(w.pending) > 0 && w.dueLocked() <= 0 {
		lines, count := w.takeBatchLocked()
		w.began = time.Now()
		number := w.next
		w.mu.Unlock()
		seg := w.newSegment(number, lines)
		err := w.putSegment(w.life, seg)
		w.mu.Lock()
		if err != nil {
			w.failLocked(err)
			break
		}
		w.next++
		w.recent.addSegment(seg)
		w.storeErr = nil
		w.committed += count
		w.last = place{seg.number, len(lines) - 1}
		w.notifyLocked()
	}
	w.storing = false
	if w.err != nil {
		w.leaveStore()
		w.notifyLocked()
		return
	}
	w.scheduleLocked()
}

// takeBatchLocked removes the events of the next commit and returns the number of appended events in it.
func (w *Writer) takeBatchLocked() (_ []line, count int) {
	n, bytes := 0, 0
	for n < len(w.pending) && n < maxEvents {
		size := len(w.pending[n].text) + 1
		if n > 0 && bytes+size > w.store.o.MaxSegment {
			break
		}
		n, bytes = n+1, bytes+size
	}
	lines := w.pending[:n:n]
	w.bytes -= bytes
	if w.pending = w.pending[n:]; len(w.pending) > 0 {
		return lines, n
	}
	w.pending, w.urgent = nil, false
	return lines, w.appended - w.committed // the merged events included
}

// newSegment returns the segment of these events.
func (w *Writer) newSegment(number int64, lines []line) *segment {
	size := 0
	for _, l := range lines {
		size += len(l.text) + 1
	}
	s := &segment{number: number, writer: w.id, lines: make([]byte, 0, size)}
	for _, l := range lines {
		s.lines = append(append(s.lines, l.text...), '\n')
		s.final = s.final || l.final
	}
	return s
}

// putSegment stores a segment. It repeats a write that failed, with the same number, until the outcome is known or ctx
// ends. It returns ErrFenced if another writer holds the number.
func (w *Writer) putSegment(ctx context.Context, s *segment) error {
	item := s.encodeSegment(w.log.names, w.store.o.Retention)
	for try := 0; ; try++ {
		err := w.putSegmentOnce(ctx, item)
		conflict, taken := errors.AsType[*table.ConflictError](err)
		switch {
		case err == nil:
			return nil
		case taken && conflict.Current != nil:
			if conflict.Current.Attr[writerAttr] == s.writer {
				return nil // an earlier try, whose answer was lost
			}
			return ErrFenced
		case isPermanent(err):
			return fmt.Errorf("replay: write segment %d: %w", s.number, err)
		}
		w.mu.Lock()
		w.storeErr = err
		w.mu.Unlock()
		if sleep.For(ctx, retryDelay(try)) != nil {
			return fmt.Errorf("replay: write segment %d: %w", s.number, errors.Join(context.Cause(ctx), err))
		}
	}
}

// isPermanent reports whether the table returns err again if the operation is repeated.
func isPermanent(err error) bool {
	return errors.Is(err, table.ErrInvalid) || errors.Is(err, table.ErrTooLarge) || errors.Is(err, scope.ErrDenied) ||
		errors.Is(err, errForeign)
}

func (w *Writer) putSegmentOnce(ctx context.Context, item table.Item) error {
	ctx, cancel := context.WithTimeout(ctx, putTime)
	defer cancel()
	_, err := w.log.view.Put(ctx, item, table.Absent())
	return err
}

// retryDelay returns a random time to wait before a write is repeated: at most 25 ms at first and 1 s later.
func retryDelay(try int) time.Duration {
	return rand.N(25*time.Millisecond<<min(try, 5)) + time.Millisecond //nolint:gosec // spreads load; not a secret
}

// leaveStore removes the Writer's memory from the Store. Readers continue with the table.
func (w *Writer) leaveStore() {
	w.store.mu.Lock()
	if w.store.local[w.log.key] == w.recent {
		delete(w.store.local, w.log.key)
		w.store.writers.Store(int64(len(w.store.local)))
	}
	w.store.mu.Unlock()
	w.recent.endWriter()
}
