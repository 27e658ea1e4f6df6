package runner_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
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

// slowWrites is a table whose writes take a while.
type slowWrites struct{ table.Driver }

func (s slowWrites) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	time.Sleep(300 * time.Millisecond)
	return s.Driver.Put(ctx, k, r, c)
}

// endless is the table of a process that is killed when it writes the end of a run into HEAD.
type endless struct {
	table.Driver
	isDead atomic.Bool
}

func (e *endless) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	if status, _ := r.Attr["status"].(string); strings.HasPrefix(k.Sort(), "run#") && runner.Status(status).HasEnded() {
		e.isDead.Store(true)
	}
	if e.isDead.Load() {
		return errKilled
	}
	return e.Driver.Put(ctx, k, r, c)
}

// The next run can start in the process that is about to end the run of a dead one, which a client has seen to its end.
func TestTheNextRunDoesNotWaitForATakeoverAtTheEnd(t *testing.T) {
	t.Parallel()
	for later := range 20 {
		synctest.Test(t, func(t *testing.T) {
			d := table.NewMemory(nil)
			dying := &endless{Driver: d}
			a := newProcess(t, dying, hostOf(t, librarian(0)), nil)
			session := newSession(t)
			run, err := a.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go."})
			require.NoError(t, err)
			require.Contains(t, last(collect(t, a, session, run.ID)), "complete")
			a.shutDown(t)
			require.True(t, dying.isDead.Load())

			b := newProcess(t, slowWrites{d}, hostOf(t, librarian(0)), &runner.Options{Exclusive: true})
			recovered := make(chan error, 1)
			go func() { recovered <- b.Recover(t.Context(), b.table.System()) }()
			time.Sleep(time.Duration(later) * 100 * time.Millisecond)
			next, err := b.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go on."})
			require.NoError(t, err, later)
			require.Contains(t, last(collect(t, b, session, next.ID)), "complete")
			require.NoError(t, <-recovered)
			b.shutDown(t)
		})
	}
}
