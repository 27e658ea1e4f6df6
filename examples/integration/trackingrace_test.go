package integration_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tracking"
)

// The other workers get an error that names the holder of the stage. The race is run three times.
func TestOneOf64WorkersWinsAStage(t *testing.T) {
	t.Parallel()
	tr := newWireTracker(t, nil)
	ctx := t.Context()
	s := tr.newSession(t)
	created, err := tr.Observe(ctx, s, newArrival(t, s))
	require.NoError(t, err)
	now := time.Now()
	for attempt := 1; attempt <= 3; attempt++ {
		// The clock is an hour ahead, so all earlier leases have expired.
		at := now.Add(time.Duration(attempt) * time.Hour)
		later, err := tracking.New(tr.table, tracking.Uploads(), &tracking.Options{Clock: func() time.Time { return at }})
		require.NoError(t, err)
		won := make([]*tracking.Attempt, 64)
		errs := make([]error, len(won))
		begin := make(chan struct{})
		var wg sync.WaitGroup
		for i := range won {
			wg.Go(func() {
				<-begin
				won[i], errs[i] = later.Claim(ctx, s, tracking.Enrichment, &tracking.ClaimOptions{Key: fmt.Sprint("worker ", i)})
			})
		}
		close(begin)
		wg.Wait()
		var winner *tracking.Attempt
		for i, err := range errs {
			if err == nil {
				require.Nil(t, winner, "two workers have won")
				winner = won[i]
				continue
			}
			require.ErrorIs(t, err, tracking.ErrRunning)
			refused, ok := errors.AsType[*tracking.StateError](err)
			require.True(t, ok)
			require.NotEmpty(t, refused.Record.Stage(tracking.Enrichment).Key, "the key of the holder")
		}
		require.NotNil(t, winner)
		r, err := tr.Get(ctx, s)
		require.NoError(t, err)
		require.Equal(t, created.Version+int64(attempt), r.Version, "one write")
		require.Equal(t, attempt, r.Stage(tracking.Enrichment).Attempt)
		require.Equal(t, winner.Fence(), r.Stage(tracking.Enrichment).Fence)
	}
}

// Each change that is reported as successful has happened exactly once.
func TestWritersOfThreeStagesLoseNoUpdate(t *testing.T) {
	t.Parallel()
	tr := newWireTracker(t, nil)
	ctx := t.Context()
	var wg sync.WaitGroup
	errs := make([]error, 3)
	s := tr.newSession(t)
	created, err := tr.Get(ctx, s)
	require.NoError(t, err)
	_, err = tr.Observe(ctx, s, newArrival(t, s))
	require.NoError(t, err)
	for i, st := range []tracking.Stage{tracking.Enrichment, tracking.Routing, tracking.AVScan} {
		wg.Go(func() {
			var a *tracking.Attempt
			errs[i] = retryContended(func() (err error) {
				a, err = tr.Claim(ctx, s, st, &tracking.ClaimOptions{Key: "run"})
				return err
			})
			for range 20 {
				if errs[i] == nil {
					errs[i] = retryContended(func() error { return a.Heartbeat(ctx) })
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	r, err := tr.Get(ctx, s)
	require.NoError(t, err)
	require.Equal(t, created.Version+1+3*21, r.Version)
}

// retryContended calls f again while it fails because the record changed too fast.
func retryContended(f func() error) error {
	for {
		if err := f(); !errors.Is(err, tracking.ErrContended) {
			return err
		}
	}
}

// A worker that was paused for longer than its lease cannot change the record.
func TestPausedWorkerIsFenced(t *testing.T) {
	t.Parallel()
	tr := newWireTracker(t, nil)
	ctx := t.Context()
	s := tr.newSession(t)
	_, err := tr.Observe(ctx, s, newArrival(t, s))
	require.NoError(t, err)
	paused, err := tr.Claim(ctx, s, tracking.Enrichment, &tracking.ClaimOptions{Key: "paused"})
	require.NoError(t, err)
	later := func() time.Time { return time.Now().Add(time.Minute) }
	other, err := tracking.New(tr.table, tracking.Uploads(), &tracking.Options{Clock: later})
	require.NoError(t, err)
	a, err := other.Claim(ctx, s, tracking.Enrichment, &tracking.ClaimOptions{Key: "other"})
	require.NoError(t, err)
	for range 2 { // while the other worker runs, and after it has completed the stage
		before, err := tr.Get(ctx, s)
		require.NoError(t, err)
		for name, do := range map[string]func() error{
			"heartbeat": func() error { return paused.Heartbeat(ctx) },
			"complete":  func() error { return paused.Complete(ctx, object.Ref{}) },
			"fail":      func() error { return paused.Fail(ctx, errors.New("x")) },
			"park":      func() error { return paused.Park(ctx, 0) },
			"release":   func() error { return paused.Release(ctx) },
		} {
			require.ErrorIs(t, do(), tracking.ErrFenced, name)
		}
		after, err := tr.Get(ctx, s)
		require.NoError(t, err)
		require.Equal(t, before, after)
		require.NoError(t, a.Complete(ctx, object.Ref{}))
	}
}
