package runner_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/internal/transcript"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse/replay"
)

// doomed is the table of a process that is killed, or frozen for a while, at its n-th write. Nothing that it writes after
// it was killed reaches the store. The writes of a frozen process arrive when it thaws, whether their callers wait or not.
type doomed struct {
	table.Driver
	left   atomic.Int64  // writes until the end
	freeze time.Duration // 0 if the process is killed
	once   sync.Once
	thawed chan struct{}
}

var errKilled = errors.New("the process is dead")

func newDoomed(d table.Driver, writes int, freeze time.Duration) *doomed {
	m := &doomed{Driver: d, freeze: freeze, thawed: make(chan struct{})}
	m.left.Store(int64(writes))
	return m
}

// wait returns the context for an operation.
func (m *doomed) wait(ctx context.Context, write int64) (context.Context, error) {
	switch {
	case m.left.Add(-write) > 0:
		return ctx, nil
	case m.freeze == 0:
		return ctx, errKilled
	}
	m.once.Do(func() { time.AfterFunc(m.freeze, func() { close(m.thawed) }) })
	<-m.thawed
	return context.WithoutCancel(ctx), nil
}

func (m *doomed) Get(ctx context.Context, k table.Key) (table.Row, error) {
	ctx, err := m.wait(ctx, 0)
	if err != nil {
		return table.Row{}, err
	}
	return m.Driver.Get(ctx, k)
}

func (m *doomed) Query(ctx context.Context, q table.DriverQuery) (table.DriverPage, error) {
	ctx, err := m.wait(ctx, 0)
	if err != nil {
		return table.DriverPage{}, err
	}
	return m.Driver.Query(ctx, q)
}

func (m *doomed) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	ctx, err := m.wait(ctx, 1)
	if err != nil {
		return err
	}
	return m.Driver.Put(ctx, k, r, c)
}

func (m *doomed) Delete(ctx context.Context, k table.Key, c table.Cond) error {
	ctx, err := m.wait(ctx, 1)
	if err != nil {
		return err
	}
	return m.Driver.Delete(ctx, k, c)
}

// doom runs an agent with two calls in a process that is killed or frozen at its n-th write, and lets another process
// recover it. It returns how many writes the first process made.
func doom(t *testing.T, writes int, freeze time.Duration) (made int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var effects shelf
		host := hostOf(t, slowly(200*time.Millisecond, librarian(2)), effects.tool(t))
		d := table.NewMemory(nil)
		dying := newDoomed(d, writes, freeze)
		begin := dying.left.Load()
		a, b := newProcess(t, dying, host, withLimits(t, dying)), newProcess(t, d, host, withLimits(t, d))
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { b.Watch(ctx, b.table.System()) })
		session := newSession(t)
		q := runner.Request{Scope: session, Prompt: "Put two books.", Key: "k"}
		run, err := a.Start(t.Context(), q)
		if err != nil {
			run, err = b.Start(t.Context(), q) // as a client does
		}
		require.NoError(t, err)

		var live []replay.Event // of a client that follows from the beginning
		for e, err := range b.Events(t.Context(), session, run.ID, "") {
			require.NoError(t, err)
			live = append(live, e)
		}
		for _, p := range []*process{a, b} { // as a process that still works
			require.NoError(t, p.Wait(t.Context(), session, run.ID))
		}
		<-time.After(2 * time.Minute) // the leases of dead processes expire
		cancel()
		wg.Wait()
		b.shutDown(t)
		a.shutDown(t)
		made = int(begin - dying.left.Load())

		events := collect(t, b, session, run.ID)
		assert.Equal(t, events, live, "a client sees the log")
		t.Log(writes, made, types(events))
		checkTelling(t, tell(t, events))
		assert.Len(t, effects.effects, 2, "every effect happened once")
		checkHistory(t, b, session)
		got, err := b.Get(t.Context(), session, run.ID)
		require.NoError(t, err)
		assert.Equal(t, runner.StatusComplete, got.Status)
		checkNothingReserved(t, b, session)
	})
	return made
}

// withLimits returns options with an Admission that has a budget.
func withLimits(t *testing.T, d table.Driver) *runner.Options {
	t.Helper()
	return &runner.Options{Admission: newAdmission(t, d, &admission.Options{Tokens: 1 << 40}), StepTokens: 100}
}

// newAdmission returns the admission of a table.
func newAdmission(t *testing.T, d table.Driver, o *admission.Options) *admission.Admission {
	t.Helper()
	a, err := admission.New(must.Get(table.New(d, nil)).System(), o)
	require.NoError(t, err)
	return a
}

// checkNothingReserved checks that no run has a place, and no step has tokens.
func checkNothingReserved(t *testing.T, p *process, session scope.Scope) {
	t.Helper()
	for _, level := range []scope.Level{scope.UserLevel, scope.TenantLevel} {
		v, err := p.table.System().Above(session, level)
		require.NoError(t, err)
		page, err := v.Query(t.Context(), table.Query{From: "slot#", To: "x", Consistent: true})
		require.NoError(t, err)
		assert.Empty(t, page.Items, "no place remains taken")
		page, err = v.Query(t.Context(), table.Query{From: "budget#", To: "c", Consistent: true})
		require.NoError(t, err)
		for _, f := range page.Items {
			assert.Empty(t, f.Item.Attr["reserved"], "no tokens remain reserved")
		}
	}
}

// checkTelling checks that the events of a librarian tell of two calls and the answer once.
func checkTelling(t *testing.T, told []replay.Event) {
	t.Helper()
	got, err := transcript.FromLog(told)
	require.NoError(t, err)
	assert.Equal(t, "I put book 0. I put book 1. All is done.", got.Text)
	assert.Len(t, got.Calls, 2)
	starts := 0
	for _, kind := range got.Types {
		if kind == "run_started" || kind == "user_message" {
			starts++
		}
	}
	assert.Equal(t, 2, starts)
	assert.JSONEq(t, `{"type":"finished","outcome":"complete"}`, got.Last)
}

// checkHistory checks that the history of a librarian has two calls with their results, and the answer.
func checkHistory(t *testing.T, p *process, session scope.Scope) {
	t.Helper()
	h, head, err := p.turns.Load(t.Context(), session)
	require.NoError(t, err)
	assert.Equal(t, 3, head.Turns)
	var parts []string
	for _, turn := range h.Turns {
		for _, m := range turn.Messages {
			for _, part := range m.Parts {
				switch {
				case part.Use != nil:
					parts = append(parts, "call "+string(part.Use.Input))
				case part.Result != nil:
					parts = append(parts, fmt.Sprintf("result %v %s", part.Result.IsError, part.Result.Blocks[0].Text))
				default:
					parts = append(parts, string(m.Role)+" "+part.Text)
				}
			}
		}
	}
	assert.Equal(t, []string{
		"user Put two books.",
		"assistant I put book 0. ", `call {"Title":"b0"}`, "result false put b0",
		"assistant I put book 1. ", `call {"Title":"b1"}`, "result false put b1",
		"assistant All is done.",
	}, parts)
}

// A kill between any two writes of a run is repaired by another process, and so is a pause in which the run was taken
// over, after which the process continues.
func TestAKillOrAPauseAtAnyWriteIsRepaired(t *testing.T) {
	t.Parallel()
	n := doom(t, 1<<30, 0)
	require.Greater(t, n, 15)
	pauses := []time.Duration{0} // a kill
	for d := 10 * time.Second; d < 16*time.Second; d += 700 * time.Millisecond {
		pauses = append(pauses, d)
	}
	pauses = append(pauses, time.Minute)
	for k := 1; k <= n; k++ {
		for _, pause := range pauses {
			t.Run(fmt.Sprint(k, " ", pause), func(t *testing.T) {
				t.Parallel()
				doom(t, k, pause)
			})
		}
	}
}
