package runner_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// metered counts the write units that DynamoDB would charge: one for each begun kilobyte of an item, and as many for each
// index in which it appears or from which it disappears.
type metered struct {
	table.Driver
	mu    sync.Mutex
	units map[string]int // by the beginning of the sort key
	puts  int
}

func (m *metered) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	old, _ := m.Get(ctx, k)
	err := m.Driver.Put(ctx, k, r, c)
	raw, _ := json.Marshal(r.Attr)
	size := len(raw) + len(r.Partition) + len(r.Sort) + 64
	units := (size + 1023) / 1024
	for i, x := range r.Index {
		switch {
		case x[0] != "" && x != old.Index[i] && old.Index[i][0] != "":
			units += 2 * ((size + 1023) / 1024)
		case x != old.Index[i]:
			units += (size + 1023) / 1024
		}
	}
	kind, _, _ := strings.Cut(r.Sort, "#")
	m.mu.Lock()
	defer m.mu.Unlock()
	m.units[kind] += units
	m.puts++
	return err
}

// An answer of 1,000 tokens at 80 tokens a second costs at most 70 write units without heartbeats.
func TestAnAnswerCostsFewWriteUnits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &metered{Driver: table.NewMemory(nil), units: map[string]int{}}
		tokens := rand.New(rand.NewPCG(1, 2))
		model := agenttest.Func(func(context.Context, *agent.Request) (deltas []agent.Delta, _ error) {
			for range 1000 {
				deltas = append(deltas, agenttest.Say(fmt.Sprintf(" %03x", tokens.IntN(4096))))
			}
			return deltas, nil
		})
		p := newProcess(t, m, hostOf(t, slowly(time.Second/80, model)), &runner.Options{Exclusive: true}) // no heartbeats
		defer p.shutDown(t)
		session := newSession(t)
		begin := time.Now()
		run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Tell me a long story."})
		require.NoError(t, err)
		assert.Len(t, textOf(t, collect(t, p, session, run.ID)), 4000)
		require.NoError(t, p.Wait(t.Context(), session, run.ID))
		total := 0
		for _, n := range m.units {
			total += n
		}
		t.Log(total, m.units, time.Since(begin))
		assert.LessOrEqual(t, total, 70)
	})
}

// Many runs at once complete, their readers receive all events, and none of their goroutines is left.
func TestManyRunsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const runs = 600
		p := newProcess(t, table.NewMemory(nil), hostOf(t, slowly(time.Second/4, librarian(0))), nil)
		var wg sync.WaitGroup
		var sessions []scope.Scope
		for range runs {
			session := newSession(t)
			sessions = append(sessions, session)
			run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go."})
			require.NoError(t, err)
			wg.Go(func() {
				n := 0
				for _, err := range p.Events(t.Context(), session, run.ID, "") {
					if err == nil {
						n++
					}
				}
				assert.GreaterOrEqual(t, n, 6)
			})
		}
		wg.Wait()
		p.shutDown(t)
		for _, session := range sessions {
			run, err := p.Get(t.Context(), session, "")
			require.NoError(t, err)
			assert.Equal(t, runner.StatusComplete, run.Status)
		}
	})
}
