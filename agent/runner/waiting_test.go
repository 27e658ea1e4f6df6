package runner_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse/replay"
)

// lateHeads is a table whose runs end a little after their last event.
type lateHeads struct{ table.Driver }

func (d lateHeads) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	if strings.HasPrefix(k.Sort(), "run#") {
		<-time.After(100 * time.Millisecond)
	}
	return d.Driver.Put(ctx, k, r, c)
}

func TestTheEndOfARunIsAwaitedBeforeItWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := lateHeads{table.NewMemory(nil)}
		p, _ := newLender(t, d, "Emma")
		defer p.shutDown(t)
		user := userOf(t, "acme", "u1")
		c := chatOf(t, p, user, "agui", "thread 1")
		run, err := c.Start(t.Context(), "r1", "Lend it.")
		require.NoError(t, err)
		ids := requests(t, collect(t, p, user, run))
		waiting, isWaiting, err := c.Waiting(t.Context())
		require.NoError(t, err)
		assert.True(t, isWaiting)
		assert.Equal(t, ids, waiting)
	})
}

func TestAChatSaysForWhatItWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := lateHeads{table.NewMemory(nil)}
		p, _ := newLender(t, d, "Emma", "Persuasion")
		defer p.shutDown(t)
		user := userOf(t, "acme", "u1")
		c := chatOf(t, p, user, "agui", "thread 1")
		waiting := func() []string {
			ids, isWaiting, err := c.Waiting(t.Context())
			require.NoError(t, err)
			assert.Equal(t, isWaiting, ids != nil)
			return ids
		}
		assert.Nil(t, waiting(), "the conversation is new")
		_, err := c.Decide(t.Context(), "", agent.Decision{Approval: "a"})
		require.ErrorIs(t, err, runner.ErrNotFound)
		run, err := c.Start(t.Context(), "r1", "Lend them.")
		require.NoError(t, err)
		assert.Nil(t, waiting(), "the run is in flight")
		strict, err := p.Chat(runner.Conversation{User: user, Dialect: "agui", ID: "thread 1", Agent: "chat", Strict: true})
		require.NoError(t, err)
		ids := requests(t, collect(t, p, user, run))
		_, err = strict.Start(t.Context(), "r2", "Something else.")
		require.ErrorIs(t, err, agent.ErrWaiting, "HEAD is about to say that the run has ended")
		assert.ElementsMatch(t, ids, waiting())
		again, err := strict.Start(t.Context(), "r1", "Lend them.")
		require.NoError(t, err)
		assert.Equal(t, run, again, "the same message again")

		next, err := c.Decide(t.Context(), "", agent.Decision{Approval: ids[0], Approved: true}, agent.Decision{Approval: ids[1]})
		require.NoError(t, err)
		collect(t, p, user, next)
		assert.Nil(t, waiting())
		again, err = c.Decide(t.Context(), "", agent.Decision{Approval: ids[0], Approved: true}, agent.Decision{Approval: ids[1]})
		require.NoError(t, err)
		assert.Equal(t, next, again)
		_, err = c.Decide(t.Context(), "", agent.Decision{Approval: ids[0]})
		require.ErrorIs(t, err, agent.ErrNotWaiting)
		_, err = strict.Start(t.Context(), "r3", "Something else.")
		require.NoError(t, err)
	})
}

func TestAChatWhoseRequestsHaveExpiredWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		p, _ := newLender(t, d, "Emma")
		defer p.shutDown(t)
		user := userOf(t, "acme", "u1")
		c := chatOf(t, p, user, "agui", "thread 1")
		run, err := c.Start(t.Context(), "r1", "Lend it.")
		require.NoError(t, err)
		collect(t, p, user, run)
		time.Sleep(25 * time.Hour)
		ids, isWaiting, err := c.Waiting(t.Context())
		require.NoError(t, err)
		assert.Empty(t, ids)
		assert.True(t, isWaiting)
	})
}

func TestAChatShowsOnlyItsOwnRuns(t *testing.T) {
	t.Parallel()
	p := newProcess(t, table.NewMemory(nil), hostOf(t, librarian(0)), nil)
	user := userOf(t, "acme", "u1")
	run, err := chatOf(t, p, user, "agui", "1").Start(t.Context(), "r1", "Hello")
	require.NoError(t, err)
	_, err = chatOf(t, p, user, "agui", "2").Start(t.Context(), "r1", "Hello")
	require.NoError(t, err)
	for _, id := range []string{"2", "3"} {
		for _, err := range chatOf(t, p, user, "agui", id).Follow(t.Context(), run, "", replay.Plain()) {
			require.ErrorIs(t, err, runner.ErrNotFound)
		}
	}
	for _, err := range chatOf(t, p, user, "agui", "1").Follow(t.Context(), run, "", replay.Plain()) {
		require.NoError(t, err)
	}
	p.shutDown(t)
}
