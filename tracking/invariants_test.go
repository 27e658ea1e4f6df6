package tracking

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/table"
)

// checkInvariants checks the record after a write, and its difference from the record
// before.
func checkInvariants(t testing.TB, m machine, before, after Record) {
	t.Helper()
	require.False(t, before.Terminal, "terminal is absorbing")

	succeeded := true
	for _, s := range m.pipeline.Stages {
		was, p := before.Stage(s.Stage), after.Stage(s.Stage)
		succeeded = succeeded && (s.Optional || p.State == StateSuccess)

		require.GreaterOrEqual(t, p.Fence, was.Fence, "a fence never falls")
		require.GreaterOrEqual(t, p.Attempt, was.Attempt, "an attempt is never taken back")
		if !s.External {
			require.LessOrEqual(t, p.Attempt, s.MaxAttempts)
			require.Equal(t, p.State == StateRunning, !p.Lease.IsZero(), "exactly the running stages have a lease")
			if p.Attempt > was.Attempt {
				require.Equal(t, was.Attempt+1, p.Attempt)
				require.Equal(t, was.Fence+1, p.Fence)
				require.False(t, was.Parked, "no new attempt of a stage that a person has seen")
			}
			if p.State == StateRunning && was.State != StateRunning {
				require.Equal(t, was.Fence+1, p.Fence)
			}
		}
		if p.owner != was.owner {
			require.Equal(t, was.Fence+1, p.Fence, "a stage changes hands under a new fence")
		}
		if was.State == StateSuccess {
			require.Equal(t, was, p, "a stage that succeeded is done")
		}
		require.False(t, was.Parked && !p.Parked)
		if p.State == StateRunning || p.State == StateSuccess {
			require.True(t, after.meetsDependencies(s), "%s is %s before a stage of its After", p.Stage, p.State)
		}
		ended := p.State == StateSuccess || p.State == StateFailed
		require.Equal(t, ended, !p.Ended.IsZero())
		require.False(t, ended && p.Ended.Before(p.Started), "no negative duration")
		require.Equal(t, p.State == StateFailed, p.Error.Code != "")
		if after.Terminal {
			require.Zero(t, p.NotBefore, "nothing is tried again")
			require.Contains(t, []State{StateQueued, StateSuccess, StateFailed}, p.State, "no stage of an ended record is held")
		}
	}
	require.Equal(t, succeeded, after.Status == StatusSuccess, "success is when every required stage succeeded")
	require.Equal(t, after.Status == StatusFailed, after.Reason != "")
	if after.Status == StatusSuccess {
		require.True(t, after.Terminal)
	}

	require.Equal(t, after.Terminal, after.Due.IsZero())
	it := after.encodeItem()
	require.Equal(t, !after.Terminal,
		slices.ContainsFunc(it.Index, func(e table.Entry) bool { return e.Slot == table.I3 }), "due until terminal")
	read, err := m.decodeItem(after.Scope, it)
	require.NoError(t, err)
	require.Equal(t, it, read.encodeItem(), "a record decodes from its item")
}
