package runner_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope/table"
)

// A stop request ends a run as stopped, whenever its process is killed. After a pause the run may have come to its end.
func TestAStopSurvivesAKillAtAnyWrite(t *testing.T) {
	t.Parallel()
	interruptAtEachWrite(t, 2, stopAcross)
}

// interruptAtEachWrite calls play once without an interruption, which returns its number of writes. Then it calls play
// for each write from the first one on, at which a process is killed (no pause) or frozen for less or more than its
// lease.
func interruptAtEachWrite(t *testing.T, first int, play func(t *testing.T, write int, pause time.Duration) (writes int)) {
	t.Helper()
	n := 0
	synctest.Test(t, func(t *testing.T) { n = play(t, 1<<30, 0) })
	require.Greater(t, n, 8)
	for k := first; k <= n; k++ {
		for _, pause := range []time.Duration{0, 11 * time.Second, 13 * time.Second, time.Minute} {
			t.Run(fmt.Sprint(k, " ", pause), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { play(t, k, pause) })
			})
		}
	}
}

// stopAcross stops a run in its second answer. The first process is killed or frozen at its n-th write.
func stopAcross(t *testing.T, writes int, pause time.Duration) (made int) {
	t.Helper()
	d := table.NewMemory(nil)
	dying := newDoomed(d, writes, pause)
	begin := dying.left.Load()
	var effects shelf
	host := hostOf(t, slowly(time.Second, librarian(2)), effects.tool(t))
	var ended []runner.Status
	host.End = func(_ context.Context, _ *runner.Run, res runner.Result) error {
		ended = append(ended, res.Status)
		return nil
	}
	a, b := newProcess(t, dying, host, nil), newProcess(t, d, host, nil)
	unwatch := b.watch(t)
	session := newSession(t)
	run, err := a.Start(t.Context(), runner.Request{Scope: session, Prompt: "Put two books."})
	require.NoError(t, err)
	<-time.After(6500 * time.Millisecond)
	require.NoError(t, b.Stop(t.Context(), session, run.ID))
	events := tell(t, collect(t, b, session, run.ID))
	want := runner.StatusStopped
	if pause > 0 && strings.Contains(last(events), "complete") { // it came to its end before it noticed
		want = runner.StatusComplete
	}
	assert.JSONEq(t, fmt.Sprintf(`{"type":"finished","outcome":%q}`, want), last(events))
	whole := "I put book 0. I put book 1. All is done."
	assert.True(t, strings.HasPrefix(whole, textOf(t, events)), textOf(t, events))
	<-time.After(2 * time.Minute)
	unwatch()
	a.shutDown(t)
	got, err := b.Get(t.Context(), session, run.ID)
	require.NoError(t, err)
	assert.Equal(t, want, got.Status)
	assert.Contains(t, ended, want)
	h, head, err := b.turns.Load(t.Context(), session)
	require.NoError(t, err)
	assert.Len(t, h.Turns, head.Turns)
	next := newProcess(t, d, hostOf(t, librarian(0)), nil)
	run, err = next.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go on."})
	require.NoError(t, err)
	assert.Contains(t, last(collect(t, next, session, run.ID)), "complete", "the conversation can go on")
	next.shutDown(t)
	return int(begin - dying.left.Load())
}
