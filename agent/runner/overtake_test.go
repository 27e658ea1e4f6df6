package runner_test

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools/approval"
)

// The turn whose calls wait for an approval when the next message comes is in the history once, whenever a process is
// killed or paused.
func TestAnOvertakenTurnIsInTheHistory(t *testing.T) {
	t.Parallel()
	interruptAtEachWrite(t, 1, overtakeAcross)
}

// overtakeAcross sends a message while a call waits for an approval. The first process is killed or frozen at its n-th
// write.
func overtakeAcross(t *testing.T, writes int, pause time.Duration) (made int) {
	t.Helper()
	a, b, dying, lent := newMortalLenders(t, writes, pause)
	begin := dying.left.Load()
	stop := b.watch(t)
	session := newSession(t)
	start := func(prompt string) *runner.Run {
		q := runner.Request{Scope: session, Prompt: prompt, Key: prompt}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		run, err := a.Start(ctx, q)
		for err != nil { // as a client does
			run, err = b.Start(t.Context(), q)
		}
		return run
	}
	first := start("Lend it.")
	events := tell(t, collect(t, b, session, first.ID))
	require.Contains(t, last(events), "pending")
	second := start("Never mind.")
	events = tell(t, collect(t, b, session, second.ID))
	assert.Equal(t, []string{
		"run_started", "user_message", "step_started", "text_delta", "tool_call", "approval_requested", "finished",
	}, types(events))
	third := start("And now?")
	require.Contains(t, last(tell(t, collect(t, b, session, third.ID))), "pending")
	<-time.After(2 * time.Minute)
	stop()
	a.shutDown(t)

	h, _, err := b.turns.Load(t.Context(), session)
	require.NoError(t, err)
	assert.Empty(t, *lent)
	require.Len(t, h.Turns, 2, "the third waits still")
	for i, prompt := range []string{"Lend it.", "Never mind."} {
		messages := h.Turns[i].Messages
		require.Len(t, messages, 3)
		assert.Equal(t, prompt, messages[0].Parts[0].Text)
		use, result := messages[1].Parts[len(messages[1].Parts)-1].Use, messages[2].Parts[0].Result
		assert.Equal(t, use.ID, result.ID)
		assert.True(t, result.IsError)
		assert.Contains(t, result.Blocks[0].Text, "Not decided")
	}
	checkNothingReserved(t, b, session)
	return int(begin - dying.left.Load())
}

// The model receives the calls that were not decided. A run that continues another one does not overtake it.
func TestTheModelSeesAnOvertakenTurn(t *testing.T) {
	t.Parallel()
	d := table.NewMemory(nil)
	approvals := newApprovals(t, d)
	var lent []string
	host := lending(t, approvals, &lent, "Emma")
	var seen [][]agent.Turn
	stream := host.Stream
	host.Stream = func(ctx context.Context, r *runner.Run, in agent.Input) iter.Seq2[agent.Event, error] {
		seen = append(seen, in.History.Turns)
		return stream(ctx, r, in)
	}
	p := newProcess(t, d, host, &runner.Options{Approvals: approvals})
	defer p.shutDown(t)
	session := newSession(t)
	run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Lend it."})
	require.NoError(t, err)
	_ = collect(t, p, session, run.ID)
	run, err = p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Lend it now."})
	require.NoError(t, err)
	ids := requests(t, collect(t, p, session, run.ID))
	next, err := p.Decide(t.Context(), session, run.ID, ids[0], approval.Decision{Approve: true, By: "Ada"})
	require.NoError(t, err)
	_ = collect(t, p, session, next.ID)
	require.Equal(t, []int{0, 1, 1}, []int{len(seen[0]), len(seen[1]), len(seen[2])})
	assert.Contains(t, seen[1][0].Messages[2].Parts[0].Result.Blocks[0].Text, "Not decided")
	assert.Equal(t, []string{"Emma"}, lent)
	h, _, err := p.turns.Load(t.Context(), session)
	require.NoError(t, err)
	assert.Len(t, h.Turns, 3)
}
