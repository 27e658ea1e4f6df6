package runner_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync"
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
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// hooked is a driver whose operations call functions.
type hooked struct {
	table.Driver
	put func(ctx context.Context, k table.Key, r table.Row, do func() error) error
}

func (h *hooked) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	do := func() error { return h.Driver.Put(ctx, k, r, c) }
	if h.put == nil {
		return do()
	}
	return h.put(ctx, k, r, do)
}

// endsWithin waits for a run's end in the table.
func endsWithin(t *testing.T, p *process, s scope.Scope, id string, d time.Duration) runner.Status {
	t.Helper()
	end := time.Now().Add(d)
	for {
		r, err := p.Get(t.Context(), s, id)
		if err == nil && r.Status.HasEnded() {
			return r.Status
		}
		if time.Now().After(end) {
			t.Errorf("the run has not ended after %v: %+v %v", d, r, err)
			return ""
		}
		<-time.After(100 * time.Millisecond)
	}
}

// watched lets the process recover runs until the returned function is called.
func watched(t *testing.T, p *process) func() {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { p.Watch(ctx, p.table.System()) })
	return func() { cancel(); wg.Wait() }
}

func TestARunMayBeTakenOverBeforeItsStartReturns(t *testing.T) {
	t.Parallel()
	for _, exclusive := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			d := &hooked{Driver: table.NewMemory(nil)}
			delay := time.Second
			if !exclusive {
				delay = 15 * time.Second
			}
			var once atomic.Bool
			d.put = func(_ context.Context, _ table.Key, r table.Row, do func() error) error {
				err := do()
				if !once.Swap(true) {
					time.Sleep(delay)
				}
				return err
			}
			p := newProcess(t, d, hostOf(t, slowly(time.Second, librarian(0))), &runner.Options{Exclusive: exclusive})
			defer watched(t, p)()
			s := newSession(t)
			go func() {
				time.Sleep(delay * 9 / 10)
				_ = p.Recover(t.Context(), p.table.System())
			}()
			run, err := p.Start(t.Context(), runner.Request{Scope: s, Prompt: "Put two books."})
			require.NoError(t, err)
			endsWithin(t, p, s, run.ID, time.Minute)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- p.Shutdown(ctx) }()
			select {
			case err := <-done:
				require.NoError(t, err, exclusive)
			case <-time.After(time.Minute):
				t.Fatalf("Shutdown hangs, exclusive %v", exclusive)
			}
		})
	}
}

func TestShutdownInterruptsARunThatIsStarting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &hooked{Driver: table.NewMemory(nil)}
		var once sync.Once
		d.put = func(_ context.Context, _ table.Key, _ table.Row, do func() error) error {
			once.Do(func() { time.Sleep(2 * time.Second) })
			return do()
		}
		p := newProcess(t, d, hostOf(t, agenttest.Play(t, agenttest.Stall(say("Once ")...))), nil)
		s := newSession(t)
		var wg sync.WaitGroup
		var id string
		wg.Go(func() {
			run, err := p.Start(t.Context(), runner.Request{Scope: s, Prompt: "Put two books."})
			if err == nil {
				id = run.ID
			}
		})
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- p.Shutdown(ctx) }()
		select {
		case <-done:
		case <-time.After(time.Minute):
			t.Error("Shutdown hangs")
			wg.Wait()
			_ = p.Stop(t.Context(), s, id)
			<-done
		}
		wg.Wait()
	})
}

func TestARunThatIsQueuedAgainTellsItsBeginningOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var effects shelf
		host := hostOf(t, slowly(200*time.Millisecond, librarian(2)), effects.tool(t))
		d := table.NewMemory(nil)
		dying := newDoomed(d, 1000, 0)
		opts := func(d table.Driver) *runner.Options {
			return &runner.Options{Admission: newAdmission(t, d, &admission.Options{UserRuns: 1, Lease: 2 * time.Second})}
		}
		a, b := newProcess(t, dying, host, opts(dying)), newProcess(t, d, host, opts(d))
		s := newSession(t)
		run, err := a.Start(t.Context(), runner.Request{Scope: s, Prompt: "Put two books."})
		require.NoError(t, err)
		for e, err := range b.Events(t.Context(), s, run.ID, "") {
			require.NoError(t, err)
			if e.Type() == "tool_result" {
				break
			}
		}
		time.Sleep(600 * time.Millisecond)
		dying.left.Store(0) // killed
		time.Sleep(4 * time.Second)
		tenant, err := scope.Tenant("acme")
		require.NoError(t, err)
		user, err := tenant.User("u1")
		require.NoError(t, err)
		other, err := user.NewSession()
		require.NoError(t, err)
		hold, err := opts(d).Admission.Enter(t.Context(), other, "other")
		require.NoError(t, err)
		require.False(t, hold.Queued())
		stop := watched(t, b)
		for range 20 {
			time.Sleep(time.Second)
			require.NoError(t, hold.Renew(t.Context()))
		}
		require.NoError(t, hold.Leave(t.Context()))
		endsWithin(t, b, s, run.ID, 2*time.Minute)
		events := collect(t, b, s, run.ID)
		checkTelling(t, tell(t, events))
		stop()
		b.shutDown(t)
		a.shutDown(t)
	})
}

func TestAStartDoesNotOvertakeARunThatEndsElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		mem := table.NewMemory(nil)
		d := &hooked{Driver: mem}
		var slowFinal, cut atomic.Bool
		d.put = func(ctx context.Context, k table.Key, r table.Row, do func() error) error {
			if strings.HasPrefix(k.Sort(), "log#") && !slowFinal.Swap(true) {
				return do()
			}
			if strings.HasPrefix(k.Sort(), "log#") && !cut.Swap(true) {
				time.Sleep(30 * time.Second) // the process is cut off
			}
			if strings.HasPrefix(k.Sort(), "run#") && slowFinal.Load() && !strings.HasSuffix(k.Sort(), "2") {
				return errors.New("cut off")
			}
			return do()
		}
		quick := runner.Host{Stream: func(ctx context.Context, _ *runner.Run, _ agent.Input) iter.Seq2[agent.Event, error] {
			return func(yield func(agent.Event, error) bool) { yield(agent.Done{Outcome: agent.OutcomeComplete}, nil) }
		}}
		stall := runner.Host{Stream: func(ctx context.Context, _ *runner.Run, _ agent.Input) iter.Seq2[agent.Event, error] {
			return func(yield func(agent.Event, error) bool) {
				<-ctx.Done()
				yield(agent.Done{Outcome: agent.OutcomeCancelled}, nil)
			}
		}}
		a, b := newProcess(t, d, quick, nil), newProcess(t, mem, stall, nil)
		s := newSession(t)
		run, err := a.Start(t.Context(), runner.Request{Scope: s, Prompt: "Put two books."})
		require.NoError(t, err)
		stop := watched(t, b)
		time.Sleep(time.Second)
		second, err := a.Start(t.Context(), runner.Request{Scope: s, Prompt: "y"})
		first, err2 := b.Get(t.Context(), s, run.ID)
		require.NoError(t, err2)
		if err == nil && !first.Status.HasEnded() {
			t.Errorf("run %s began while %s is %s", second.ID, first.ID, first.Status)
		}
		stop()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_ = b.Shutdown(ctx)
		_ = a.Shutdown(ctx)
	})
}

func TestAFullQueueDoesNotCountAsATakeover(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var effects shelf
		host := hostOf(t, slowly(200*time.Millisecond, librarian(2)), effects.tool(t))
		d := table.NewMemory(nil)
		dying := newDoomed(d, 1000, 0)
		opts := func(d table.Driver) *runner.Options {
			return &runner.Options{Admission: newAdmission(t, d, &admission.Options{UserRuns: 1, TenantRuns: 1, Queue: 1, Lease: 2 * time.Second})}
		}
		a, b := newProcess(t, dying, host, opts(dying)), newProcess(t, d, host, opts(d))
		s := newSession(t)
		run, err := a.Start(t.Context(), runner.Request{Scope: s, Prompt: "Put two books."})
		require.NoError(t, err)
		time.Sleep(600 * time.Millisecond)
		dying.left.Store(0) // killed
		time.Sleep(4 * time.Second)
		tenant, err := scope.Tenant("acme")
		require.NoError(t, err)
		user, err := tenant.User("u1")
		require.NoError(t, err)
		var holds []*admission.Ticket
		for range 2 {
			other, err := user.NewSession()
			require.NoError(t, err)
			hold, err := opts(d).Admission.Enter(t.Context(), other, "other")
			require.NoError(t, err)
			holds = append(holds, hold)
		}
		stop := watched(t, b)
		for range 150 {
			time.Sleep(time.Second)
			for _, h := range holds {
				require.NoError(t, h.Renew(t.Context()))
			}
		}
		for _, h := range holds {
			require.NoError(t, h.Leave(t.Context()))
		}
		assert.Equal(t, runner.StatusComplete, endsWithin(t, b, s, run.ID, 5*time.Minute))
		stop()
		b.shutDown(t)
		a.shutDown(t)
	})
}
