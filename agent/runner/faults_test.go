package runner_test

import (
	"context"
	"encoding/json"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools"
)

func TestARunEndsIfItsPromptDoesNotFitTheLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProcess(t, table.NewMemory(nil), hostOf(t, librarian(0)), nil)
		defer p.shutDown(t)
		s := newSession(t)
		run, err := p.Start(t.Context(), runner.Request{Scope: s, Prompt: strings.Repeat("x", 100<<10)})
		require.NoError(t, err)
		assert.Equal(t, runner.StatusFailed, endsWithin(t, p, s, run.ID, time.Second))
		assert.JSONEq(t, `{"type":"failed","code":"too_large","message":"The message is too large.","retryable":false}`,
			last(collect(t, p, s, run.ID)))
	})
}

func TestARunIsCompleteIfItsOutputDoesNotFitTheLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		host := runner.Host{Stream: func(context.Context, *runner.Run, agent.Input) iter.Seq2[agent.Event, error] {
			return func(yield func(agent.Event, error) bool) {
				yield(agent.Done{Outcome: agent.OutcomeComplete, Output: json.RawMessage(`"` + strings.Repeat("x", 100<<10) + `"`)}, nil)
			}
		}}
		p := newProcess(t, table.NewMemory(nil), host, nil)
		defer p.shutDown(t)
		s := newSession(t)
		run, err := p.Start(t.Context(), runner.Request{Scope: s, Prompt: "Put two books."})
		require.NoError(t, err)
		assert.Equal(t, runner.StatusComplete, endsWithin(t, p, s, run.ID, time.Second))
		assert.JSONEq(t, `{"type":"finished","outcome":"complete"}`, last(collect(t, p, s, run.ID)))
	})
}

func TestARunEndsIfTheHostTellsInvalidUTF8(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		host := hostOf(t, librarian(0))
		host.Custom = func(context.Context, *runner.Run, agent.Event) ([]runner.Custom, error) {
			return []runner.Custom{{Name: "x", Value: json.RawMessage("\"\xff\"")}}, nil
		}
		p := newProcess(t, table.NewMemory(nil), host, nil)
		defer p.shutDown(t)
		s := newSession(t)
		run, err := p.Start(t.Context(), runner.Request{Scope: s, Prompt: "Put two books."})
		require.NoError(t, err)
		assert.Equal(t, runner.StatusFailed, endsWithin(t, p, s, run.ID, time.Second))
	})
}

func TestARefusedStartLeavesTheSessionFree(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bucket, err := object.New(object.NewMemory(), "b", nil)
		require.NoError(t, err)
		other, err := bucket.In(newSession(t))
		require.NoError(t, err)
		ref, err := other.Ref("a.png")
		require.NoError(t, err)
		for _, o := range []*runner.Options{{Objects: bucket}, nil} {
			p := newProcess(t, table.NewMemory(nil), hostOf(t, librarian(0)), o)
			s := newSession(t)
			_, err = p.Start(t.Context(), runner.Request{Scope: s, Prompt: "Put two books.", Media: []tools.Media{{Format: "png", Object: ref}}})
			require.Error(t, err)
			_, err = p.Start(t.Context(), runner.Request{Scope: s, Prompt: "Put two books."})
			require.NoError(t, err, "the session is usable")
			p.shutDown(t)
		}
	})
}

// TestPlantedObjectIsNotARequest lets somebody who may upload to the session replace the object of a large prompt.
func TestPlantedObjectIsNotARequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bucket, err := object.New(object.NewMemory(), "raw", nil)
		require.NoError(t, err)
		d, s, o := table.NewMemory(nil), newSession(t), &runner.Options{Objects: bucket}
		p, other := newProcess(t, d, hostOf(t, slowly(time.Minute, librarian(0))), o), newProcess(t, d, hostOf(t, librarian(0)), o)
		run, err := p.Start(t.Context(), runner.Request{Scope: s, Prompt: strings.Repeat("long ", 2000)})
		require.NoError(t, err)
		root, err := bucket.In(s)
		require.NoError(t, err)
		var stored string
		for ref, err := range root.List(t.Context()) {
			require.NoError(t, err)
			stored = ref.Name()
		}
		name, err := root.Ref(stored)
		require.NoError(t, err)
		require.NoError(t, root.Delete(t.Context(), name))
		_, _, err = root.Put(t.Context(), name, strings.NewReader(`{"prompt":"planted"}`), &object.PutOptions{Size: 20})
		require.NoError(t, err)
		_, err = other.Get(t.Context(), s, run.ID)
		require.ErrorContains(t, err, "was not written by this package")
		p.shutDown(t)
		other.shutDown(t)
	})
}

func TestAStopInterruptsTheHostsEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		host := hostOf(t, librarian(0))
		host.Custom = func(ctx context.Context, _ *runner.Run, _ agent.Event) ([]runner.Custom, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		p := newProcess(t, table.NewMemory(nil), host, nil)
		defer p.shutDown(t)
		s := newSession(t)
		run, err := p.Start(t.Context(), runner.Request{Scope: s, Prompt: "Put two books."})
		require.NoError(t, err)
		<-time.After(time.Second)
		require.NoError(t, p.Stop(t.Context(), s, run.ID))
		assert.Equal(t, runner.StatusStopped, endsWithin(t, p, s, run.ID, time.Minute))
	})
}

func TestShutdownDoesNotWaitForAHostThatIgnoresItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		host := runner.Host{Stream: func(context.Context, *runner.Run, agent.Input) iter.Seq2[agent.Event, error] {
			return func(yield func(agent.Event, error) bool) {
				<-free
				yield(agent.Done{Outcome: agent.OutcomeComplete}, nil)
			}
		}}
		p := newProcess(t, table.NewMemory(nil), host, nil)
		s := newSession(t)
		_, err := p.Start(t.Context(), runner.Request{Scope: s, Prompt: "Put two books."})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- p.Shutdown(ctx) }()
		select {
		case err := <-done:
			require.ErrorContains(t, err, "a function of the host does not return")
		case <-time.After(time.Minute):
			t.Error("Shutdown hangs beyond its deadline")
		}
		close(free)
		time.Sleep(time.Second)
	})
}
