package tracking

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/object"
)

// trackError requires an error of Track and returns it.
func trackError(t testing.TB, err error) *TrackError {
	t.Helper()
	failed, ok := errors.AsType[*TrackError](err)
	require.True(t, ok, "%v", err)
	require.GreaterOrEqual(t, failed.After, time.Duration(0))
	require.Equal(t, failed.Err.Error(), failed.Error())
	return failed
}

func TestTrackErrorSaysWhatToDoNext(t *testing.T) {
	t.Parallel()
	fails := func(err error) func(context.Context) (object.Ref, error) {
		return func(context.Context) (object.Ref, error) { return object.Ref{}, err }
	}
	track := func(ctx context.Context, b *bundle, o ClaimOptions, f func(context.Context) (object.Ref, error)) error {
		o.Key, o.Automatic = "m", true
		return b.Track(ctx, b.session, Enrichment, &o, f)
	}
	for name, c := range map[string]struct {
		run   func(t *testing.T, b *bundle) error
		next  Next
		after time.Duration
		is    error
	}{
		"done for another message": {func(t *testing.T, b *bundle) error {
			b.createArrived(t)
			require.NoError(t, b.claimStage(t, "other").Complete(t.Context(), object.Ref{}))
			return track(t.Context(), b, ClaimOptions{}, fails(nil))
		}, NextDone, 0, ErrTerminal},
		"it waits for review": {func(t *testing.T, b *bundle) error {
			b.createArrived(t)
			require.NoError(t, b.claimStage(t, "other").Park(t.Context(), 0))
			return track(t.Context(), b, ClaimOptions{}, fails(nil))
		}, NextDone, 0, ErrParked},
		"another worker holds it": {func(t *testing.T, b *bundle) error {
			b.createArrived(t)
			b.claimStage(t, "other")
			time.Sleep(10 * time.Second)
			return track(t.Context(), b, ClaimOptions{}, fails(nil))
		}, NextRetry, 20 * time.Second, ErrRunning},
		"another worker took it": {func(t *testing.T, b *bundle) error {
			b.createArrived(t)
			return track(t.Context(), b, ClaimOptions{}, func(ctx context.Context) (object.Ref, error) {
				_, err := b.Claim(ctx, b.session, Enrichment, &ClaimOptions{Key: "m", TakeOver: true, Lease: time.Minute})
				require.NoError(t, err)
				return object.Ref{}, nil
			})
		}, NextRetry, time.Minute, ErrFenced},
		"the upload has not arrived": {func(t *testing.T, b *bundle) error {
			_, err := b.Create(t.Context(), b.session, nil)
			require.NoError(t, err)
			return track(t.Context(), b, ClaimOptions{}, fails(nil))
		}, NextRetry, 30 * time.Second, ErrDependencies},
		"it was interrupted": {func(t *testing.T, b *bundle) error {
			b.createArrived(t)
			ctx, cancel := context.WithCancel(t.Context())
			return track(ctx, b, ClaimOptions{}, func(context.Context) (object.Ref, error) {
				cancel()
				return object.Ref{}, ctx.Err()
			})
		}, NextRetry, 0, context.Canceled},
		"it is too early": {func(t *testing.T, b *bundle) error {
			b.createArrived(t)
			for range 9 {
				require.NoError(t, b.claimStage(t, "other").Fail(t.Context(), throttledError()))
			}
			return track(t.Context(), b, ClaimOptions{}, fails(errCut))
		}, NextRetry, -1, ErrEarly},
		"no attempts are left": {func(t *testing.T, b *bundle) error {
			b.createArrived(t)
			for range 9 {
				require.NoError(t, b.claimStage(t, "other").Fail(t.Context(), throttledError()))
			}
			b.claimStage(t, "other")
			time.Sleep(time.Minute)
			return track(t.Context(), b, ClaimOptions{}, fails(nil))
		}, NextGiveUp, 0, ErrExhausted},
		"it is cancelled meanwhile": {func(t *testing.T, b *bundle) error {
			b.createArrived(t)
			return track(t.Context(), b, ClaimOptions{}, func(ctx context.Context) (object.Ref, error) {
				_, err := b.Cancel(ctx, b.session)
				require.NoError(t, err)
				return object.Ref{}, nil
			})
		}, NextGiveUp, 0, ErrFenced},
		"there is no record": {func(t *testing.T, b *bundle) error {
			return track(t.Context(), b, ClaimOptions{}, fails(nil))
		}, NextGiveUp, 0, ErrNotFound},
		"an invalid argument": {func(t *testing.T, b *bundle) error {
			return track(t.Context(), b, ClaimOptions{TakeOver: true}, fails(nil))
		}, NextGiveUp, 0, ErrInvalid},
		"the table fails at the claim": {func(t *testing.T, b *bundle) error {
			b.createArrived(t)
			b.driver.fault = func() (bool, bool) { return true, false }
			return track(t.Context(), b, ClaimOptions{}, fails(nil))
		}, NextRetry, time.Second, errCut},
		"the table fails at the end": {func(t *testing.T, b *bundle) error {
			b.createArrived(t)
			return track(t.Context(), b, ClaimOptions{}, func(context.Context) (object.Ref, error) {
				b.driver.fault = func() (bool, bool) { return true, false }
				time.Sleep(5 * time.Second)
				return object.Ref{}, nil
			})
		}, NextRetry, 25 * time.Second, errCut},
		"the stage of another session refused": {func(t *testing.T, b *bundle) error {
			b.createArrived(t)
			require.NoError(t, b.claimStage(t, "other").Complete(t.Context(), object.Ref{}))
			b.session = sessionOf(t, b.user, 2)
			b.createArrived(t)
			return track(t.Context(), b, ClaimOptions{}, func(ctx context.Context) (object.Ref, error) {
				_, err := b.Claim(ctx, sessionOf(t, b.user, 1), Enrichment, &ClaimOptions{Key: "m"})
				return object.Ref{}, err
			})
		}, NextRetry, -1, ErrTerminal},
		"another stage refused": {func(t *testing.T, b *bundle) error {
			b.createArrived(t)
			return track(t.Context(), b, ClaimOptions{}, func(ctx context.Context) (object.Ref, error) {
				_, err := b.Cancel(ctx, sessionOf(t, b.user, 9))
				return object.Ref{}, &Error{Code: "no_image", Message: "This is not an image.", Err: err}
			})
		}, NextGiveUp, 0, ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				err := c.run(t, newBundle(t, nil))
				require.ErrorIs(t, err, c.is)
				failed := trackError(t, err)
				require.Equal(t, c.next, failed.Next)
				if c.after >= 0 {
					require.Equal(t, c.after, failed.After)
				} else { // the back-off, which depends on the record
					require.Positive(t, failed.After)
				}
			})
		})
	}
}
