package runner_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// slowLog takes a second to store the first segment of a log, or refuses to do so, or panics.
type slowLog struct {
	table.Driver
	refuses atomic.Bool
	panics  bool
}

func (s *slowLog) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	if strings.HasPrefix(k.Sort(), "log#") && strings.HasSuffix(k.Sort(), "#000000000001") {
		time.Sleep(time.Second)
		switch isRefused := s.refuses.Load(); {
		case isRefused && s.panics:
			panic("refused")
		case isRefused:
			return errors.New("refused")
		}
	}
	return s.Driver.Put(ctx, k, r, c)
}

func TestARunClaimsItsStageWhileItsLogIsOpened(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]bool{"and goes on": false, "and breaks": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var asked time.Time
				host := hostOf(t, agenttest.NewScript(agenttest.Answer(agenttest.Say("Hello."))))
				host.Stage = func(context.Context, *runner.Run) (*tracking.Attempt, error) {
					if fails {
						panic("no")
					}
					time.Sleep(time.Second)
					return nil, nil
				}
				stream := host.Stream
				host.Stream = func(ctx context.Context, r *runner.Run, in agent.Input) iter.Seq2[agent.Event, error] {
					asked = time.Now()
					return stream(ctx, r, in)
				}
				p := newProcess(t, &slowLog{Driver: table.NewMemory(nil)}, host, nil)
				session, start := newSession(t), time.Now()
				run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go."})
				require.NoError(t, err)
				got := types(collect(t, p, session, run.ID))
				require.Equal(t, []string{"run_started", "user_message"}, got[:2])
				if fails {
					require.Equal(t, []string{"failed"}, got[2:])
				} else {
					assert.Equal(t, "finished", got[len(got)-1])
					assert.Equal(t, time.Second, asked.Sub(start), "the stage does not wait for the log")
				}
				p.shutDown(t)
			})
		})
	}
}

// A process that cannot open the log leaves the run, and the next one begins it.
func TestARunWhoseLogCannotBeOpenedIsLeftToAnotherProcess(t *testing.T) {
	t.Parallel()
	for name, panics := range map[string]bool{"the table refuses": false, "the table panics": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			leaveUnopened(t, panics)
		})
	}
}

func leaveUnopened(t *testing.T, panics bool) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := &slowLog{Driver: table.NewMemory(nil), panics: panics}
		d.refuses.Store(true)
		model := agenttest.NewScript(agenttest.Answer(agenttest.Say("Hello.")))
		asked := 0
		host := hostOf(t, model)
		stream := host.Stream
		host.Stream = func(ctx context.Context, r *runner.Run, in agent.Input) iter.Seq2[agent.Event, error] {
			asked++
			return stream(ctx, r, in)
		}
		session := newSession(t)
		p := newProcess(t, d, host, nil)
		run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go."})
		require.NoError(t, err)
		require.NoError(t, p.Wait(t.Context(), session, run.ID))
		require.Zero(t, asked, "the agent needs the log")

		d.refuses.Store(false)
		time.Sleep(time.Minute)
		next := newProcess(t, d, host, nil)
		require.NoError(t, next.Recover(t.Context(), next.table.System()))
		require.NoError(t, next.Wait(t.Context(), session, run.ID))
		got := types(collect(t, next, session, run.ID))
		assert.Equal(t, []string{"retract", "run_started", "user_message"}, got[:3])
		assert.Equal(t, "finished", got[len(got)-1])
		assert.Equal(t, 1, asked)
		p.shutDown(t)
		next.shutDown(t)
	})
}
