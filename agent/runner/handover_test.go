package runner_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/internal/faultytable"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/table"
)

// A process that hands its runs over continues to start others, and may continue the same ones later.
func TestHandedOverRunsContinueInAnyProcess(t *testing.T) {
	t.Parallel()
	pauses := map[string]time.Duration{"at a checkpoint": time.Second, "interrupted": time.Minute} // of the model
	for name, pause := range pauses {
		for _, self := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					d := table.NewMemory(nil)
					var effects shelf
					tool := effects.tool(t)
					a := newProcess(t, d, hostOf(t, slowly(pause, librarian(2)), tool), nil)
					b := newProcess(t, d, hostOf(t, librarian(2), tool), nil)
					defer a.shutDown(t)
					defer b.shutDown(t)
					session := newSession(t)
					run, err := a.Start(t.Context(), runner.Request{Scope: session, Prompt: "Put two books."})
					require.NoError(t, err)
					<-time.After(pause * 5 / 2)
					limited, cancel := context.WithTimeout(t.Context(), 20*time.Second)
					defer cancel()
					require.NoError(t, a.HandOver(limited))
					next := b
					if self {
						next = a
					}
					other, err := a.Start(t.Context(), runner.Request{Scope: newSession(t), Prompt: "Put one more."})
					require.NoError(t, err)
					require.NoError(t, next.Recover(t.Context(), next.table.System()), "its lease was given back")
					events := collect(t, next, session, run.ID)
					checkTelling(t, tell(t, events))
					if name == "at a checkpoint" {
						assert.Equal(t, textOf(t, tell(t, events)), textOf(t, events), "nothing was told twice")
					}
					require.NoError(t, a.WaitAll(t.Context()))
					require.NoError(t, b.WaitAll(t.Context()))
					got, err := a.Get(t.Context(), other.Scope, other.ID)
					require.NoError(t, err)
					assert.Equal(t, runner.StatusComplete, got.Status)
				})
			})
		}
	}
}

func TestWaitAllEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProcess(t, table.NewMemory(nil), hostOf(t, slowly(time.Hour, librarian(1))), nil)
		require.NoError(t, p.WaitAll(t.Context()), "without a run")
		_, err := p.Start(t.Context(), runner.Request{Scope: newSession(t), Prompt: "Put a book."})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, p.WaitAll(ctx), context.DeadlineExceeded)
		require.NoError(t, p.HandOver(ctx))
		require.NoError(t, p.WaitAll(t.Context()))
		p.shutDown(t)
	})
}

// A run whose place in the queue cannot be looked up for the time of a lease is left to another process, and the log
// says why. It does not wait in silence, and does not fail.
func TestAQueuedRunWhoseTableFailsIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var fails atomic.Bool
		d := table.NewMemory(nil)
		places := &faultytable.Driver{Driver: table.NewMemory(nil), OnQuery: func(
			ctx context.Context, d table.Driver, q table.DriverQuery,
		) (table.DriverPage, error) {
			if fails.Load() {
				return table.DriverPage{}, errors.New("no such table")
			}
			return d.Query(ctx, q)
		}}
		limits := must.Get(admission.New(must.Get(table.New(places, nil)).System(), &admission.Options{UserRuns: 1}))
		var logged bytes.Buffer
		log := slog.New(slog.NewTextHandler(&logged, nil))
		p := newProcess(t, d, hostOf(t, slowly(time.Second, librarian(0))),
			&runner.Options{Admission: limits, Exclusive: true, Logger: log})
		session := newSession(t)
		ticket := must.Get(limits.Enter(t.Context(), newSession(t), "other"))
		run := must.Get(p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Wait."}))
		fails.Store(true)
		<-time.After(2 * time.Minute)
		require.NoError(t, p.Wait(t.Context(), session, run.ID), "it has left the process")
		assert.Contains(t, logged.String(), "no such table")
		fails.Store(false)
		require.NoError(t, ticket.Leave(t.Context()))
		defer p.watch(t)()
		assert.Contains(t, last(collect(t, p, session, run.ID)), "complete")
		p.shutDown(t)
	})
}
