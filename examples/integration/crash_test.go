package integration_test

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/integration/backend"
)

// visitors is the number of visits at a time. Their runs are more than the tenants may have, so some wait in the queue.
const visitors = 10

// Two servers share a table and a bucket. Again and again one of them is killed and replaced, at random moments and at
// those that matter, or is frozen for a while. Its clients reconnect to the other one.
func TestCrashes(t *testing.T) {
	t.Parallel()
	needDynamoDB(t)
	survive(t, crashConfig{})
}

// The same with a table and a bucket that fail, are late, and lose responses.
func TestCrashesWithAFaultyStore(t *testing.T) {
	t.Parallel()
	needDynamoDB(t)
	survive(t, crashConfig{Loss: 30, Slow: 60})
}

// killsOf returns how often a process is killed.
func killsOf() int {
	switch {
	case os.Getenv("CARREL_SOAK") == "1":
		return 300
	case testing.Short():
		return 5
	}
	return 20
}

// survive makes visits until the processes were killed often enough, and checks them.
func survive(t *testing.T, config crashConfig) {
	t.Helper()
	if servers.Kind == backend.Moto || servers.Kind == backend.LocalStack {
		t.Skipf("%s answers too slowly for leases of two seconds", servers.Kind)
	}
	began := time.Now()
	w := newCrashWorld(t, config)
	visits := &visits{world: w}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	inviting, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	for range visitors {
		group.Go(func() { visits.makeVisits(ctx, inviting) })
	}
	group.Go(func() { w.freezeProcesses(inviting) })
	kills := killsOf()
	for w.countKills() < kills {
		w.awaitAnswers(ctx)
		time.Sleep(time.Duration(w.chance(1000)) * time.Millisecond)
		w.killProcess()
	}
	stop()
	limit := time.AfterFunc(90*time.Second, cancel) // the last visits end
	group.Wait()
	limit.Stop()
	visits.check(t)
	w.endProcesses()
	t.Logf("%d kills %v, %d freezes, in %v", w.countKills(), w.kills, w.freezes, time.Since(began).Round(time.Second))
}

// visits collects the visits that were made.
type visits struct {
	world *crashWorld
	mu    sync.Mutex
	made  []*visit
	errs  []error
}

// maxHits is how often processes are killed and frozen while a run does not give an answer. The runner ends a run that
// was interrupted more than five times in a row.
const maxHits = 4

// awaitAnswers waits until the clients have received some answers after the last kill, and until no run would be
// interrupted too often in a row by another one.
func (w *crashWorld) awaitAnswers(ctx context.Context) {
	some, all := time.After(20*time.Second), time.After(2*time.Minute)
	for until := w.answers.Load() + 40; w.answers.Load() < until || w.countHits() >= maxHits; {
		select {
		case <-ctx.Done():
			return
		case <-some:
			until = 0
		case <-all:
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// hitRunsLocked counts an interruption of the runs that are followed.
func (w *crashWorld) hitRunsLocked() {
	for run := range w.hit {
		w.hit[run]++
	}
}

// countHits returns how often the run that suffers most was interrupted since its last answer.
func (w *crashWorld) countHits() (most int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.hit {
		most = max(most, n)
	}
	return most
}

// recordProgress records an event of a run: an answer, for example. A run that waits in the queue is not interrupted.
func (w *crashWorld) recordProgress(run, event string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch event {
	case "run_started", "step_finished":
		w.hit[run] = 0
	case "run_queued", "finished", "failed":
		delete(w.hit, run)
	}
}

// makeVisits makes one visit after another until inviting ends.
func (vs *visits) makeVisits(ctx, inviting context.Context) {
	for inviting.Err() == nil {
		vs.mu.Lock()
		v, err := vs.world.newVisit(len(vs.made))
		if err == nil {
			vs.made = append(vs.made, v)
		}
		vs.mu.Unlock()
		if err == nil {
			err = v.complete(ctx)
		}
		if err != nil {
			vs.mu.Lock()
			vs.errs = append(vs.errs, err)
			vs.mu.Unlock()
			return
		}
	}
}

// check checks each visit, and that nothing is left.
func (vs *visits) check(t *testing.T) {
	t.Helper()
	w := vs.world
	require.Empty(t, vs.errs)
	s := w.openStores(t)
	reported, retractions := map[string]int64{}, 0
	for _, v := range vs.made {
		shown := v.check(t, s)
		reported[v.session.TenantID()] += shown.Tokens
		retractions += shown.Retractions
	}
	require.Empty(t, w.effects.misused, "keys for two effects")
	assert.Positive(t, retractions, "no run was hit")
	w.checkNothingLeft(t, vs.made, reported)
	t.Logf("%d visits, %d retractions, %d repeated requests for effects", len(vs.made), retractions, w.effects.repeats)
}
