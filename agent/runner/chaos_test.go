package runner_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse/replay"
)

// flaky is a table that delays operations, fails some, and loses the answers of others.
type flaky struct {
	table.Driver
	mu  sync.Mutex
	rng *rand.Rand
}

var errFlaky = errors.New("the store does not answer")

// roll waits for a while and reports whether the operation fails before or after it is done.
func (f *flaky) roll() (before, after bool) {
	f.mu.Lock()
	pause, fate := f.rng.IntN(300), f.rng.IntN(10)
	if f.rng.IntN(40) == 0 {
		pause *= 40
	}
	f.mu.Unlock()
	<-time.After(time.Duration(pause) * time.Millisecond)
	return fate == 0, fate == 1
}

func (f *flaky) Get(ctx context.Context, k table.Key) (table.Row, error) {
	if before, after := f.roll(); before || after {
		return table.Row{}, errFlaky
	}
	return f.Driver.Get(ctx, k)
}

func (f *flaky) Query(ctx context.Context, q table.DriverQuery) (table.DriverPage, error) {
	if before, after := f.roll(); before || after {
		return table.DriverPage{}, errFlaky
	}
	return f.Driver.Query(ctx, q)
}

func (f *flaky) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	before, after := f.roll()
	if before {
		return errFlaky
	}
	if err := f.Driver.Put(ctx, k, r, c); err != nil || !after {
		return err
	}
	return errFlaky
}

// Two processes with a store that fails, delays and loses answers tell each run once.
func TestRunsSurviveAFlakyStore(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { surviveFlakyStore(t, seed) })
		})
	}
}

func surviveFlakyStore(t *testing.T, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	var effects shelf
	d := table.NewMemory(nil)
	host := hostOf(t, slowly(300*time.Millisecond, librarian(2)), effects.tool(t))
	a := newProcess(t, &flaky{Driver: d, rng: rng}, host, nil)
	b := newProcess(t, &flaky{Driver: d, rng: rand.New(rand.NewPCG(seed, 2))}, host, nil)
	clean := newProcess(t, d, host, nil)
	stopA, stopB := a.watch(t), b.watch(t)
	session := newSession(t)
	var run *runner.Run
	for _, p := range []*process{a, b, a, b, a, b, a, b, clean} { // as a client does
		var err error
		if run, err = p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Put two books.", Key: "k"}); err == nil {
			break
		}
	}
	require.NotNil(t, run)
	assert.Equal(t, session.SessionID()+".1", run.ID, "it was started once")
	var live []replay.Event
	after := ""
	for ended := false; !ended; {
		ended = true
		for e, err := range b.Events(t.Context(), session, run.ID, after) {
			if err != nil { // as a client does: it continues after its last event
				ended = false
				break
			}
			live, after = append(live, e), e.ID
		}
		ended = ended && len(live) > 0 && live[len(live)-1].Type() == "finished"
	}
	<-time.After(10 * time.Minute) // until a recovery has succeeded
	stopA()
	stopB()
	clean.shutDown(t)
	events := collect(t, clean, session, run.ID)
	assert.Equal(t, events, live, "a client that reconnects sees the log")
	checkTelling(t, tell(t, events))
	assert.Len(t, effects.effects, 2)
	checkHistory(t, clean, session)
	got, err := clean.Get(t.Context(), session, run.ID)
	require.NoError(t, err)
	assert.Equal(t, runner.StatusComplete, got.Status)
}
