package tracking

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// runs answers SweepOptions.Live.
type runs struct {
	live  bool
	err   error
	asked int
}

func (l *runs) isLive(context.Context, Record) (bool, error) {
	l.asked++
	return l.live, l.err
}

// A record whose run is live does not lose its stage, neither to an expired lease nor to a recovery.
func TestSweepLeavesStagesOfLiveRuns(t *testing.T) {
	t.Parallel()
	for name, orphans := range map[string]bool{"expired lease": false, "recovery": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBundle(t, nil)
				b.createArrived(t)
				held := b.claimStage(t, "run")
				if !orphans {
					time.Sleep(2 * time.Hour)
				}
				s, live := &storage{}, &runs{live: true}
				o := SweepOptions{Orphans: orphans, Live: live.isLive}
				before := b.getRecord(t)
				require.Zero(t, b.sweepTable(t, s, o))
				require.Equal(t, before, b.getRecord(t))

				live.live, live.err = false, errors.New("no answer")
				res := b.sweepTable(t, s, o)
				require.Len(t, res.Errors, 1)
				require.ErrorIs(t, res.Errors[0], live.err)
				require.Equal(t, before, b.getRecord(t))

				live.err = nil
				require.Equal(t, SweepResult{Lost: 1}, b.sweepTable(t, s, o))
				require.Equal(t, 3, live.asked)
				stateOf(t, held.Heartbeat(t.Context()), ErrFenced)
			})
		})
	}
}

// A record whose run is live is not abandoned, for example while the run is queued.
func TestSweepDoesNotAbandonLiveRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, nil)
		b.createArrived(t)
		time.Sleep(48 * time.Hour)
		s, live := &storage{}, &runs{live: true}
		require.Zero(t, b.sweepTable(t, s, SweepOptions{Live: live.isLive}))
		require.False(t, b.getRecord(t).Terminal)
		live.live = false
		require.Equal(t, 1, b.sweepTable(t, s, SweepOptions{Live: live.isLive}).Abandoned)
	})
}

// Live is asked only if the sweep would otherwise fail a stage or end the record.
func TestSweepAsksForRunsOnlyBeforeFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, nil)
		waits := b.withSession(t, b.session)
		arrived := b.withSession(t, sessionOf(t, b.user, 2))
		live := &runs{live: true}
		s := &storage{there: map[scope.Scope]object.Ref{arrived.session: refIn(t, "landing", arrived.session, "cover.jpg")}}
		require.Zero(t, b.sweepTable(t, s, SweepOptions{Live: live.isLive}))
		require.Zero(t, live.asked, "nothing is overdue")
		time.Sleep(2 * time.Hour)
		require.Equal(t, SweepResult{Observed: 1}, b.sweepTable(t, s, SweepOptions{Live: live.isLive}))
		require.Equal(t, 1, live.asked)
		require.Equal(t, StateRunning, waits.getRecord(t).Stage(UserUpload).State)
	})
}

// A record that changes after Live was not asked is left for the next sweep.
func TestSweepDoesNotFailRecordsThatChangeMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, nil)
		b.withSession(t, b.session)
		time.Sleep(2 * time.Hour)
		live := &runs{}
		var held *Attempt
		o := SweepOptions{System: b.table.System(), Live: live.isLive}
		o.Look = func(ctx context.Context, r Record, st Stage) (object.Ref, bool, error) {
			ref := refIn(t, "landing", r.Scope, "cover.jpg")
			var err error
			held, err = b.Claim(ctx, r.Scope, Enrichment, &ClaimOptions{
				Key: "run", Lease: time.Second, Observed: &Observation{Stage: st, Dest: ref},
			})
			time.Sleep(2 * time.Hour) // the lease expires while the sweep looks
			return ref, true, err
		}
		res, err := b.Sweep(t.Context(), &o)
		require.NoError(t, err)
		require.Zero(t, res)
		require.Zero(t, live.asked)
		require.Equal(t, StateRunning, b.getRecord(t).Stage(Enrichment).State)
		require.NoError(t, held.Heartbeat(t.Context()))
	})
}

func TestPipelineIsACopy(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	p := b.Pipeline()
	require.Equal(t, "uploads", p.Name)
	require.Equal(t, 75*time.Minute, p.Stages[0].Due, "defaults are set")
	p.Stages[1].After[0], p.Stages[0].External = AVScan, false
	require.True(t, b.Pipeline().Stages[0].External)
	require.Equal(t, []Stage{UserUpload}, b.Pipeline().Stages[1].After)
}
