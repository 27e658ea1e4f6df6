package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

// guard makes each call wait until it has been approved.
type guard struct {
	mu       sync.Mutex
	approved map[string]bool // by idempotency key
	asked    []string
}

func (g *guard) tool(t testing.TB, e *effects) *tools.Tool {
	inner := e.tool(t)
	return mustTool(t, "risky", func(ctx context.Context, c *tools.Call, _ string) (string, error) {
		g.mu.Lock()
		ok := g.approved[c.IdempotencyKey()]
		g.asked = append(g.asked, c.IdempotencyKey())
		g.mu.Unlock()
		if !ok {
			return "", &tools.PendingError{Reason: "Somebody has to agree.", Approval: "a-" + c.ID(), Expires: time.Unix(1, 0)}
		}
		res, err := inner.Call(ctx, c)
		return res.Summary, err
	})
}

func pendingIDs(c *Checkpoint) []string {
	var ids []string
	for _, u := range c.Pending() {
		ids = append(ids, u.ID)
	}
	return ids
}

// A call that waits ends the run once the others have ended. A resumed run makes it, and no other.
func TestPendingCallIsMadeOnceApproved(t *testing.T) {
	t.Parallel()
	e, g := &effects{done: map[string]string{}}, &guard{approved: map[string]bool{}}
	m := conversation(
		step{text("Let me."), use("a1", "do", `{"word":"a"}`), use("a2", "risky", `{"word":"b"}`), use("a3", "do", `{`), use("a4", "risky", `{"word":"c"}`), use("a5", "do", `{"word":"d"}`), UsageReport{Usage: Usage{Input: 7}}, calls},
		step{text("Done."), end},
	)
	sc := tenant(t, "acme")
	in := Input{Scope: sc, Run: "r", Prompt: "Go."}
	evs, failed := drain(t, newAgent(t, m, Limits{Parallel: 1}, e.tool(t), g.tool(t, e)), t.Context(), in)
	require.Nil(t, failed)
	done := evs[len(evs)-1].(Done)
	require.Equal(t, OutcomePending, done.Outcome)
	require.Empty(t, done.History.Turns, "the turn is not whole")
	require.Equal(t, 2, e.made)
	require.Equal(t, done.Checkpoint, evs[len(evs)-2].(Checkpointed).Checkpoint)
	require.Equal(t, []ToolUse{{"a2", "risky", json.RawMessage(`{"word":"b"}`)}, {"a4", "risky", json.RawMessage(`{"word":"c"}`)}}, done.Checkpoint.Pending())
	told := map[string]string{}
	for _, ev := range evs {
		switch ev := ev.(type) {
		case ToolPending:
			told[ev.ID] = ev.Name + ": " + ev.Reason
			require.Equal(t, "a-"+ev.ID, ev.Approval)
			require.Equal(t, time.Unix(1, 0), ev.Expires)
			require.Contains(t, string(ev.Input), "word")
		case ToolDone:
			told[ev.ID] = ev.Result.Summary
		}
	}
	require.Equal(t, map[string]string{"a1": "did a", "a5": "did d", "a2": "risky: Somebody has to agree.", "a4": "risky: Somebody has to agree."}, told)

	// The checkpoint is stored, read by another process, and one of the two calls is approved: the other still waits.
	elsewhere := func(c *Checkpoint) ([]Event, Done) {
		b, err := json.Marshal(c)
		require.NoError(t, err)
		c, err = decodeCheckpoint(b)
		require.NoError(t, err)
		evs, failed := drain(t, newAgent(t, m, Limits{}, e.tool(t), g.tool(t, e)), t.Context(), Input{Scope: sc, Run: "r", Resume: c})
		require.Nil(t, failed)
		return evs, evs[len(evs)-1].(Done)
	}
	g.approved[g.asked[1]] = true
	evs, done = elsewhere(done.Checkpoint)
	require.Equal(t, OutcomePending, done.Outcome)
	require.Equal(t, []ToolUse{{"a2", "risky", json.RawMessage(`{"word":"b"}`)}}, done.Checkpoint.Pending())
	require.Equal(t, 3, e.made)
	for _, ev := range evs {
		if c, ok := ev.(ToolCalled); ok {
			require.Equal(t, "risky", c.Name, "what has been run is not run again")
		}
	}
	g.approved[g.asked[0]] = true
	_, done = elsewhere(done.Checkpoint)
	require.Equal(t, OutcomeComplete, done.Outcome)
	require.Equal(t, 4, e.made)
	require.Equal(t, Usage{Input: 7}, done.Usage)
	require.Equal(t, []string{
		"user: Go.",
		`assistant: Let me. [a1 do {"word":"a"}] [a2 risky {"word":"b"}] [a4 risky {"word":"c"}] [a5 do {"word":"d"}]`,
		"user: {a1= did a} {a2= did b} {a4= did c} {a5= did d} Call 3 of your answer, of do, was not run: its arguments are not valid JSON: unexpected end at byte 1. Make the whole call again, with one JSON object as arguments. The arguments were: {",
		"assistant: Done.",
	}, lines(done.History))
	require.Len(t, e.done, 4)
}

// If the run ends for another reason, the turn is complete and says that the call was not made.
func TestPendingCallOfAStoppedRunGetsAResult(t *testing.T) {
	t.Parallel()
	wait := mustTool(t, "wait", func(context.Context, *tools.Call, string) (string, error) {
		return "", fmt.Errorf("approve: %w", &tools.PendingError{Reason: "?"})
	})
	s := step{use("c1", "wait", `{"word":"a"}`), use("c2", "echo", `{"word":"fatal"}`), calls}
	_, failed := drain(t, newAgent(t, play(s), Limits{Parallel: 1}, wait, echo(t)), t.Context(), Input{Scope: tenant(t, "acme"), Run: "r", Prompt: "Go."})
	require.Equal(t, Code("not_an_image"), failed.Code)
	require.Equal(t, []string{"c1", "c2"}, pendingIDs(failed.Done.Checkpoint), "neither has a result of its own")
	require.Equal(t, "user: {c1! Not run: it waited, and the run was stopped.} {c2! The file is no image.}", lines(failed.Done.History)[2])

	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		stop := mustTool(t, "stop", func(context.Context, *tools.Call, string) (string, error) { cancel(); return "", nil })
		a := newAgent(t, play(step{use("c1", "wait", `{"word":"a"}`), use("c2", "stop", `{"word":""}`), calls}), Limits{Parallel: 1}, wait, stop)
		done, err := a.Run(ctx, Input{Scope: tenant(t, "acme"), Run: "r", Prompt: "Go."})
		require.NoError(t, err)
		require.Equal(t, OutcomeCancelled, done.Outcome)
		require.True(t, strings.HasPrefix(lines(done.History)[2], "user: {c1! Not run: it waited"))
		require.Equal(t, []string{"c1"}, pendingIDs(done.Checkpoint))
	})

	// A run without an id could never be resumed.
	_, failed = drain(t, newAgent(t, play(step{use("c1", "wait", `{"word":"a"}`), calls}), Limits{}, wait), t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
	require.Equal(t, CodeInternal, failed.Code)
	require.ErrorContains(t, failed, "cannot wait")
	require.Equal(t, "user: {c1! Not run: it waits for something outside this conversation.}", lines(failed.Done.History)[2])
}
