package bolt

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// The limits of a transaction, for its memory and duration. A single write may be
// larger. bbolt pools the pages of a transaction until the garbage collector frees
// them, so a larger limit takes more memory. A smaller one takes more syncs, which
// limits the writes per second of a slow disk.
const (
	maxBatchBytes  = 8 << 20
	maxBatchWrites = 96
)

// write is a change of the file that waits for its transaction. apply runs in a
// transaction of [bbolt.DB.Update], possibly more than once, and reports whether it has
// changed the transaction. If it returns an error without a change, such as a condition
// that does not hold, the transaction continues.
type write struct {
	ctx   context.Context
	size  int // bytes to store
	apply func(tx *bbolt.Tx) (changed bool, err error)
	done  chan error // receives the result; holds one
}

// committer lets concurrent writes share transactions and their disk syncs. A write
// that finds the committer idle begins a transaction at once, unless many have begun just
// before: see [pacer]. Writes that arrive during a commit share the next transaction, up
// to its limits. The committer's goroutine ends when no write is waiting.
type committer struct {
	update func(func(tx *bbolt.Tx) error) error // commits one transaction and syncs it
	after  func(writes int)                     // called after each transaction, by the goroutine
	pace   pacer                                // of the goroutine

	mu      sync.Mutex
	waiting []*write
	enough  chan struct{} // closed when enough writes wait; nil unless the goroutine pauses
	running bool          // a goroutine is in commitAll
	closed  bool
	active  sync.WaitGroup // waits for that goroutine
}

// commitWrite commits one write and returns its result, or the context's error if that
// ends first. In that case the write is not stored unless its transaction had already
// begun. After close, commitWrite returns [ErrClosed].
func (c *committer) commitWrite(ctx context.Context, size int,
	apply func(tx *bbolt.Tx) (changed bool, err error)) error {
	w := &write{ctx: ctx, size: size, apply: apply, done: make(chan error, 1)}
	if err := c.enqueue(w); err != nil {
		return err
	}
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-w.done: // the result says more than the context
		return err
	default:
		return ctx.Err()
	}
}

func (c *committer) enqueue(w *write) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	c.waiting = append(c.waiting, w)
	if len(c.waiting) >= paceWrites {
		c.endPause()
	}
	if !c.running {
		c.running = true
		c.active.Go(c.commitAll)
	}
	return nil
}

// endPause ends the pause of the goroutine, if there is one.
func (c *committer) endPause() {
	if c.enough != nil {
		close(c.enough)
		c.enough = nil
	}
}

// close commits the waiting writes and rejects later ones.
func (c *committer) close() {
	c.mu.Lock()
	c.closed = true
	c.endPause()
	c.mu.Unlock()
	c.active.Wait()
}

// commitAll commits batches until no write is waiting.
func (c *committer) commitAll() {
	for {
		// Let writers run that are about to write, so that their writes join the batch.
		runtime.Gosched()
		found := c.countWaiting()
		if wait := c.pace.nextWait(time.Now()); wait > 0 && found > 0 && found < paceWrites {
			c.pause(wait)
			c.pace.learn(c.countWaiting() > found)
		}
		batch := c.nextBatch()
		if len(batch) == 0 {
			return
		}
		c.pace.begin(time.Now(), len(batch))
		c.commitBatch(batch)
		c.after(len(batch))
	}
}

// pause waits for a while, or until enough writes wait.
func (c *committer) pause(wait time.Duration) {
	c.mu.Lock()
	enough := make(chan struct{})
	c.enough = enough
	if c.closed {
		wait = 0
	}
	c.mu.Unlock()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-enough:
	case <-timer.C:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.enough = nil
}

// countWaiting returns the number of waiting writes.
func (c *committer) countWaiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting)
}

// nextBatch removes and returns waiting writes, the oldest first, up to the limits. It
// answers writes whose context has ended. If the batch is empty, the committer is idle.
func (c *committer) nextBatch() []*write {
	c.mu.Lock()
	defer c.mu.Unlock()
	var batch []*write
	size, n := 0, 0
	for _, w := range c.waiting {
		if len(batch) == maxBatchWrites || len(batch) > 0 && size+w.size > maxBatchBytes {
			break
		}
		n++
		if err := w.ctx.Err(); err != nil {
			w.done <- err
			continue
		}
		batch = append(batch, w)
		size += w.size
	}
	clear(c.waiting[:n]) // the array may be in use for long
	if c.waiting = c.waiting[n:]; len(c.waiting) == 0 {
		c.waiting = nil // free the array
	}
	c.running = len(batch) > 0
	return batch
}

// commitBatch applies a batch in one transaction and answers its writes. If a write
// changes something and fails, or panics, the transaction is rolled back. That write gets
// the error, and the others are applied again without it.
func (c *committer) commitBatch(batch []*write) {
	for len(batch) > 0 {
		results := make([]error, len(batch))
		failed, err := c.runTransaction(batch, results)
		if failed >= 0 {
			batch[failed].done <- results[failed]
			batch = append(batch[:failed:failed], batch[failed+1:]...)
			continue
		}
		for i, w := range batch {
			if err != nil { // the results rest on a transaction that was not stored
				results[i] = err
			}
			w.done <- results[i]
		}
		return
	}
}

// errUnchanged ends a transaction without a commit.
var errUnchanged = errors.New("bolt: nothing to commit")

// runTransaction applies the batch in one transaction, stores the result of each write
// in results and commits. failed is the index of the write that caused a rollback, or
// -1. err is the error of the transaction.
func (c *committer) runTransaction(batch []*write, results []error) (failed int, err error) {
	failed = -1
	err = catchPanic(func() error {
		return c.update(func(tx *bbolt.Tx) error {
			dirty := false
			for i, w := range batch {
				var changed bool
				changed, results[i] = w.applyTo(tx)
				if changed && results[i] != nil {
					failed = i
					return results[i]
				}
				dirty = dirty || changed
			}
			if !dirty {
				return errUnchanged
			}
			return nil
		})
	})
	switch {
	case errors.Is(err, errUnchanged):
		err = nil
	case errors.Is(err, berrors.ErrDatabaseNotOpen):
		err = ErrClosed
	}
	return failed, err
}

// applyTo applies the write. A panic is an error after a change.
func (w *write) applyTo(tx *bbolt.Tx) (changed bool, err error) {
	changed = true
	err = catchPanic(func() (err error) {
		changed, err = w.apply(tx)
		return err
	})
	return changed, err
}

// catchPanic calls f and returns a panic as an error.
func catchPanic(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("bolt: panic in a write: %v\n%s", v, debug.Stack())
		}
	}()
	return f()
}
