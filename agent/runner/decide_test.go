package runner_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/approval"
)

// newApprovals returns the approvals of a table.
func newApprovals(t testing.TB, d table.Driver) *approval.Approvals {
	t.Helper()
	tb, err := table.New(d, nil)
	require.NoError(t, err)
	approvals, err := approval.New(tb, nil)
	require.NoError(t, err)
	return approvals
}

// newLender returns a process on d whose model lends the given books at once, each of which needs an approval. lent
// receives the titles of those that were lent.
func newLender(t *testing.T, d table.Driver, books ...string) (p *process, lent *[]string) {
	t.Helper()
	approvals, lent := newApprovals(t, d), &[]string{}
	return newProcess(t, d, lending(t, approvals, lent, books...), &runner.Options{Approvals: approvals}), lent
}

// newMortalLenders returns two processes on a table whose model lends Emma, with an approval. The first one is killed or
// frozen at its n-th write.
func newMortalLenders(t *testing.T, writes int, pause time.Duration) (a, b *process, dying *doomed, lent *[]string) {
	t.Helper()
	d := table.NewMemory(nil)
	dying, lent = newDoomed(d, writes, pause), &[]string{}
	open := func(d table.Driver) *process {
		o := withLimits(t, d)
		o.Approvals = newApprovals(t, d)
		return newProcess(t, d, lending(t, o.Approvals, lent, "Emma"), o)
	}
	return open(dying), open(d), dying, lent
}

// lending returns a Host whose model lends the given books at once, each of which needs an approval.
func lending(t testing.TB, approvals *approval.Approvals, lent *[]string, books ...string) runner.Host {
	t.Helper()
	var mu sync.Mutex
	type args struct{ Title string }
	lend, err := tools.New("lend", "Lends a book.", func(_ context.Context, _ *tools.Call, in args) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		*lent = append(*lent, in.Title)
		return "lent " + in.Title, nil
	}, approvals.Require(nil))
	require.NoError(t, err)
	return hostOf(t, agenttest.Func(func(_ context.Context, r *agent.Request) ([]agent.Delta, error) {
		if parts := r.Messages[len(r.Messages)-1].Parts; parts[len(parts)-1].Result != nil {
			return say("Done."), nil
		}
		deltas := say("I lend. ")
		for _, b := range books {
			deltas = append(deltas, agenttest.Call("call-"+b, "lend", `{"Title":"`+b+`"}`))
		}
		return deltas, nil
	}), lend)
}

// requests returns the ids of the approvals that the events ask for.
func requests(t testing.TB, events []replay.Event) (ids []string) {
	t.Helper()
	for _, e := range events {
		var d struct {
			Approval string `json:"approval_id"`
		}
		require.NoError(t, json.Unmarshal(e.Data, &d))
		if e.Type() == "approval_requested" {
			ids = append(ids, d.Approval)
		}
	}
	return ids
}

func TestADecisionContinuesTheRunOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		approvals := newApprovals(t, d)
		var lent []string
		host := lending(t, approvals, &lent, "Emma")
		p := newProcess(t, d, host, &runner.Options{Approvals: approvals})
		session := newSession(t)
		run, err := p.Start(t.Context(), runner.Request{Scope: session, Agent: "chat", Prompt: "Lend it."})
		require.NoError(t, err)
		events := collect(t, p, session, run.ID)
		assert.JSONEq(t, `{"type":"finished","outcome":"pending"}`, last(events))
		ids := requests(t, events)
		require.Len(t, ids, 1)
		p.shutDown(t) // the decision is made in another process

		q := newProcess(t, d, host, &runner.Options{Approvals: approvals})
		defer q.shutDown(t)
		yes := approval.Decision{Approve: true, By: "Ada"}
		_, err = q.Decide(t.Context(), session, run.ID, "unknown", yes)
		require.ErrorIs(t, err, approval.ErrNotFound)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				next, err := q.Decide(t.Context(), session, run.ID, ids[0], yes)
				if assert.NoError(t, err) {
					assert.Equal(t, session.SessionID()+".2", next.ID)
					assert.Equal(t, run.ID, next.Continues)
				}
			})
		}
		wg.Wait()
		events = collect(t, q, session, session.SessionID()+".2")
		assert.Equal(t, []string{"run_started", "approval_decided", "tool_result", "step_finished", "step_started", "text_delta", "step_finished", "finished"}, types(events))
		assert.Equal(t, []string{"Emma"}, lent)
		next, err := q.Decide(t.Context(), session, run.ID, ids[0], yes)
		require.NoError(t, err, "again, when the run has ended")
		assert.Equal(t, session.SessionID()+".2", next.ID)
		_, err = q.Decide(t.Context(), session, run.ID, ids[0], approval.Decision{By: "Ada"})
		require.ErrorIs(t, err, approval.ErrDecided)
		_, err = q.Decide(t.Context(), session, session.SessionID()+".9", ids[0], yes)
		require.ErrorIs(t, err, sse.ErrNotFound)
		h, _, err := q.turns.Load(t.Context(), session)
		require.NoError(t, err)
		require.Len(t, h.Turns, 2)
		assert.Equal(t, "lent Emma", h.Turns[0].Messages[2].Parts[0].Result.Blocks[0].Text)
	})
}

func TestEachApprovalOfAnAnswerIsDecidedByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		p, lent := newLender(t, d, "Emma", "Persuasion")
		defer p.shutDown(t)
		session := newSession(t)
		run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Lend them."})
		require.NoError(t, err)
		ids := requests(t, collect(t, p, session, run.ID))
		require.Len(t, ids, 2)
		next, err := p.Decide(t.Context(), session, run.ID, ids[1], approval.Decision{Approve: true, By: "Ada"})
		require.NoError(t, err)
		events := collect(t, p, session, next.ID)
		assert.Contains(t, last(events), "pending", "the other call still waits")
		next, err = p.Decide(t.Context(), session, run.ID, ids[0], approval.Decision{By: "Ada", Reason: "It is lost."})
		require.NoError(t, err)
		assert.Equal(t, session.SessionID()+".3", next.ID)
		events = collect(t, p, session, next.ID)
		assert.Contains(t, last(events), "complete")
		assert.Len(t, *lent, 1)
	})
}

func TestANewMessageOvertakesAnApproval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		p, lent := newLender(t, d, "Emma")
		defer p.shutDown(t)
		session := newSession(t)
		run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Lend it."})
		require.NoError(t, err)
		ids := requests(t, collect(t, p, session, run.ID))
		other, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Never mind."})
		require.NoError(t, err)
		events := collect(t, p, session, other.ID)
		yes := approval.Decision{Approve: true, By: "Ada"}
		_, err = p.Decide(t.Context(), session, run.ID, ids[0], yes)
		require.ErrorIs(t, err, runner.ErrNotPending)
		next, err := p.Decide(t.Context(), session, other.ID, requests(t, events)[0], yes)
		require.NoError(t, err)
		_ = collect(t, p, session, next.ID)
		_, err = p.Start(t.Context(), runner.Request{Scope: session, Prompt: "And now?"})
		require.NoError(t, err)
		_, err = p.Decide(t.Context(), session, other.ID, requests(t, events)[0], yes)
		require.ErrorIs(t, err, runner.ErrNotPending, "the newest run does not continue it")
		assert.Equal(t, []string{"Emma"}, *lent)
	})
}

// An approval that a new message has overtaken cannot be decided as one of a later run, although that run was continued.
func TestAnOvertakenApprovalIsNotDecidedForALaterRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		approvals := newApprovals(t, d)
		var lent []string
		host := func(book string) runner.Host { return lending(t, approvals, &lent, book) }
		first := newProcess(t, d, host("Emma"), &runner.Options{Approvals: approvals})
		session := newSession(t)
		run, err := first.Start(t.Context(), runner.Request{Scope: session, Prompt: "Lend it."})
		require.NoError(t, err)
		overtaken := requests(t, collect(t, first, session, run.ID))[0]
		first.shutDown(t)
		p := newProcess(t, d, host("Persuasion"), &runner.Options{Approvals: approvals})
		defer p.shutDown(t)
		run, err = p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Another one."})
		require.NoError(t, err)
		ids := requests(t, collect(t, p, session, run.ID))

		yes := approval.Decision{Approve: true, By: "Ada"}
		check := func(when string) {
			_, err := p.Decide(t.Context(), session, run.ID, overtaken, yes)
			require.ErrorIs(t, err, runner.ErrNotPending, when)
			_, err = p.DecideAll(t.Context(), session, run.ID, "Ada", agent.Decision{Approval: ids[0], Approved: true},
				agent.Decision{Approval: overtaken, Approved: true})
			require.ErrorIs(t, err, runner.ErrNotPending, when)
			assert.Equal(t, approval.StatusPending, must.Get(approvals.Get(t.Context(), session, overtaken)).Status, when)
		}
		check("before the later run is continued")
		assert.Equal(t, approval.StatusPending, must.Get(approvals.Get(t.Context(), session, ids[0])).Status)
		next, err := p.Decide(t.Context(), session, run.ID, ids[0], yes)
		require.NoError(t, err)
		_ = collect(t, p, session, next.ID)
		check("afterwards")
		assert.Equal(t, []string{"Persuasion"}, lent)
	})
}

// A run that continues another one, and asks for the next approval, can be decided under the id of either.
func TestAnApprovalOfAContinuingRunIsDecidedUnderTheIDOfTheFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		approvals := newApprovals(t, d)
		type args struct{ Title string }
		lend := must.Get(tools.New("lend", "Lends a book.", func(_ context.Context, _ *tools.Call, in args) (string, error) {
			return "lent " + in.Title, nil
		}, approvals.Require(nil)))
		books := []string{"Emma", "Persuasion"}
		host := hostOf(t, agenttest.Func(func(_ context.Context, r *agent.Request) ([]agent.Delta, error) {
			if n := len(r.Messages) / 2; n < len(books) {
				return []agent.Delta{agenttest.Call("call-"+books[n], "lend", `{"Title":"`+books[n]+`"}`)}, nil
			}
			return say("Done."), nil
		}), lend)
		p := newProcess(t, d, host, &runner.Options{Approvals: approvals})
		defer p.shutDown(t)
		session := newSession(t)
		run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Lend them."})
		require.NoError(t, err)
		yes := approval.Decision{Approve: true, By: "Ada"}
		first := requests(t, collect(t, p, session, run.ID))[0]
		next, err := p.Decide(t.Context(), session, run.ID, first, yes)
		require.NoError(t, err)
		second := requests(t, collect(t, p, session, next.ID))[0]
		end, err := p.Decide(t.Context(), session, run.ID, second, yes)
		require.NoError(t, err)
		assert.Equal(t, next.ID, end.Continues)
		assert.Contains(t, last(collect(t, p, session, end.ID)), "complete")
		again, err := p.Decide(t.Context(), session, run.ID, first, yes)
		require.NoError(t, err)
		assert.Equal(t, end.ID, again.ID)
	})
}

// A decision does not wait for ever, and does not read the table all the time, while another call of the answer takes long.
func TestADecisionWaitsForALimitedTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &counting{Driver: table.NewMemory(nil)}
		approvals := newApprovals(t, d)
		type args struct{ Title string }
		free := make(chan struct{})
		fetch := must.Get(tools.New("fetch", "Fetches a book.", func(context.Context, *tools.Call, args) (string, error) {
			<-free
			return "fetched", nil
		}, tools.Timeout(time.Hour)))
		lend := must.Get(tools.New("lend", "Lends a book.", func(context.Context, *tools.Call, args) (string, error) {
			return "lent", nil
		}, approvals.Require(nil)))
		host := hostOf(t, agenttest.Func(func(_ context.Context, r *agent.Request) ([]agent.Delta, error) {
			if r.Messages[len(r.Messages)-1].Parts[0].Result != nil {
				return say("Done."), nil
			}
			return []agent.Delta{agenttest.Call("c1", "fetch", `{"Title":"Emma"}`), agenttest.Call("c2", "lend", `{"Title":"Emma"}`)}, nil
		}), fetch, lend)
		a := newProcess(t, d, host, &runner.Options{Approvals: approvals})
		b := newProcess(t, d, host, &runner.Options{Approvals: approvals})
		defer a.shutDown(t)
		defer b.shutDown(t)
		session := newSession(t)
		run, err := a.Start(t.Context(), runner.Request{Scope: session, Prompt: "Lend it."})
		require.NoError(t, err)
		var ids []string
		for e, err := range a.Events(t.Context(), session, run.ID, "") {
			require.NoError(t, err)
			if ids = requests(t, []replay.Event{e}); len(ids) > 0 {
				break
			}
		}
		for _, p := range []*process{a, b} {
			begin, queries := time.Now(), d.queries.Load()
			_, err = p.Decide(t.Context(), session, run.ID, ids[0], approval.Decision{Approve: true, By: "Ada"})
			running, ok := errors.AsType[*runner.RunningError](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, run.ID, running.Run)
			assert.LessOrEqual(t, time.Since(begin), 32*time.Second)
			assert.LessOrEqual(t, d.queries.Load()-queries, int64(40))
		}
		close(free)
		next, err := b.Decide(t.Context(), session, run.ID, ids[0], approval.Decision{Approve: true, By: "Ada"})
		require.NoError(t, err)
		assert.Contains(t, last(collect(t, b, session, next.ID)), "complete")
	})
}

// A process that dies after the event of the pending end does not hold up the decision until its lease expires.
func TestADecisionDoesNotWaitForTheLeaseOfADeadProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		approvals := newApprovals(t, d)
		var lent []string
		host := lending(t, approvals, &lent, "Emma")
		a := newProcess(t, &endless{Driver: d}, host, &runner.Options{Approvals: approvals, Lease: 10 * time.Minute})
		b := newProcess(t, d, host, &runner.Options{Approvals: approvals, Lease: 10 * time.Minute})
		defer b.shutDown(t)
		session := newSession(t)
		run, err := a.Start(t.Context(), runner.Request{Scope: session, Prompt: "Lend it."})
		require.NoError(t, err)
		events := collect(t, b, session, run.ID)
		require.Contains(t, last(events), "pending")
		ids := requests(t, events)
		require.Len(t, ids, 1)
		begin := time.Now()
		next, err := b.Decide(t.Context(), session, run.ID, ids[0], approval.Decision{Approve: true, By: "Ada"})
		require.NoError(t, err)
		assert.Less(t, time.Since(begin), 2*time.Second)
		assert.Contains(t, last(collect(t, b, session, next.ID)), "complete")
		assert.Equal(t, []string{"Emma"}, lent)
		a.shutDown(t)
	})
}

// counting counts the queries of a table.
type counting struct {
	table.Driver
	queries atomic.Int64
}

func (d *counting) Query(ctx context.Context, q table.DriverQuery) (table.DriverPage, error) {
	d.queries.Add(1)
	return d.Driver.Query(ctx, q)
}

// An approval that was given before or after a kill is honoured once, whenever the process is killed or paused.
func TestAnApprovalSurvivesAKillAtAnyWrite(t *testing.T) {
	t.Parallel()
	interruptAtEachWrite(t, 1, approveAcross)
}

// approveAcross lends a book with an approval. The first process is killed or frozen at its n-th write.
func approveAcross(t *testing.T, writes int, pause time.Duration) (made int) {
	t.Helper()
	a, b, dying, _ := newMortalLenders(t, writes, pause)
	begin := dying.left.Load()
	stop := b.watch(t)
	session := newSession(t)
	q := runner.Request{Scope: session, Prompt: "Lend it.", Key: "k"}
	run, err := a.Start(t.Context(), q)
	if err != nil {
		run, err = b.Start(t.Context(), q)
	}
	require.NoError(t, err)
	events := tell(t, collect(t, b, session, run.ID))
	assert.Contains(t, last(events), "pending")
	ids := requests(t, events)
	require.Len(t, ids, 1)
	yes := approval.Decision{Approve: true, By: "Ada"}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	next, err := a.Decide(ctx, session, run.ID, ids[0], yes)
	cancel()
	for err != nil { // as a client does
		next, err = b.Decide(t.Context(), session, run.ID, ids[0], yes)
	}
	assert.Equal(t, run.ID, next.Continues)
	events = tell(t, collect(t, b, session, next.ID))
	assert.Equal(t, []string{"run_started", "approval_decided", "tool_result", "step_finished", "step_started", "text_delta", "step_finished", "finished"}, types(events))
	<-time.After(2 * time.Minute)
	stop()
	a.shutDown(t)
	newest, err := b.Get(t.Context(), session, "")
	require.NoError(t, err)
	assert.Equal(t, next.ID, newest.ID, "the run was continued once")
	assert.Equal(t, runner.StatusComplete, newest.Status)
	h, _, err := b.turns.Load(t.Context(), session)
	require.NoError(t, err)
	require.Len(t, h.Turns, 2)
	assert.Equal(t, "lent Emma", h.Turns[0].Messages[2].Parts[0].Result.Blocks[0].Text)
	checkNothingReserved(t, b, session)
	return int(begin - dying.left.Load())
}
