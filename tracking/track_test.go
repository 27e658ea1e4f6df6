package tracking

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/object"
)

func TestTrackCompletesTheStage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		b := newBundle(t, nil)
		b.createArrived(t)
		made := refIn(t, "raw", b.session, "metadata.json")
		runs := 0
		track := func() error {
			return b.Track(ctx, b.session, Enrichment, &ClaimOptions{Key: "m1"}, func(ctx context.Context) (object.Ref, error) {
				runs++
				p := b.getRecord(t).Stage(Enrichment)
				require.Equal(t, StateRunning, p.State)
				time.Sleep(5 * time.Minute)
				require.NoError(t, ctx.Err())
				require.True(t, b.getRecord(t).Stage(Enrichment).Live(time.Now()), "the lease is renewed")
				return made, nil
			})
		}
		require.NoError(t, track())
		r := b.getRecord(t)
		require.Equal(t, StatusSuccess, r.Status)
		require.Equal(t, made.Key(), r.Stage(Enrichment).Destination.Key)
		require.Equal(t, 5*time.Minute, r.Stage(Enrichment).Duration())

		require.NoError(t, track(), "a message that comes again")
		require.Equal(t, 1, runs)
		require.Equal(t, r.Version, b.getRecord(t).Version)
		err := b.Track(ctx, b.session, Enrichment, &ClaimOptions{Key: "m2"}, nil)
		require.ErrorIs(t, err, ErrInvalid)
		err = b.Track(ctx, b.session, Enrichment, &ClaimOptions{Key: "m2"}, func(context.Context) (object.Ref, error) { panic("called") })
		stateOf(t, err, ErrTerminal)
	})
}

func TestTrackRecordsFailures(t *testing.T) {
	t.Parallel()
	work := func(err error) func(context.Context) (object.Ref, error) {
		return func(context.Context) (object.Ref, error) { return object.Ref{}, err }
	}
	t.Run("retryable, with back-off", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx := t.Context()
			b := newBundle(t, nil)
			b.createArrived(t)
			err := throttledError()
			failed := trackError(t, b.Track(ctx, b.session, Enrichment, &ClaimOptions{Key: "m1", Automatic: true}, work(err)))
			require.Same(t, err, failed.Err)
			require.Equal(t, NextRetry, failed.Next)
			require.Equal(t, time.Until(b.getRecord(t).Stage(Enrichment).NotBefore), failed.After)
			p := b.getRecord(t).Stage(Enrichment)
			require.Equal(t, "throttled", p.Error.Code)
			early := b.Track(ctx, b.session, Enrichment, &ClaimOptions{Key: "m1", Automatic: true}, work(nil))
			s := stateOf(t, early, ErrEarly)
			time.Sleep(time.Until(s.Record.Stage(Enrichment).NotBefore))
			require.NoError(t, b.Track(ctx, b.session, Enrichment, &ClaimOptions{Key: "m1", Automatic: true}, work(nil)))
			require.Equal(t, 2, b.getRecord(t).Stage(Enrichment).Attempt)
		})
	})
	t.Run("a person does not wait", func(t *testing.T) {
		b := newBundle(t, nil)
		b.createArrived(t)
		require.Error(t, b.Track(t.Context(), b.session, Enrichment, &ClaimOptions{Key: "m1"}, work(throttledError())))
		require.NoError(t, b.Track(t.Context(), b.session, Enrichment, &ClaimOptions{Key: "m1"}, work(nil)))
	})
	t.Run("for good", func(t *testing.T) {
		b := newBundle(t, nil)
		b.createArrived(t)
		err := &Error{Code: "no_image", Message: "This is no image."}
		failed := trackError(t, b.Track(t.Context(), b.session, Enrichment, &ClaimOptions{Key: "m1"}, work(err)))
		require.Same(t, err, failed.Err)
		require.Equal(t, NextGiveUp, failed.Next)
		require.True(t, b.getRecord(t).Terminal)
	})
	t.Run("a panic", func(t *testing.T) {
		b := newBundle(t, nil)
		b.createArrived(t)
		err := b.Track(t.Context(), b.session, Enrichment, &ClaimOptions{Key: "m1"}, func(context.Context) (object.Ref, error) { panic("secret") })
		_, ok := errors.AsType[*panicError](err)
		require.True(t, ok)
		require.ErrorContains(t, err, "panic: secret")
		require.ErrorContains(t, err, "track_test.go", "the stack")
		st := b.getRecord(t).Stage(Enrichment)
		require.Equal(t, StateFailed, st.State)
		require.Equal(t, codeInternal, st.Error.Code)
		require.NotContains(t, st.Error.Message, "secret")
	})
	t.Run("a goroutine that ends", func(t *testing.T) {
		b := newBundle(t, nil)
		b.createArrived(t)
		var wg sync.WaitGroup
		wg.Go(func() {
			_ = b.Track(context.Background(), b.session, Enrichment, &ClaimOptions{Key: "m1"}, func(context.Context) (object.Ref, error) {
				runtime.Goexit()
				return object.Ref{}, nil
			})
		})
		wg.Wait()
		require.Equal(t, StateFailed, b.getRecord(t).Stage(Enrichment).State)
	})
	t.Run("a result in another scope", func(t *testing.T) {
		b := newBundle(t, nil)
		b.createArrived(t)
		foreign := refIn(t, "raw", sessionOf(t, userOf(t, "globex", "u1"), 1), "x.json")
		err := b.Track(t.Context(), b.session, Enrichment, &ClaimOptions{Key: "m1"},
			func(context.Context) (object.Ref, error) { return foreign, nil })
		require.ErrorIs(t, err, ErrInvalid)
		require.Equal(t, StateFailed, b.getRecord(t).Stage(Enrichment).State)
	})
}

func TestTrackReleasesWhenInterrupted(t *testing.T) {
	t.Parallel()
	untilEnd := func(ctx context.Context) (object.Ref, error) {
		<-ctx.Done()
		return object.Ref{}, ctx.Err()
	}
	t.Run("cancelled: released, and gone on with", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBundle(t, nil)
			b.createArrived(t)
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Minute, cancel)
			err := b.Track(ctx, b.session, Enrichment, &ClaimOptions{Key: "m1"}, untilEnd)
			require.ErrorIs(t, err, context.Canceled)
			require.Equal(t, StateReleased, b.getRecord(t).Stage(Enrichment).State)
			require.NoError(t, b.Track(t.Context(), b.session, Enrichment, &ClaimOptions{Key: "m1", Automatic: true},
				func(context.Context) (object.Ref, error) { return object.Ref{}, nil }))
			require.Equal(t, 1, b.getRecord(t).Stage(Enrichment).Attempt, "the same attempt")
		})
	})
	t.Run("done all the same", func(t *testing.T) {
		b := newBundle(t, nil)
		b.createArrived(t)
		ctx, cancel := context.WithCancel(t.Context())
		require.NoError(t, b.Track(ctx, b.session, Enrichment, &ClaimOptions{Key: "m1"}, func(context.Context) (object.Ref, error) {
			cancel()
			return object.Ref{}, nil
		}))
		require.Equal(t, StatusSuccess, b.getRecord(t).Status)
	})
	t.Run("a panic is a failure all the same", func(t *testing.T) {
		b := newBundle(t, nil)
		b.createArrived(t)
		ctx, cancel := context.WithCancel(t.Context())
		err := b.Track(ctx, b.session, Enrichment, &ClaimOptions{Key: "m1"}, func(context.Context) (object.Ref, error) {
			cancel()
			panic("it does not like to be interrupted")
		})
		_, panicked := errors.AsType[*panicError](err)
		require.True(t, panicked)
		require.Equal(t, StateFailed, b.getRecord(t).Stage(Enrichment).State, "nobody is to go on with it at once, for ever")
	})
	t.Run("out of time: failed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBundle(t, nil)
			b.createArrived(t)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			require.ErrorIs(t, b.Track(ctx, b.session, Enrichment, &ClaimOptions{Key: "m1"}, untilEnd), context.DeadlineExceeded)
			require.Equal(t, codeTimeout, b.getRecord(t).Stage(Enrichment).Error.Code)
		})
	})
	t.Run("taken over: nothing is recorded", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBundle(t, nil)
			b.createArrived(t)
			time.AfterFunc(time.Minute, func() {
				_, err := b.Claim(context.Background(), b.session, Enrichment, &ClaimOptions{Key: "m1", TakeOver: true})
				require.NoError(t, err)
			})
			err := b.Track(t.Context(), b.session, Enrichment, &ClaimOptions{Key: "m1"}, untilEnd)
			require.ErrorIs(t, err, ErrFenced)
			require.Equal(t, StateRunning, b.getRecord(t).Stage(Enrichment).State)
		})
	})
	t.Run("another stage is taken over: that is this one's failure", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBundle(t, nil)
			b.createArrived(t)
			err := b.Track(t.Context(), b.session, Enrichment, &ClaimOptions{Key: "m1"}, func(ctx context.Context) (object.Ref, error) {
				scan, err := b.Claim(ctx, b.session, AVScan, &ClaimOptions{Key: "s1"})
				require.NoError(t, err)
				time.Sleep(time.Minute)
				_, err = b.Claim(ctx, b.session, AVScan, &ClaimOptions{Key: "s2"})
				require.NoError(t, err)
				return object.Ref{}, scan.Complete(ctx, object.Ref{})
			})
			require.ErrorIs(t, err, ErrFenced)
			require.Equal(t, StateFailed, b.getRecord(t).Stage(Enrichment).State, "the stage itself was held")
		})
	})
	t.Run("cancelled after it failed: failed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBundle(t, nil)
			b.createArrived(t)
			ctx, cancel := context.WithCancel(t.Context())
			slow := func() (bool, bool) {
				time.Sleep(time.Second)
				cancel()
				return false, false
			}
			failed := &Error{Code: "no_image", Message: "This is no image."}
			err := b.Track(ctx, b.session, Enrichment, &ClaimOptions{Key: "m1"}, func(context.Context) (object.Ref, error) {
				b.driver.mu.Lock()
				b.driver.fault = slow
				b.driver.mu.Unlock()
				time.Sleep(10*time.Second + 500*time.Millisecond) // a heartbeat is in flight, which ends after ctx
				return object.Ref{}, failed
			})
			require.Same(t, failed, trackError(t, err).Err)
			require.Equal(t, "no_image", b.getRecord(t).Stage(Enrichment).Error.Code)
		})
	})
	t.Run("the table is away", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBundle(t, nil)
			b.createArrived(t)
			err := b.Track(t.Context(), b.session, Enrichment, &ClaimOptions{Key: "m1"}, func(ctx context.Context) (object.Ref, error) {
				b.driver.mu.Lock()
				b.driver.fault = func() (bool, bool) { return true, false }
				b.driver.mu.Unlock()
				return untilEnd(ctx)
			})
			require.ErrorIs(t, err, ErrLease)
			require.ErrorIs(t, err, errCut, "the failure could not be recorded, and that is said")
		})
	})
	t.Run("parked: a person's to look at", func(t *testing.T) {
		b := newBundle(t, nil)
		b.createArrived(t)
		require.NoError(t, b.claimStage(t, "r1").Park(t.Context(), 0))
		stateOf(t, b.Track(t.Context(), b.session, Enrichment, &ClaimOptions{Key: "m1"}, untilEnd), ErrParked)
	})
}
