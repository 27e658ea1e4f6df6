package runner_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools/approval"
)

func userOf(t testing.TB, tenantID, userID string) scope.Scope {
	t.Helper()
	tenant, err := scope.Tenant(tenantID)
	require.NoError(t, err)
	user, err := tenant.User(userID)
	require.NoError(t, err)
	return user
}

func chatOf(t testing.TB, p *process, user scope.Scope, dialect, id string) *runner.Chat {
	t.Helper()
	c, err := p.Chat(runner.Conversation{User: user, Dialect: dialect, ID: id, Agent: "chat"})
	require.NoError(t, err)
	return c
}

func TestAChatHasOneSession(t *testing.T) {
	t.Parallel()
	d := table.NewMemory(nil)
	host := hostOf(t, librarian(0))
	p, q := newProcess(t, d, host, nil), newProcess(t, d, host, nil)
	user := userOf(t, "acme", "u1")
	ids := []string{"a", "A", ".", "../a", "a\x00b", "\xff\xfe", "é", "e\u0301", " ", strings.Repeat("x", 256), strings.Repeat("é", 256)}
	seen := map[string]string{}
	for _, id := range ids {
		var mu sync.Mutex
		var got []string
		var wg sync.WaitGroup
		for _, process := range []*process{p, q, p, q} {
			wg.Go(func() {
				session, err := chatOf(t, process, user, "aisdk", id).Session(t.Context())
				mu.Lock()
				defer mu.Unlock()
				if assert.NoError(t, err) {
					assert.True(t, user.Contains(session))
					got = append(got, session.SessionID())
				}
			})
		}
		wg.Wait()
		require.Len(t, got, 4)
		for _, other := range got {
			assert.Equal(t, got[0], other)
		}
		assert.Empty(t, seen[got[0]], "%q has the session of another id", id)
		seen[got[0]] = id
	}
	for _, other := range []*runner.Chat{
		chatOf(t, p, user, "agui", "a"), chatOf(t, p, userOf(t, "acme", "u2"), "aisdk", "a"), chatOf(t, p, userOf(t, "other", "u1"), "aisdk", "a"),
	} {
		session, err := other.Session(t.Context())
		require.NoError(t, err)
		assert.NotContains(t, seen, session.SessionID())
	}
}

func TestAChatIsKeptFromItsLastMessageOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const retention = 90 * 24 * time.Hour
		d, host, user := table.NewMemory(nil), hostOf(t, librarian(0)), userOf(t, "acme", "u1")
		p := newProcess(t, d, host, &runner.Options{ChatRetention: retention})
		sessionOf := func(p *process, id string) scope.Scope {
			session, err := chatOf(t, p, user, "aisdk", id).Session(t.Context())
			require.NoError(t, err)
			return session
		}
		first := sessionOf(p, "a")
		for range 10 {
			time.Sleep(retention - time.Second)
			require.Equal(t, first, sessionOf(p, "a"))
		}
		time.Sleep(2*retention + time.Second)
		second := sessionOf(p, "a")
		require.NotEqual(t, first, second, "the client's id begins a new conversation")

		forever := newProcess(t, d, host, nil)
		require.Equal(t, second, sessionOf(forever, "a"))
		old := sessionOf(forever, "b")
		time.Sleep(10 * retention)
		require.Equal(t, second, sessionOf(forever, "a"), "the option was taken back in time")
		require.Equal(t, old, sessionOf(p, "b"))
		time.Sleep(2*retention + time.Second)
		require.NotEqual(t, old, sessionOf(p, "b"), "it has been used since the option was set")
		for _, each := range []*process{p, forever} {
			each.shutDown(t)
		}
	})
}

// Concurrent uses of a chat that is about to expire have its session.
func TestAChatIsKeptByConcurrentMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProcess(t, table.NewMemory(nil), hostOf(t, librarian(0)), &runner.Options{ChatRetention: time.Hour})
		c := chatOf(t, p, userOf(t, "acme", "u1"), "aisdk", "a")
		want, err := c.Session(t.Context())
		require.NoError(t, err)
		time.Sleep(119 * time.Minute)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				got, err := c.Session(t.Context())
				if assert.NoError(t, err) {
					assert.Equal(t, want, got)
				}
			})
		}
		all.Wait()
		p.shutDown(t)
	})
}

func TestAChatRejectsInvalidIDs(t *testing.T) {
	t.Parallel()
	p := newProcess(t, table.NewMemory(nil), hostOf(t, librarian(0)), nil)
	user := userOf(t, "acme", "u1")
	for _, c := range []runner.Conversation{
		{User: user, Dialect: "aisdk"},
		{User: user, Dialect: "aisdk", ID: strings.Repeat("é", 257)},
		{User: user, Dialect: "", ID: "a"},
		{User: user, Dialect: "AI SDK", ID: "a"},
	} {
		_, err := p.Chat(c)
		require.ErrorIs(t, err, runner.ErrInvalid)
	}
	_, err := p.Chat(runner.Conversation{User: newSession(t), Dialect: "aisdk", ID: "a"})
	require.ErrorIs(t, err, scope.ErrLevel)
}

func TestReadingAChatWritesNothing(t *testing.T) {
	t.Parallel()
	d := table.NewMemory(nil)
	p := newProcess(t, d, hostOf(t, librarian(0)), nil)
	c := chatOf(t, p, userOf(t, "acme", "u1").ReadOnly(), "aisdk", "a")
	runs, err := c.Runs(t.Context())
	require.NoError(t, err)
	assert.Empty(t, runs)
	_, err = c.Decide(t.Context(), "x.1", agent.Decision{Approval: "a"})
	require.ErrorIs(t, err, runner.ErrNotFound)
	_, err = c.Start(t.Context(), "k", "Hello")
	require.ErrorIs(t, err, scope.ErrReadOnly)
}

func TestAllDecisionsOfAChatContinueItsRunOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		p, lent := newLender(t, d, "Emma", "Persuasion")
		defer p.shutDown(t)
		user := userOf(t, "acme", "u1")
		c := chatOf(t, p, user, "aisdk", "chat 1")
		run, err := c.Start(t.Context(), "m1", "Lend them.")
		require.NoError(t, err)
		again, err := c.Start(t.Context(), "m1", "Lend them.")
		require.NoError(t, err)
		assert.Equal(t, run, again)
		ids := requests(t, collect(t, p, user, run))
		require.Len(t, ids, 2)

		yes, no := agent.Decision{Approval: ids[0], Approved: true}, agent.Decision{Approval: ids[1], Reason: "It is lost."}
		_, err = c.Decide(t.Context(), run, yes, agent.Decision{Approval: strings.Repeat("0", 64), Approved: true})
		require.ErrorIs(t, err, approval.ErrNotFound)
		_, err = chatOf(t, p, user, "aisdk", "chat 2").Decide(t.Context(), run, yes)
		require.ErrorIs(t, err, runner.ErrNotFound, "the run is in another conversation")
		assert.Empty(t, *lent, "nothing was decided")

		next, err := c.Decide(t.Context(), run, yes, no)
		require.NoError(t, err)
		again, err = c.Decide(t.Context(), run, yes, no)
		require.NoError(t, err, "while the run is in flight")
		assert.Equal(t, next, again)
		events := collect(t, p, user, next)
		assert.Equal(t, []string{"run_started", "approval_decided", "tool_result", "step_finished", "step_started", "text_delta", "step_finished", "finished"}, types(events))
		assert.Len(t, *lent, 1, "the other was declined")
		again, err = c.Decide(t.Context(), run, yes, no)
		require.NoError(t, err, "when it has ended")
		assert.Equal(t, next, again)
		_, err = c.Decide(t.Context(), run, yes, agent.Decision{Approval: ids[1], Approved: true})
		require.ErrorIs(t, err, approval.ErrDecided)

		runs, err := c.Runs(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []string{run, next}, runs)
		last, err := c.Start(t.Context(), "m2", "Thanks.")
		require.NoError(t, err)
		runs, err = c.Runs(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []string{last}, runs)
	})
}
