package runner_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/internal/faultytable"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools/approval"
)

// costly is a model whose answers cost 30 tokens.
func costly() agent.Model {
	return agenttest.Func(func(context.Context, *agent.Request) ([]agent.Delta, error) {
		return append(say("Yes."), agent.UsageReport{Usage: agent.Usage{Input: 20, Output: 10}}), nil
	})
}

func TestARunIsChargedForItsTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		limit := func(d table.Driver) *admission.Admission {
			return newAdmission(t, d, &admission.Options{Tokens: 100})
		}
		limits := limit(d)
		dying := newDoomed(d, 1<<30, 0)
		a := newProcess(t, dying, hostOf(t, slowly(time.Second, costly())), &runner.Options{Admission: limit(dying), StepTokens: 50})
		b := newProcess(t, d, hostOf(t, costly()), &runner.Options{Admission: limits, StepTokens: 50})
		defer b.watch(t)()
		session := newSession(t)
		ask := func(p *process) string {
			run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Is it?"})
			require.NoError(t, err)
			if p == a {
				<-time.After(500 * time.Millisecond)
				dying.left.Store(0)
			}
			return last(collect(t, b, session, run.ID))
		}
		assert.Contains(t, ask(b), "complete", "30 of 100 are used")
		const usedUp = "The token budget is used up. Try again in 24 hours."
		assert.JSONEq(t, `{"type":"failed","code":"budget","message":"`+usedUp+`","retryable":true}`, ask(a),
			"50 for the answer that was lost, and 50 for the next one, do not fit")
		err := limits.Reserve(t.Context(), session, "rest", 21, time.Now().Add(time.Hour))
		full, ok := errors.AsType[*admission.FullError](err)
		require.True(t, ok, "80 of 100 are used: %v", err)
		assert.Equal(t, "tokens", full.Kind)
		require.NoError(t, limits.Reserve(t.Context(), session, "rest", 20, time.Now().Add(time.Hour)))
		a.shutDown(t)
	})
}

// The step of a continued run that is interrupted is charged at the estimate, like that of any other run.
func TestAContinuedRunIsChargedForALostAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		dying := newDoomed(d, 1<<30, 0)
		open := func(d table.Driver) *process {
			approvals := newApprovals(t, d)
			o := withLimits(t, d)
			o.Approvals = approvals
			var lent []string
			lend := lending(t, approvals, &lent, "Emma")
			stream := lend.Stream
			lend.Stream = func(ctx context.Context, r *runner.Run, in agent.Input) iter.Seq2[agent.Event, error] {
				return func(yield func(agent.Event, error) bool) {
					for ev, err := range stream(ctx, r, in) {
						if _, isText := ev.(agent.TextDelta); isText && r.Continues != "" {
							<-time.After(time.Minute)
						}
						if !yield(ev, err) {
							return
						}
					}
				}
			}
			return newProcess(t, d, lend, o)
		}
		a, b := open(dying), open(d)
		session := newSession(t)
		run, err := a.Start(t.Context(), runner.Request{Scope: session, Prompt: "Lend it."})
		require.NoError(t, err)
		ids := requests(t, collect(t, a, session, run.ID))
		run, err = a.Decide(t.Context(), session, run.ID, ids[0], approval.Decision{Approve: true, By: "Ada"})
		require.NoError(t, err)
		<-time.After(time.Second)
		dying.left.Store(0) // while the model answers
		require.NoError(t, b.Stop(t.Context(), session, run.ID))
		stop := b.watch(t)
		assert.JSONEq(t, `{"type":"finished","outcome":"stopped"}`, last(collect(t, b, session, run.ID)))
		<-time.After(2 * time.Minute)
		stop()
		a.shutDown(t)
		checkNothingReserved(t, b, session)
		v, err := b.table.System().Above(session, scope.TenantLevel)
		require.NoError(t, err)
		page, err := v.Query(t.Context(), table.Query{From: "budget#", To: "c", Consistent: true})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		assert.EqualValues(t, 200, page.Items[0].Item.Attr["used"], "the estimates of two answers, whose usage is not known")
	})
}

// A process that is paused before it reserves the tokens of a step, for so long that another one completes the run, does
// not leave them reserved.
func TestAPausedProcessDoesNotReserveTokensForARunThatHasEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		var isPaused atomic.Bool
		thawed := make(chan struct{})
		pausing := &faultytable.Driver{
			Driver: d,
			OnGet: func(ctx context.Context, d table.Driver, k table.Key) (table.Row, error) {
				if strings.HasPrefix(k.Sort(), "budget#") && isPaused.CompareAndSwap(false, true) {
					<-thawed
				}
				return d.Get(context.WithoutCancel(ctx), k)
			},
			OnPut: func(ctx context.Context, d table.Driver, k table.Key, r table.Row, c table.Cond) error {
				if isPaused.Load() {
					<-thawed
				}
				return d.Put(context.WithoutCancel(ctx), k, r, c)
			},
		}
		a, b := newProcess(t, pausing, hostOf(t, costly()), withLimits(t, pausing)), newProcess(t, d, hostOf(t, costly()), withLimits(t, d))
		stop := b.watch(t)
		session := newSession(t)
		run, err := a.Start(t.Context(), runner.Request{Scope: session, Prompt: "Is it?"})
		require.NoError(t, err)
		assert.Contains(t, last(collect(t, b, session, run.ID)), "complete")
		<-time.After(time.Minute)
		close(thawed)
		a.shutDown(t)
		<-time.After(2 * time.Minute)
		stop()
		checkNothingReserved(t, b, session)
	})
}

// A Compactor that always fails does not end the runs of a conversation. Its tokens are charged, and its error is logged.
func TestARunIsChargedForACompactionThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		limits := newAdmission(t, d, &admission.Options{Tokens: 200})
		a, err := agent.New(costly(), &agent.Options{
			Compact: func(context.Context, []agent.Turn, bool) ([]agent.Turn, agent.Usage, error) {
				return nil, agent.Usage{Input: 60, Output: 10}, errors.New("no summary")
			},
		})
		require.NoError(t, err)
		host := runner.Host{Agent: func(context.Context, *runner.Run) (*agent.Agent, error) { return a, nil }}
		var logged bytes.Buffer
		log := slog.New(slog.NewTextHandler(&logged, nil))
		p := newProcess(t, d, host, &runner.Options{Admission: limits, StepTokens: 50, Logger: log})
		session := newSession(t)
		for range 2 { // the first run does not have turns to shorten
			run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Is it?"})
			require.NoError(t, err)
			assert.Contains(t, last(collect(t, p, session, run.ID)), "complete")
		}
		until := time.Now().Add(time.Hour)
		require.Error(t, limits.Reserve(t.Context(), session, "rest", 71, until), "130 of 200 are used")
		require.NoError(t, limits.Reserve(t.Context(), session, "rest", 70, until))
		p.shutDown(t)
		assert.Equal(t, 1, strings.Count(logged.String(), "the Compactor of the agent failed"))
		assert.Contains(t, logged.String(), "no summary")
	})
}
