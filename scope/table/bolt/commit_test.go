package bolt

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/carrel-go/carrel/scope/table"
)

func TestLoneWriteIsNotDelayed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDisk(t)
		start := time.Now()
		for i, sort := range numberedSorts(5) {
			require.NoError(t, d.putItem(t.Context(), sort))
			require.EqualValues(t, i+1, d.commits.Load())
		}
		require.Zero(t, time.Since(start), "it does not wait for a timer")
	})
}

func TestWaitingWritesShareTheNextCommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDisk(t)
		d.hold = make(chan struct{})
		first := d.startPuts(t.Context(), "first")
		synctest.Wait()
		rest := d.startPuts(t.Context(), numberedSorts(80)...)
		synctest.Wait()
		require.Empty(t, first, "a write is acknowledged after its commit")
		require.False(t, d.hasItem(t, "first"), "readers see committed data only")

		d.hold <- struct{}{}
		require.NoError(t, <-first)
		require.True(t, d.hasItem(t, "first"))
		synctest.Wait()
		require.Empty(t, rest)
		require.False(t, d.hasItem(t, "0000"))

		d.hold <- struct{}{}
		for range 80 {
			require.NoError(t, <-rest)
		}
		require.EqualValues(t, 2, d.commits.Load())
	})
}

func TestBatchesAreBoundedByBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDisk(t)
		d.hold = make(chan struct{}, 100)
		var wg sync.WaitGroup
		put := func(sort string, size int) {
			wg.Go(func() {
				attr := map[string]table.Value{"a": make([]byte, size)}
				_, err := d.View.Put(t.Context(), table.Item{Sort: sort, Attr: attr}, table.Absent())
				require.NoError(t, err)
			})
			synctest.Wait()
		}
		put("first", 0)
		for _, sort := range numberedSorts(40) { // 400,000 bytes each in base64, so 20 are a batch
			put(sort, 300_000)
		}
		for range 3 {
			d.hold <- struct{}{}
		}
		wg.Wait()
		require.EqualValues(t, 3, d.commits.Load())
	})
}

func TestBatchesAreBoundedByWrites(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDisk(t)
		d.hold = make(chan struct{}, 100)
		first := d.startPuts(t.Context(), "first")
		synctest.Wait()
		rest := d.startPuts(t.Context(), numberedSorts(maxBatchWrites+1)...)
		synctest.Wait()
		for range 3 {
			d.hold <- struct{}{}
		}
		require.NoError(t, <-first)
		for range maxBatchWrites + 1 {
			require.NoError(t, <-rest)
		}
		require.EqualValues(t, 3, d.commits.Load())
	})
}

// A failed condition, an error or a panic affects only its own write: the others of the
// batch are committed.
func TestOneWriteFailsAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDisk(t)
		require.NoError(t, d.putItem(t.Context(), "there"))
		d.hold = make(chan struct{}, 10)
		first := d.startPuts(t.Context(), "first")
		synctest.Wait()

		good := d.startPuts(t.Context(), numberedSorts(10)...)
		conflict := d.startPuts(t.Context(), "there")
		synctest.Wait()
		own := d.startPuts(t.Context(), "twice", "twice") // one of them loses to the other
		boom := errors.New("boom")
		spoil := func(end func() error) chan error {
			result := make(chan error, 1)
			go func() {
				result <- d.writes.commitWrite(t.Context(), 0, func(tx *bbolt.Tx) (bool, error) {
					e, err := encodeEntry(table.Row{Partition: "p", Sort: "spoilt", Version: 1})
					return true, errors.Join(err, e.put(tx, nil), end())
				})
			}()
			return result
		}
		failed := spoil(func() error { return boom })
		panicked := spoil(func() error { panic("no luck") })
		harmless := make(chan error, 1)
		go func() {
			harmless <- d.writes.commitWrite(t.Context(), 0, func(*bbolt.Tx) (bool, error) { return false, boom })
		}()
		late := d.startPuts(t.Context(), "late")
		synctest.Wait()
		require.EqualValues(t, 2, d.commits.Load())
		for range 10 {
			d.hold <- struct{}{}
		}

		require.NoError(t, <-first)
		require.NoError(t, <-late)
		for range 10 {
			require.NoError(t, <-good)
		}
		var c *table.ConflictError
		require.ErrorAs(t, <-conflict, &c)
		require.Equal(t, "there", c.Current.Sort)
		a, b := <-own, <-own
		require.NotEqual(t, a == nil, b == nil, "%v, %v", a, b)
		require.ErrorAs(t, errors.Join(a, b), &c)
		require.ErrorIs(t, <-failed, boom)
		require.ErrorContains(t, <-panicked, "no luck")
		require.ErrorIs(t, <-harmless, boom)
		require.EqualValues(t, 3, d.commits.Load(), "all of them in one commit")
		require.NoError(t, d.db.View(func(tx *bbolt.Tx) error {
			require.Nil(t, tx.Bucket([]byte(rowBucket)).Get([]byte("p\x00spoilt")))
			return nil
		}))
		require.True(t, d.hasItem(t, "late"))
	})
}

// A failed condition does not cause a disk sync.
func TestConflictsAloneAreNotCommitted(t *testing.T) {
	t.Parallel()
	d := openDisk(t)
	require.NoError(t, d.putItem(t.Context(), "x"))
	var c *table.ConflictError
	require.ErrorAs(t, d.putItem(t.Context(), "x"), &c)
	require.ErrorAs(t, d.View.Delete(t.Context(), "x", table.Version(2)), &c)
	require.EqualValues(t, 1, d.commits.Load())
}

// If a commit fails, none of its writes is acknowledged, and a conflict does not contain
// an item that was not stored.
func TestFailedCommit(t *testing.T) {
	t.Parallel()
	for name, breakDisk := range map[string]func(d *disk){
		"error": func(d *disk) { d.broken = errors.New("no space left") },
		"panic": func(d *disk) {
			d.writes.update = func(f func(*bbolt.Tx) error) error {
				return d.db.Update(func(tx *bbolt.Tx) error {
					if err := f(tx); err != nil {
						return err
					}
					<-d.hold
					panic("no space left")
				})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := openDisk(t)
				whole := d.writes.update
				d.hold = make(chan struct{})
				breakDisk(d)
				results := d.startPuts(t.Context(), "first")
				synctest.Wait()
				more := d.startPuts(t.Context(), "same", "same", "other")
				synctest.Wait()
				d.hold <- struct{}{}
				d.hold <- struct{}{}
				for _, err := range []error{<-results, <-more, <-more, <-more} {
					require.ErrorContains(t, err, "no space left")
					_, conflict := errors.AsType[*table.ConflictError](err)
					require.False(t, conflict)
				}
				require.False(t, d.hasItem(t, "same"))

				d.broken, d.hold, d.writes.update = nil, nil, whole
				require.NoError(t, d.putItem(t.Context(), "same"), "the driver goes on")
			})
		})
	}
}

func TestCancelledWrites(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDisk(t)
		d.hold = make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		committing := d.startPuts(ctx, "committing")
		synctest.Wait()
		waiting := d.startPuts(ctx, "waiting")
		other := d.startPuts(t.Context(), "other")
		synctest.Wait()
		cancel()
		synctest.Wait()
		require.ErrorIs(t, <-committing, context.Canceled, "nobody waits for the disk longer than the context")
		require.ErrorIs(t, <-waiting, context.Canceled)

		d.hold <- struct{}{}
		d.hold <- struct{}{}
		require.NoError(t, <-other)
		require.True(t, d.hasItem(t, "committing"), "its transaction had begun")
		require.False(t, d.hasItem(t, "waiting"), "its transaction had not")
	})
}

func TestCloseCommitsWaitingWrites(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDisk(t)
		d.hold = make(chan struct{})
		first := d.startPuts(t.Context(), "first")
		synctest.Wait()
		rest := d.startPuts(t.Context(), numberedSorts(20)...)
		synctest.Wait()
		closed := make(chan error, 2)
		for range 2 {
			go func() { closed <- d.Close() }()
		}
		synctest.Wait()
		require.Empty(t, closed)
		require.ErrorIs(t, d.putItem(t.Context(), "late"), ErrClosed)
		d.hold <- struct{}{}
		d.hold <- struct{}{}
		require.NoError(t, <-first)
		for range 20 {
			require.NoError(t, <-rest)
		}
		require.NoError(t, <-closed)
		require.NoError(t, <-closed)
	})
}

// A purge shares commits with writes.
func TestPurgeSharesACommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDisk(t)
		_, err := d.View.Put(t.Context(), table.Item{Sort: "old", Expires: time.Now().Add(-time.Hour)}, table.Absent())
		require.NoError(t, err)
		d.hold = make(chan struct{})
		first := d.startPuts(t.Context(), "first")
		synctest.Wait()
		rest := d.startPuts(t.Context(), numberedSorts(3)...)
		purged := make(chan int, 1)
		go func() {
			n, err := d.Purge(t.Context(), time.Now(), 10)
			assert.NoError(t, err)
			purged <- n
		}()
		synctest.Wait()
		d.hold <- struct{}{}
		d.hold <- struct{}{}
		require.NoError(t, <-first)
		for range 3 {
			require.NoError(t, <-rest)
		}
		require.Equal(t, 1, <-purged)
		require.EqualValues(t, 3, d.commits.Load())
	})
}

// With many concurrent writers, some of which give up, all acknowledged writes are stored.
func TestAcknowledgedWritesOfManyWritersAreStored(t *testing.T) {
	t.Parallel()
	d := openDisk(t)
	const writers, rounds = 128, 20 // more than a transaction holds
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			sort := fmt.Sprintf("%02d", w/2) // two writers for each item
			for round := range rounds {
				ctx, cancel := context.WithCancel(t.Context())
				if round%7 == w%7 {
					go cancel()
				}
				d.raiseVersion(ctx, t, sort)
				cancel()
			}
		})
	}
	wg.Wait()
	require.NoError(t, d.Close())
	require.False(t, d.writes.running)
}
