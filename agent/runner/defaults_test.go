package runner_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/approval"
)

func TestNewRejectsAHostWithoutOneAgent(t *testing.T) {
	t.Parallel()
	tb := must.Get(table.New(table.NewMemory(nil), nil))
	none := runner.Host{Agent: func(context.Context, *runner.Run) (*agent.Agent, error) { return nil, nil }}
	both := runner.Host{Agent: none.Agent, Stream: hostOf(t, librarian(0)).Stream}
	for _, host := range []runner.Host{{}, both} {
		_, err := runner.New(tb, host, nil)
		require.ErrorIs(t, err, runner.ErrInvalid)
	}
	p := newProcess(t, table.NewMemory(nil), none, nil)
	session := newSession(t)
	run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go."})
	require.NoError(t, err)
	assert.Equal(t, runner.StatusFailed, endsWithin(t, p, session, run.ID, time.Minute))
	p.shutDown(t)
}

// A run that continues another one after a decision knows the media of its conversation's last message.
func TestADecidedRunHasTheMediaOfTheOneBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := table.NewMemory(nil)
		bucket := must.Get(object.New(object.NewMemory(), "raw", nil))
		var lent []string
		host := lending(t, newApprovals(t, d), &lent, "Emma")
		p := newProcess(t, d, host, &runner.Options{Objects: bucket}) // with its own Approvals on the same table
		defer p.shutDown(t)
		session := newSession(t)
		root := must.Get(bucket.In(session))
		ref, _, err := root.Put(t.Context(), must.Get(root.Ref("cover.png")), strings.NewReader("x"), &object.PutOptions{Size: 1})
		require.NoError(t, err)
		run, err := p.Start(t.Context(), runner.Request{
			Scope: session, Agent: "chat", Prompt: "Lend it.", Media: []tools.Media{{Format: "png", Object: ref}},
		})
		require.NoError(t, err)
		ids := requests(t, collect(t, p, session, run.ID))
		require.Len(t, ids, 1)
		next, err := p.Decide(t.Context(), session, run.ID, ids[0], approval.Decision{Approve: true, By: "Ada"})
		require.NoError(t, err)
		assert.Equal(t, "chat", next.Agent)
		assert.Empty(t, next.Prompt)
		require.Len(t, next.Media, 1)
		assert.Equal(t, "cover.png", next.Media[0].Object.Name())
		require.Contains(t, last(collect(t, p, session, next.ID)), "complete")
		assert.Equal(t, []string{"Emma"}, lent)
	})
}

func TestSourceServesARun(t *testing.T) {
	t.Parallel()
	p := newProcess(t, table.NewMemory(nil), hostOf(t, librarian(0)), nil)
	defer p.shutDown(t)
	session := newSession(t)
	run, err := p.Start(t.Context(), runner.Request{Scope: session, Prompt: "Go."})
	require.NoError(t, err)
	for id, want := range map[string]int{run.ID: http.StatusOK, session.SessionID() + ".2": http.StatusNotFound} {
		rec := httptest.NewRecorder()
		sse.Serve(rec, httptest.NewRequest(http.MethodGet, "/", nil), p.Source(session, id, replay.Plain()), nil)
		assert.Equal(t, want, rec.Code)
		if want == http.StatusOK {
			assert.Contains(t, rec.Body.String(), `{"type":"finished","outcome":"complete"}`)
		}
	}
}
