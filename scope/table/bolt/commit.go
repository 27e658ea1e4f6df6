package bolt

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// The bounds of a transaction: of its memory, and of how long it takes. A single
// write may be larger.
const (
	maxBatchBytes  = 8 << 20
	maxBatchWrites = 1024
)

// write is a change of the file that waits for its transaction. apply runs in
// a transaction of [bbolt.DB.Update] and may run more than once; it reports
// whether it has changed the transaction. An error without a change, such as
// a condition that does not hold, is a result like any other.
type write struct {
	ctx   context.Context
	size  int // of the values to store, in bytes
	apply func(tx *bbolt.Tx) (changed bool, err error)
	done  chan error // receives the result; holds one
}

// committer makes concurrent writes share transactions, and with them the
// syncs of the disk. A write that finds the committer idle begins a
// transaction at once; those that arrive while it commits wait and share the
// next one. No timer is involved. The goroutine that commits ends when no
// write is waiting.
type committer struct {
	update func(func(tx *bbolt.Tx) error) error // commits one transaction and syncs it

	mu      sync.Mutex
	waiting []*write
	running bool // a goroutine is in commitAll
	closed  bool
	active  sync.WaitGroup // that goroutine
}

// do commits one write and returns its result. It returns the context's error
// if that ends first. Then the write has not happened if its transaction had
// not begun; otherwise it may have happened or not. After close, it returns
// [ErrClosed].
func (c *committer) do(ctx context.Context, size int, apply func(tx *bbolt.Tx) (changed bool, err error)) error {
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
	case err := <-w.done: // both have happened: the result says more
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
	if !c.running {
		c.running = true
		c.active.Go(c.commitAll)
	}
	return nil
}

// close commits the waiting writes and rejects later ones.
func (c *committer) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.active.Wait()
}

// commitAll commits batches until no write is waiting.
func (c *committer) commitAll() {
	for {
		batch := c.nextBatch()
		if len(batch) == 0 {
			return
		}
		c.commit(batch)
		// Let the writers that have just been answered run: their next write
		// belongs to the next batch, not to the one after it.
		runtime.Gosched()
	}
}

// nextBatch returns the waiting writes, the oldest first, up to the bounds. It
// drops those whose context has ended. If none are left, the committer is idle.
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
	if c.waiting = c.waiting[n:]; len(c.waiting) == 0 {
		c.waiting = nil // its array is freed
	}
	c.running = len(batch) > 0
	return batch
}

// commit applies a batch in one transaction and then answers its writes. A
// write that fails after it has changed something, or panics, spoils the
// transaction: it gets the error, and the others are applied again without it.
func (c *committer) commit(batch []*write) {
	for len(batch) > 0 {
		results := make([]error, len(batch))
		failed, err := c.transact(batch, results)
		if failed >= 0 {
			batch[failed].done <- results[failed]
			batch = append(batch[:failed:failed], batch[failed+1:]...)
			continue
		}
		for i, w := range batch {
			if err != nil { // what the others found out may never have been stored
				results[i] = err
			}
			w.done <- results[i]
		}
		return
	}
}

// errUnchanged makes a transaction end without a commit.
var errUnchanged = errors.New("bolt: nothing to commit")

// transact applies the batch in one transaction and commits it. It fills in
// what each write returned. failed is the write for which it was rolled back, or
// -1; err is of the transaction as a whole.
func (c *committer) transact(batch []*write, results []error) (failed int, err error) {
	failed = -1
	err = safely(func() error {
		return c.update(func(tx *bbolt.Tx) error {
			dirty := false
			for i, w := range batch {
				var changed bool
				changed, results[i] = w.run(tx)
				if changed && results[i] != nil {
					failed = i
					return results[i]
				}
				dirty = dirty || changed
			}
			if !dirty { // what the results say is in the file already
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

// run applies the write. A panic is an error of a write that may have changed
// something.
func (w *write) run(tx *bbolt.Tx) (changed bool, err error) {
	changed = true
	err = safely(func() (err error) {
		changed, err = w.apply(tx)
		return err
	})
	return changed, err
}

// safely calls f and returns a panic as an error.
func safely(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("bolt: panic in a write: %v\n%s", v, debug.Stack())
		}
	}()
	return f()
}
