package runner_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools"
)

func TestALargeResultIsFoundInTheHistory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		page := make([]byte, 40<<10)
		for i := range page {
			page[i] = 'a' + byte(i%26)
		}
		type args struct{ N int }
		read, err := tools.New("read", "Reads a page.", func(context.Context, *tools.Call, args) (string, error) { return string(page), nil })
		require.NoError(t, err)
		m := agenttest.Play(t, agenttest.Answer(agenttest.Call("c1", "read", `{"N":1}`)), agenttest.Answer(say("Read.")...))
		p := newProcess(t, table.NewMemory(nil), hostOf(t, m, read), nil)
		defer p.shutDown(t)
		session := newSession(t)
		run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Read it."})
		require.NoError(t, err)
		for _, e := range collect(t, p, session, run.ID) {
			if e.Type() == "tool_result" {
				assert.Contains(t, string(e.Data), `"truncated":true`)
				assert.Less(t, len(e.Data), 1000)
			}
		}
		res, err := p.ToolResult(t.Context(), session, run.ID, "c1")
		require.NoError(t, err)
		assert.Equal(t, string(page), res.Blocks[0].Text)
		_, err = p.ToolResult(t.Context(), session, run.ID, "c2")
		require.Equal(t, runner.ErrNotFound, err)
	})
}

// A pending run has results beside the calls that wait, which are not in the history yet.
func TestALargeResultOfAPendingRunIsFoundInItsCheckpoint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		approvals := newApprovals(t, d)
		page := strings.Repeat("page ", 10_000)
		type args struct{ Title string }
		answer := func(context.Context, *tools.Call, args) (string, error) { return page, nil }
		read := must.Get(tools.New("read", "Reads a book.", answer))
		lend := must.Get(tools.New("lend", "Lends a book.", answer, approvals.Require(nil)))
		m := agenttest.Func(func(_ context.Context, r *agent.Request) ([]agent.Delta, error) {
			if r.Messages[len(r.Messages)-1].Parts[0].Result != nil {
				return say("Done."), nil
			}
			return []agent.Delta{agenttest.Call("c1", "read", `{"Title":"Emma"}`), agenttest.Call("c2", "lend", `{"Title":"Emma"}`)}, nil
		})
		p := newProcess(t, d, hostOf(t, m, read, lend), &runner.Options{Approvals: approvals})
		defer p.shutDown(t)
		session := newSession(t)
		run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Lend it."})
		require.NoError(t, err)
		require.Equal(t, runner.StatusPending, endsWithin(t, p, session, run.ID, time.Minute))
		res, err := p.ToolResult(t.Context(), session, run.ID, "c1")
		require.NoError(t, err)
		assert.Equal(t, page, res.Blocks[0].Text)
		for _, call := range []string{"c2", "c3", ""} {
			_, err = p.ToolResult(t.Context(), session, run.ID, call)
			require.Equal(t, runner.ErrNotFound, err, call)
		}
	})
}

// A client that has received the last event learns the status of that event, though the run's item is written later.
func TestGetKnowsTheEndThatAClientHasSeen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		mem := table.NewMemory(nil)
		d := &hooked{Driver: mem, put: func(_ context.Context, _ table.Key, r table.Row, do func() error) error {
			if r.Attr["status"] == "complete" {
				time.Sleep(time.Second)
			}
			return do()
		}}
		host := hostOf(t, slowly(100*time.Millisecond, librarian(0)))
		p, other := newProcess(t, d, host, nil), newProcess(t, mem, host, nil)
		session := newSession(t)
		run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go."})
		require.NoError(t, err)
		for _, by := range []*process{p, other} {
			got, err := by.Get(t.Context(), session, run.ID)
			require.NoError(t, err)
			assert.Equal(t, runner.StatusRunning, got.Status)
		}
		require.Contains(t, last(collect(t, p, session, run.ID)), "complete")
		for _, by := range []*process{p, other} {
			got, err := by.Get(t.Context(), session, "")
			require.NoError(t, err)
			assert.Equal(t, runner.StatusComplete, got.Status)
		}
		p.shutDown(t)
		other.shutDown(t)
	})
}
