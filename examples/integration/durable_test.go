package integration_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/agent/history"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/examples/integration/backend"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/dynamo"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tracking"
)

// runnerProcess is a process with a Runner on a table.
type runnerProcess struct {
	*runner.Runner
	transport *faultyTransport
	table     *table.Table
	turns     *history.Store
}

func newRunnerProcess(t *testing.T, name string, host runner.Host, f *faultyTransport) *runnerProcess {
	t.Helper()
	tb := f.openTable(t, name, false)
	logs, err := replay.New(tb, &replay.Options{Commit: 50 * time.Millisecond, Poll: 150 * time.Millisecond, Merge: runner.MergeDeltas})
	require.NoError(t, err)
	turns, err := history.New(tb, nil)
	require.NoError(t, err)
	places, err := admission.New(tb.System(), &admission.Options{Lease: 3 * time.Second})
	require.NoError(t, err)
	r, err := runner.New(tb, logs, turns, host, &runner.Options{Lease: 2 * time.Second, Admission: places})
	require.NoError(t, err)
	return &runnerProcess{r, f, tb, turns}
}

// bookShelf is a tool with an effect outside the processes, which heeds idempotency keys.
type bookShelf struct {
	mu     sync.Mutex
	titles map[string]string // by key
}

func (s *bookShelf) newTool(t *testing.T) *tools.Tool {
	t.Helper()
	s.titles = make(map[string]string)
	type args struct{ Title string }
	tool, err := tools.New("put_book", "Puts a book on the shelf.", func(_ context.Context, c *tools.Call, in args) (string, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.titles[c.IdempotencyKey()] = in.Title
		return "put " + in.Title, nil
	})
	require.NoError(t, err)
	return tool
}

// putTwoBooks answers like a model that makes two calls, one after another. Like that of a real model, no call has the id
// of an earlier one, also if the model is asked again.
func putTwoBooks(asked *atomic.Int64, r *agent.Request) []agent.Delta {
	results := 0
	for _, m := range r.Messages {
		for _, p := range m.Parts {
			if p.Result != nil {
				results++
			}
		}
	}
	if results == 2 {
		return []agent.Delta{agenttest.Say("All "), agenttest.Say("is "), agenttest.Say("done.")}
	}
	id, title := fmt.Sprintf("call-%d", asked.Add(1)), fmt.Sprintf(`{"Title":"b%d"}`, results)
	return []agent.Delta{
		agenttest.Say("I "), agenttest.Say("put "), agenttest.Say(fmt.Sprintf("book %d. ", results)), agenttest.Call(id, "put_book", title),
	}
}

// pacedModel yields the n-th delta of an answer after n times the pace.
type pacedModel struct {
	agent.Model
	pace time.Duration
}

func (m pacedModel) Stream(ctx context.Context, r *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		due := time.Now()
		for d, err := range m.Model.Stream(ctx, r) {
			due = due.Add(m.pace)
			select {
			case <-time.After(time.Until(due)):
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

func newHost(t *testing.T, m agent.Model, tool ...*tools.Tool) runner.Host {
	t.Helper()
	a, err := agent.New(m, &agent.Options{Tools: tools.Of(tool...)})
	require.NoError(t, err)
	return runner.Host{Stream: func(ctx context.Context, _ *runner.Run, in agent.Input) iter.Seq2[agent.Event, error] {
		return a.Stream(ctx, in)
	}}
}

// followRun reads a run to its end as a client that loses its connection after a random number of events, at an error and
// when its process is killed. It then connects to the process that choose returns.
func followRun(ctx context.Context, session scope.Scope, run string, rnd *rand.Rand, choose func() *runnerProcess) (seen []replay.Event) {
	after := ""
	for ctx.Err() == nil {
		p, left := choose(), 1+rnd.IntN(8)
		connection, disconnect := context.WithCancel(ctx)
		stop := context.AfterFunc(p.transport.killed, disconnect)
		for e, err := range p.Events(connection, session, run, after) {
			if err != nil {
				break
			}
			seen, after = append(seen, e), e.ID
			if left--; left == 0 || e.Type() == "finished" || e.Type() == "failed" {
				break
			}
		}
		stop()
		disconnect()
		if n := len(seen); n > 0 && (seen[n-1].Type() == "finished" || seen[n-1].Type() == "failed") {
			return seen
		}
		time.Sleep(time.Duration(rnd.IntN(100)) * time.Millisecond)
	}
	return seen
}

// killRun runs an agent in a process that is killed at its request number killAt, and that another process recovers. It
// returns the number of requests of the first process. One of loss requests of the second process fails.
func killRun(t *testing.T, seed uint64, killAt, loss int) int {
	t.Helper()
	name, remove, err := servers.NewTable(t.Context(), &dynamo.TableOptions{Listed: tracking.Listed()})
	require.NoError(t, err)
	defer func() { require.NoError(t, remove(context.WithoutCancel(t.Context()))) }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var shelf bookShelf
	var asked atomic.Int64
	model := agenttest.Func(func(_ context.Context, r *agent.Request) ([]agent.Delta, error) { return putTwoBooks(&asked, r), nil })
	host := newHost(t, pacedModel{model, 20 * time.Millisecond}, shelf.newTool(t))
	var processes [3]*runnerProcess
	for i := range processes {
		processes[i] = newRunnerProcess(t, name, host, newFaultyTransport(3*seed+uint64(i)))
	}
	first, second, third := processes[0], processes[1], processes[2]
	first.transport.killAt, second.transport.loss = killAt, loss
	watching, stopWatching := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() { second.Watch(watching, second.table.System()) })

	session, err := userOf(t, "acme", "u1").NewSession()
	require.NoError(t, err)
	request := runner.Request{Scope: session, Prompt: "Put two books.", Key: "k"}
	run, err := first.Start(ctx, request)
	for err != nil && ctx.Err() == nil { // as a client does
		run, err = second.Start(ctx, request)
	}
	require.NoError(t, err)

	var seen [3][]replay.Event
	for i, choose := range []func(*rand.Rand) *runnerProcess{
		func(*rand.Rand) *runnerProcess {
			if first.transport.killed.Err() == nil {
				return first
			}
			return second
		},
		func(*rand.Rand) *runnerProcess { return second },
		func(rnd *rand.Rand) *runnerProcess { return processes[1+rnd.IntN(2)] },
	} {
		rnd := rand.New(rand.NewPCG(seed, uint64(i)))
		group.Go(func() {
			seen[i] = followRun(ctx, session, run.ID, rnd, func() *runnerProcess { return choose(rnd) })
		})
	}
	require.Eventually(t, func() bool {
		got, err := third.Get(ctx, session, run.ID)
		return err == nil && got.Status.HasEnded()
	}, 50*time.Second, 100*time.Millisecond)
	stopWatching()
	group.Wait()
	require.NoError(t, first.Wait(ctx, session, run.ID))
	require.NoError(t, second.Wait(ctx, session, run.ID))

	var log []replay.Event
	for e, err := range third.Events(ctx, session, run.ID, "") {
		require.NoError(t, err)
		log = append(log, e)
	}
	for i := range seen {
		assert.Equal(t, printEvents(log), printEvents(seen[i]), "reader %d", i)
	}
	told, err := replay.Retract(log)
	require.NoError(t, err)
	checkTelling(t, told)
	checkTurns(t, third, session)
	var titles []string
	for _, title := range shelf.titles {
		titles = append(titles, title)
	}
	assert.ElementsMatch(t, []string{"b0", "b1"}, titles, "every effect happened once")
	requireNoPlaces(t, third, session)
	return first.transport.requests
}

// checkTelling checks that the events tell of two calls and the answer once.
func checkTelling(t *testing.T, told []replay.Event) {
	t.Helper()
	var text strings.Builder
	calls, results, count := map[string]int{}, map[string]int{}, map[string]int{}
	for _, e := range told {
		var d struct{ ID, Delta string }
		require.NoError(t, json.Unmarshal(e.Data, &d))
		switch count[e.Type()]++; e.Type() {
		case "text_delta":
			text.WriteString(d.Delta)
		case "tool_call":
			calls[d.ID]++
		case "tool_result":
			results[d.ID]++
		}
	}
	assert.Equal(t, "I put book 0. I put book 1. All is done.", text.String())
	assert.Len(t, calls, 2)
	assert.Equal(t, calls, results, "every call has a result")
	for _, once := range []string{"run_started", "user_message", "finished"} {
		assert.Equal(t, 1, count[once], once)
	}
	assert.Equal(t, 2, count["tool_call"])
	assert.JSONEq(t, `{"type":"finished","outcome":"complete"}`, string(told[len(told)-1].Data))
}

// checkTurns checks that the history has two calls with their results, and the answer.
func checkTurns(t *testing.T, p *runnerProcess, session scope.Scope) {
	t.Helper()
	h, _, err := p.turns.Load(t.Context(), session)
	require.NoError(t, err)
	var parts []string
	for _, turn := range h.Turns {
		for _, m := range turn.Messages {
			for _, part := range m.Parts {
				switch {
				case part.Use != nil:
					parts = append(parts, "call "+string(part.Use.Input))
				case part.Result != nil:
					parts = append(parts, "result "+part.Result.Blocks[0].Text)
				default:
					parts = append(parts, string(m.Role)+" "+part.Text)
				}
			}
		}
	}
	assert.Equal(t, []string{
		"user Put two books.",
		"assistant I put book 0. ", `call {"Title":"b0"}`, "result put b0",
		"assistant I put book 1. ", `call {"Title":"b1"}`, "result put b1",
		"assistant All is done.",
	}, parts)
}

// requireNoPlaces waits until no run has a place. Those of a killed process expire.
func requireNoPlaces(t *testing.T, p *runnerProcess, session scope.Scope) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		for _, level := range []scope.Level{scope.UserLevel, scope.TenantLevel} {
			v, err := p.table.System().Above(session, level)
			require.NoError(c, err)
			page, err := v.Query(t.Context(), table.Query{From: "slot#", To: "x", Consistent: true})
			require.NoError(c, err)
			assert.Empty(c, page.Items)
		}
	}, 10*time.Second, 200*time.Millisecond)
}

// A run whose process is killed at a random request is completed by another process. Clients of both processes and of a
// third one see exactly its log. In every other round the second process loses requests and responses, unless the server
// is moto, which answers too slowly for leases of 2 s under such losses.
func TestRunSurvivesItsProcess(t *testing.T) {
	t.Parallel()
	needDynamoDB(t)
	requests := killRun(t, 0, 0, 0)
	require.Greater(t, requests, 20)
	kills := 10
	if testing.Short() {
		kills = 2
	}
	for i := range kills {
		seed := rand.Uint64N(1 << 32)
		killAt := 1 + int(seed%uint64(requests))
		t.Run(fmt.Sprintf("killed at request %d of %d", killAt, requests), func(t *testing.T) {
			t.Parallel()
			t.Log("seed", seed)
			loss := 20 * (i % 2)
			if servers.Kind == backend.Moto {
				loss = 0
			}
			killRun(t, seed, killAt, loss)
		})
	}
}
