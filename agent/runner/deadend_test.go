package runner_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope/table"
)

// A process that dies or is paused between the last event of a run and the end in HEAD, or before, does not hold up the
// next run of the session once a client has seen the last event.
func TestTheNextRunDoesNotWaitForTheLeaseOfADeadProcess(t *testing.T) {
	t.Parallel()
	n := startNextAcross(t, 1<<30, 0)
	require.Greater(t, n, 5)
	for k := 1; k <= n; k++ {
		for _, pause := range []time.Duration{0, 9 * time.Second, 20 * time.Second} {
			t.Run(fmt.Sprint(k, " ", pause), func(t *testing.T) {
				t.Parallel()
				startNextAcross(t, k, pause)
			})
		}
	}
}

// startNextAcross starts two runs one after the other. The process of the first one is killed or paused at its n-th
// write. It returns how many writes that process made.
func startNextAcross(t *testing.T, writes int, pause time.Duration) (made int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var effects shelf
		host := hostOf(t, slowly(200*time.Millisecond, librarian(1)), effects.tool(t))
		d := table.NewMemory(nil)
		dying := newDoomed(d, writes, pause)
		begin := dying.left.Load()
		a, b := newProcess(t, dying, host, withLimits(t, dying)), newProcess(t, d, host, withLimits(t, d))
		stop := watched(t, b)
		session := newSession(t)
		q := runner.Request{Scope: session, Prompt: "Put a book.", Key: "k"}
		run, err := a.Start(t.Context(), q)
		if err != nil {
			run, err = b.Start(t.Context(), q) // as a client does
		}
		require.NoError(t, err)
		require.Contains(t, last(collect(t, b, session, run.ID)), "complete")
		seen := time.Now()
		next, err := b.Start(t.Context(), runner.Request{Scope: session, Prompt: "Put another."})
		require.NoError(t, err)
		assert.LessOrEqual(t, time.Since(seen), time.Second)
		require.Contains(t, last(collect(t, b, session, next.ID)), "complete")

		<-time.After(2 * time.Minute) // a paused process writes on
		stop()
		b.shutDown(t)
		a.shutDown(t)
		made = int(begin - dying.left.Load())
		first, err := b.Get(t.Context(), session, run.ID)
		require.NoError(t, err)
		assert.Equal(t, runner.StatusComplete, first.Status)
		assert.Empty(t, first.Prompt, "HEAD says that it has ended")
		newest, err := b.Get(t.Context(), session, "")
		require.NoError(t, err)
		assert.Equal(t, []any{next.ID, runner.StatusComplete}, []any{newest.ID, newest.Status})
		_, head, err := b.turns.Load(t.Context(), session)
		require.NoError(t, err)
		assert.Equal(t, 4, head.Turns, "two of each run")
		checkNothingReserved(t, b, session)
	})
	return made
}
