package runner_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/agent/history"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tools"
)

// process is a process with a Runner on a table.
type process struct {
	*runner.Runner
	table *table.Table
	turns *history.Store
}

func newProcess(t testing.TB, d table.Driver, host runner.Host, o *runner.Options) *process {
	t.Helper()
	tb, err := table.New(d, nil)
	require.NoError(t, err)
	turns, err := history.New(tb, nil)
	require.NoError(t, err)
	r, err := runner.New(tb, host, o)
	require.NoError(t, err)
	return &process{r, tb, turns}
}

func (p *process) shutDown(t testing.TB) {
	t.Helper()
	require.NoError(t, p.Shutdown(context.Background()))
}

func newSession(t testing.TB) scope.Scope {
	t.Helper()
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	user, err := tenant.User("u1")
	require.NoError(t, err)
	session, err := user.NewSession()
	require.NoError(t, err)
	return session
}

// hostOf returns a Host whose runs ask the model.
func hostOf(t testing.TB, m agent.Model, tool ...*tools.Tool) runner.Host {
	t.Helper()
	a, err := agent.New(m, &agent.Options{Tools: tools.Of(tool...)})
	require.NoError(t, err)
	return runner.Host{Stream: func(ctx context.Context, _ *runner.Run, in agent.Input) iter.Seq2[agent.Event, error] {
		return a.Stream(ctx, in)
	}}
}

// collect reads a run to its end.
func collect(t testing.TB, r *process, session scope.Scope, run string) (events []replay.Event) {
	t.Helper()
	for e, err := range r.Events(t.Context(), session, run, "") {
		require.NoError(t, err)
		events = append(events, e)
	}
	return events
}

// types returns the types of the events, with equal neighbours once.
func types(events []replay.Event) (names []string) {
	for _, e := range events {
		names = append(names, e.Type())
	}
	return slices.Compact(names)
}

// tell returns the events without those that were retracted.
func tell(t testing.TB, events []replay.Event) []replay.Event {
	t.Helper()
	kept, err := replay.Retract(slices.Clone(events))
	require.NoError(t, err)
	return kept
}

// textOf returns the text of the model in the events.
func textOf(t testing.TB, events []replay.Event) string {
	t.Helper()
	var b strings.Builder
	for _, e := range events {
		if e.Type() != "text_delta" {
			continue
		}
		var d struct{ Delta string }
		require.NoError(t, json.Unmarshal(e.Data, &d))
		b.WriteString(d.Delta)
	}
	return b.String()
}

func last(events []replay.Event) string { return string(events[len(events)-1].Data) }

func say(words ...string) (deltas []agent.Delta) {
	for _, w := range words {
		deltas = append(deltas, agenttest.Say(w))
	}
	return deltas
}

// slowly returns a model that waits before each delta.
func slowly(pause time.Duration, m agent.Model) agent.Model { return slow{m, pause} }

type slow struct {
	agent.Model
	pause time.Duration
}

func (m slow) Stream(ctx context.Context, r *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		for d, err := range m.Model.Stream(ctx, r) {
			select {
			case <-time.After(m.pause):
			case <-ctx.Done():
				yield(nil, ctx.Err())
				return
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

// shelf is a tool with an effect outside the process, which heeds idempotency keys.
type shelf struct {
	mu      sync.Mutex
	effects map[string]int // by key
	calls   int
}

func (s *shelf) tool(t testing.TB) *tools.Tool {
	t.Helper()
	s.effects = make(map[string]int)
	type args struct{ Title string }
	tool, err := tools.New("put_book", "Puts a book on the shelf.", func(_ context.Context, c *tools.Call, in args) (string, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.calls++
		if s.effects[c.IdempotencyKey()] == 0 {
			s.effects[c.IdempotencyKey()]++
		}
		return "put " + in.Title, nil
	})
	require.NoError(t, err)
	return tool
}

// librarian is a model that makes n calls, one after another, and then answers.
func librarian(n int) agent.Model {
	return agenttest.Func(func(_ context.Context, r *agent.Request) ([]agent.Delta, error) {
		results := 0
		for i := len(r.Messages) - 1; i >= 0; i-- {
			m := r.Messages[i]
			if m.Role == agent.RoleUser && m.Parts[len(m.Parts)-1].Result == nil {
				break
			}
			for _, p := range m.Parts {
				if p.Result != nil {
					results++
				}
			}
		}
		if results < n {
			call := agenttest.Call(fmt.Sprintf("c%d-%d", len(r.Messages), results), "put_book", fmt.Sprintf(`{"Title":"b%d"}`, results))
			return append(say("I put ", fmt.Sprintf("book %d. ", results)), call), nil
		}
		return say("All ", "is ", "done."), nil
	})
}

func TestARunGoesOnWhenItsRequestHasEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProcess(t, table.NewMemory(nil), hostOf(t, slowly(time.Second, librarian(0))), nil)
		defer p.shutDown(t)
		session := newSession(t)
		ctx, cancel := context.WithCancel(t.Context())
		run, err := p.Start(ctx, runner.Request{Scope: session, Agent: "chat", Prompt: "Go."})
		require.NoError(t, err)
		cancel()
		assert.Equal(t, session.SessionID()+".1", run.ID)
		assert.Equal(t, runner.StatusRunning, run.Status)
		events := collect(t, p, session, run.ID)
		assert.Equal(t, []string{"run_started", "user_message", "step_started", "text_delta", "step_finished", "finished"}, types(events))
		assert.Equal(t, "All is done.", textOf(t, events))
		assert.JSONEq(t, `{"type":"finished","outcome":"complete"}`, last(events))
		require.NoError(t, p.Wait(t.Context(), session, run.ID))
		got, err := p.Get(t.Context(), session, "")
		require.NoError(t, err)
		assert.Equal(t, runner.StatusComplete, got.Status)
	})
}

func TestRunsOfASessionShareItsHistory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := agenttest.Play(t,
			agenttest.Answer(say("Moby Dick.")...),
			agenttest.Answer(say("By Melville.")...).Expect(func(r *agent.Request) error {
				if len(r.Messages) != 3 || r.Messages[1].Parts[0].Text != "Moby Dick." {
					return errors.New("the first run is missing")
				}
				return nil
			}))
		p := newProcess(t, table.NewMemory(nil), hostOf(t, m), nil)
		defer p.shutDown(t)
		session := newSession(t)
		for i, prompt := range []string{"Which book?", "By whom?"} {
			run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: prompt})
			require.NoError(t, err, "a run that has told its last event is not in the way of the next")
			assert.Equal(t, fmt.Sprintf("%s.%d", session.SessionID(), i+1), run.ID)
			assert.Contains(t, last(collect(t, p, session, run.ID)), "complete")
		}
		h, head, err := p.turns.Load(t.Context(), session)
		require.NoError(t, err)
		assert.Equal(t, 2, head.Turns)
		assert.Len(t, h.Turns, 2)
	})
}

func TestOneOfConcurrentStartsWins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		host := hostOf(t, slowly(time.Second, librarian(0)))
		session := newSession(t)
		var mu sync.Mutex
		started, running := 0, 0
		var wg sync.WaitGroup
		for range 4 {
			p := newProcess(t, d, host, nil)
			defer p.shutDown(t)
			wg.Go(func() {
				_, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go."})
				mu.Lock()
				defer mu.Unlock()
				if conflict, ok := errors.AsType[*runner.RunningError](err); ok {
					running++
					assert.Equal(t, session.SessionID()+".1", conflict.Run)
					return
				}
				if assert.NoError(t, err) {
					started++
				}
			})
		}
		wg.Wait()
		assert.Equal(t, 1, started)
		assert.Equal(t, 3, running)
	})
}

func TestAnIdempotencyKeyReturnsTheSameRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProcess(t, table.NewMemory(nil), hostOf(t, librarian(0)), nil)
		defer p.shutDown(t)
		session := newSession(t)
		q := runner.Request{Scope: session, Prompt: "Go.", Key: "k1"}
		first, err := p.Start(t.Context(), q)
		require.NoError(t, err)
		again, err := p.Start(t.Context(), q)
		require.NoError(t, err, "while it runs")
		assert.Equal(t, first.ID, again.ID)
		require.NoError(t, p.Wait(t.Context(), session, first.ID))
		again, err = p.Start(t.Context(), q)
		require.NoError(t, err, "when it has ended")
		assert.Equal(t, first.ID, again.ID)
		q.Prompt = "Something else."
		_, err = p.Start(t.Context(), q)
		require.ErrorIs(t, err, runner.ErrKeyReused)
		q.Key = "k2"
		other, err := p.Start(t.Context(), q)
		require.NoError(t, err)
		assert.NotEqual(t, first.ID, other.ID)
	})
}

func TestAnyProcessStopsARun(t *testing.T) {
	t.Parallel()
	for name, remote := range map[string]bool{"own": false, "another": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := table.NewMemory(nil)
				host := hostOf(t, agenttest.Play(t, agenttest.Stall(say("Once ", "upon ")...)))
				p := newProcess(t, d, host, nil)
				defer p.shutDown(t)
				by := p
				if remote {
					by = newProcess(t, d, host, nil)
					defer by.shutDown(t)
				}
				session := newSession(t)
				run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Tell me."})
				require.NoError(t, err)
				<-time.After(time.Second)
				begin := time.Now()
				require.NoError(t, by.Stop(t.Context(), session, run.ID))
				events := collect(t, p, session, run.ID)
				assert.JSONEq(t, `{"type":"finished","outcome":"stopped"}`, last(events))
				assert.Equal(t, "Once upon ", textOf(t, events))
				assert.LessOrEqual(t, time.Since(begin), 3*time.Second)
				require.NoError(t, p.Wait(t.Context(), session, run.ID))
				require.NoError(t, by.Stop(t.Context(), session, run.ID), "again")
			})
		})
	}
}

func TestAnotherTenantsRunDoesNotExist(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProcess(t, table.NewMemory(nil), hostOf(t, librarian(0)), nil)
		defer p.shutDown(t)
		session := newSession(t)
		run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go."})
		require.NoError(t, err)
		require.NoError(t, p.Wait(t.Context(), session, run.ID))
		globex, err := scope.Tenant("globex")
		require.NoError(t, err)
		stranger, err := globex.User("u1")
		require.NoError(t, err)
		for _, id := range []string{run.ID, session.SessionID() + ".2", session.SessionID() + ".01", "x.1", ""} {
			_, err := p.Get(t.Context(), stranger, id)
			if id == "" {
				require.ErrorIs(t, err, scope.ErrDenied)
				continue
			}
			require.Equal(t, runner.ErrNotFound, err, id)
			require.Equal(t, runner.ErrNotFound, p.Stop(t.Context(), stranger, id), id)
			for _, err := range p.Events(t.Context(), stranger, id, "") {
				require.Equal(t, runner.ErrNotFound, err, id)
			}
		}
		got, err := p.Get(t.Context(), session, run.ID)
		require.NoError(t, err)
		assert.Equal(t, run.ID, got.ID)
	})
}

func TestAFailureIsToldToBrowsersWithoutItsCause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		host := hostOf(t, agenttest.Play(t, agenttest.Fail(
			&agent.ModelError{Code: agent.CodeThrottled, Message: "Too busy.", Retryable: true, Err: errors.New("secret")}, say("Once ")...)))
		var ends []runner.Result
		host.End = func(_ context.Context, _ *runner.Run, res runner.Result) error {
			if ends = append(ends, res); len(ends) < 3 {
				return errors.New("not now")
			}
			return nil
		}
		p := newProcess(t, table.NewMemory(nil), host, nil)
		defer p.shutDown(t)
		session := newSession(t)
		run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go."})
		require.NoError(t, err)
		events := collect(t, p, session, run.ID)
		assert.JSONEq(t, `{"type":"failed","code":"throttled","message":"Too busy.","retryable":true}`, last(events))
		require.Len(t, ends, 3, "an error is retried")
		assert.Equal(t, runner.StatusFailed, ends[2].Status)
		require.ErrorContains(t, ends[2].Err, "secret")
	})
}
