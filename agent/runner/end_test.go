package runner_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
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
	"github.com/carrel-go/carrel/tracking"
)

// A store in which the end cannot be recorded for longer than a lease does not make a complete run fail, as long as its
// process has the run.
func TestTheEndOfARunIsRecordedAfterAWhile(t *testing.T) {
	t.Parallel()
	for outage, want := range map[time.Duration]string{
		20 * time.Second: `{"type":"finished","outcome":"complete"}`,
		time.Hour:        `{"type":"failed","code":"internal","message":"The run failed.","retryable":false}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			host := hostOf(t, agenttest.Func(func(context.Context, *agent.Request) ([]agent.Delta, error) {
				return say("Hi."), nil
			}))
			began := time.Now()
			host.End = func(context.Context, *runner.Run, runner.Result) error {
				if time.Since(began) < outage {
					return errors.New("the store does not answer")
				}
				return nil
			}
			p := newProcess(t, table.NewMemory(nil), host, &runner.Options{Lease: 2 * time.Second})
			session := newSession(t)
			run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Hello?"})
			require.NoError(t, err)
			assert.JSONEq(t, want, last(collect(t, p, session, run.ID)))
			assert.Less(t, time.Since(began), time.Minute)
			p.shutDown(t)
		})
	}
}

// A result that could not be recorded, because another worker has the stage, does not look complete to the clients.
func TestARunWhoseStageIsTakenAtItsEndEndsAsStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		host := hostOf(t, agenttest.Func(func(context.Context, *agent.Request) ([]agent.Delta, error) {
			return say("Hi."), nil
		}))
		ends := 0
		host.End = func(_ context.Context, _ *runner.Run, res runner.Result) error {
			ends++
			assert.Equal(t, runner.StatusComplete, res.Status)
			return fmt.Errorf("record: %w", tracking.ErrFenced)
		}
		p := newProcess(t, table.NewMemory(nil), host, nil)
		defer p.shutDown(t)
		session := newSession(t)
		run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Hello?"})
		require.NoError(t, err)
		assert.JSONEq(t, `{"type":"finished","outcome":"stopped"}`, last(collect(t, p, session, run.ID)))
		require.NoError(t, p.Wait(t.Context(), session, run.ID))
		assert.Equal(t, runner.StatusStopped, must.Get(p.Get(t.Context(), session, run.ID)).Status)
		assert.Equal(t, 1, ends)
	})
}

// A deadline that the host sets for its agent does not look like the user's stop.
func TestARunWhoseHostCancelsItsAgentFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		host := hostOf(t, slowly(time.Minute, librarian(0)))
		stream := host.Stream
		if stream == nil {
			choose := host.Agent
			host.Agent = nil
			stream = func(ctx context.Context, r *runner.Run, in agent.Input) iter.Seq2[agent.Event, error] {
				return must.Get(choose(ctx, r)).Stream(ctx, in)
			}
		}
		host.Stream = func(ctx context.Context, r *runner.Run, in agent.Input) iter.Seq2[agent.Event, error] {
			return func(yield func(agent.Event, error) bool) {
				ctx, cancel := context.WithTimeout(ctx, time.Second)
				defer cancel()
				stream(ctx, r, in)(yield)
			}
		}
		p := newProcess(t, table.NewMemory(nil), host, nil)
		defer p.shutDown(t)
		session := newSession(t)
		run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Hello?"})
		require.NoError(t, err)
		assert.Contains(t, last(collect(t, p, session, run.ID)), `"code":"internal"`)
	})
}

// unrecorded is a table that fails from the write on that ends a run in HEAD.
type unrecorded struct{ *doomed }

func (u unrecorded) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	if strings.HasPrefix(r.Sort, "run#") && r.Attr["status"] == string(runner.StatusComplete) {
		u.left.Store(0)
	}
	return u.doomed.Put(ctx, k, r, c)
}

// A client has seen the end of a run whose process died before HEAD said so, and sends its next message while another
// process is about to record that end.
func TestARunWhoseLogHasEndedIsNotInTheWayOfTheNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		dying := unrecorded{newDoomed(d, 1<<20, 0)}
		a := newProcess(t, dying, hostOf(t, librarian(0)), nil)
		b := newProcess(t, d, hostOf(t, librarian(0)), &runner.Options{Exclusive: true})
		session := newSession(t)
		run, err := a.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go."})
		require.NoError(t, err)
		require.Contains(t, last(collect(t, b, session, run.ID)), "complete")
		synctest.Wait()
		require.LessOrEqual(t, dying.left.Load(), int64(0), "the end is not recorded")
		a.shutDown(t)

		time.AfterFunc(time.Second, func() { assert.NoError(t, b.Recover(context.Background(), b.table.System())) })
		next, err := b.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go on."})
		require.NoError(t, err)
		require.Equal(t, session.SessionID()+".2", next.ID)
		require.Contains(t, last(collect(t, b, session, next.ID)), "complete")
		time.Sleep(time.Minute)
		b.shutDown(t)
	})
}

// A refusal is a text like any other, so the host and the readers of the log learn why the model stopped, also from a
// process that takes the run over at its end.
func TestTheEndOfARefusalHasItsReason(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		dying := newDoomed(d, 1<<20, 0)
		var reasons []agent.StopReason
		host := hostOf(t, agenttest.Func(func(context.Context, *agent.Request) ([]agent.Delta, error) {
			return append(say("I cannot help with that."), agent.StopPart{Reason: "refusal"}), nil
		}))
		host.End = func(_ context.Context, _ *runner.Run, res runner.Result) error {
			reasons = append(reasons, res.StopReason)
			dying.left.Store(0)
			return nil
		}
		a := newProcess(t, dying, host, nil)
		b := newProcess(t, d, host, nil)
		defer b.watch(t)()
		session := newSession(t)
		run, err := a.Start(t.Context(), runner.Request{Scope: session, Prompt: "Help me."})
		require.NoError(t, err)
		const want = `{"type":"finished","outcome":"complete","stop_reason":"refusal"}`
		assert.JSONEq(t, want, last(collect(t, b, session, run.ID)))
		assert.Equal(t, []agent.StopReason{"refusal", "refusal"}, reasons)
		a.shutDown(t)
	})
}
