package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

// ledger records the effects of tools by idempotency key, and how often their calls have returned a result.
type ledger struct {
	mu       sync.Mutex
	effects  map[string]string
	returned map[string]int
	approved map[string]bool
	asked    []string
	began    int
	fatal    func(n int, after bool) bool // whether the nth call ends its run, before or after its effect
}

// begin makes the effect of a call unless its key already had it, and reports whether it had.
func (l *ledger) begin(c *tools.Call, word string) (again bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.began
	l.began++
	if l.fatal != nil && l.fatal(n, false) {
		return false, tools.Fatal(errors.New("before"))
	}
	_, again = l.effects[c.IdempotencyKey()]
	l.effects[c.IdempotencyKey()] = c.Name() + " " + word
	if l.fatal != nil && l.fatal(n, true) {
		return again, tools.Fatal(errors.New("after"))
	}
	var seen map[string]bool
	return again, c.State().Update("seen", &seen, func() error {
		if seen == nil {
			seen = map[string]bool{}
		}
		seen[c.IdempotencyKey()[:8]] = true
		return nil
	})
}

func (l *ledger) end(c *tools.Call, word string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.returned[c.IdempotencyKey()]++
	return c.Name() + " " + word, nil
}

// tools returns quick; slow, which honours its context after its effect; and risky, which waits for an approval.
func (l *ledger) tools(t testing.TB) tools.Set {
	return tools.Of(
		mustTool(t, "quick", func(_ context.Context, c *tools.Call, word string) (string, error) {
			if _, err := l.begin(c, word); err != nil {
				return "", err
			}
			return l.end(c, word)
		}),
		mustTool(t, "slow", func(ctx context.Context, c *tools.Call, word string) (string, error) {
			if again, err := l.begin(c, word); err != nil {
				return "", err
			} else if !again {
				select {
				case <-ctx.Done():
					return "", ctx.Err()
				case <-time.After(time.Second):
				}
			}
			return l.end(c, word)
		}),
		mustTool(t, "risky", func(_ context.Context, c *tools.Call, word string) (string, error) {
			l.mu.Lock()
			l.asked = append(l.asked, c.IdempotencyKey())
			approved := l.approved[c.IdempotencyKey()]
			l.mu.Unlock()
			if !approved {
				return "", &tools.PendingError{Reason: "?"}
			}
			if _, err := l.begin(c, word); err != nil {
				return "", err
			}
			return l.end(c, word)
		}),
	)
}

// disturbance is a single event that disturbs a run.
type disturbance struct {
	name   string
	kill   int // the event at which the process dies; -1 for none
	cancel int // the event at which the context ends; -1 for none
	model  int // the delta at which the model fails; -1 for none
	tool   int // the call that is fatal; -1 for none
	after  bool
}

// world is one run, resumed until it completes.
type world struct {
	ledger
	sc             scope.Scope
	hit            disturbance
	events, deltas int
	begunLives     int
	wantWhole      bool // History is given without the turn that a stopped run has closed
}

// model wraps m so that it fails at the delta that the disturbance names.
func (w *world) model(m Model) Model {
	return modelFunc(func(ctx context.Context, r *Request) iterDeltas {
		return func(yield func(Delta, error) bool) {
			for d, err := range m.Stream(ctx, r) {
				if w.deltas++; w.deltas-1 == w.hit.model {
					yield(nil, &ModelError{Code: CodeUnavailable, Retryable: true})
					return
				}
				if !yield(d, err) {
					return
				}
			}
		}
	})
}

// run repeats until the run is complete. It approves pending calls, and resumes from the checkpoint of Done, or from
// the last one that was yielded if the process died.
func (w *world) run(t *testing.T, m Model) Done {
	w.effects, w.returned, w.approved = map[string]string{}, map[string]int{}, map[string]bool{}
	w.fatal = func(n int, after bool) bool { return n == w.hit.tool && after == w.hit.after }
	in := Input{Scope: w.sc, Run: "r", Prompt: "Go."}
	for w.begunLives = 0; w.begunLives < 10; w.begunLives++ {
		done, resumable := w.live(t, m, in)
		if done.Outcome == OutcomeComplete {
			require.True(t, done.Checkpoint.at.Complete)
			return done
		}
		for _, k := range w.asked {
			w.approved[k] = true
		}
		if !resumable {
			continue // the process died before the first checkpoint: the host restarts the run
		}
		in.Prompt, in.Resume, in.History = "", w.reread(t, done.Checkpoint), w.restore(t, done)
	}
	t.Fatal("the run does not come to its end")
	return Done{}
}

func (w *world) live(t *testing.T, m Model, in Input) (Done, bool) {
	a, err := New(w.model(m), &Options{Tools: w.tools(t)})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last Done // as stored
	last.History.Turns = in.History.Turns
	if in.Resume != nil {
		last.Checkpoint = in.Resume
	}
	for ev, err := range a.Stream(ctx, in) {
		if failed, ok := errors.AsType[*RunError](err); ok {
			require.NotNil(t, failed.Done.Checkpoint, "%v", err)
			return failed.Done, true
		}
		w.events++
		switch ev := ev.(type) {
		case Checkpointed:
			last.Checkpoint = ev.Checkpoint
			if ev.Ended != nil {
				last.History.Turns = append(last.History.Turns[:ev.Turns-1:ev.Turns-1], *ev.Ended)
			}
		case Done:
			require.NotNil(t, ev.Checkpoint)
			return ev, true
		}
		if w.events-1 == w.hit.kill {
			return last, last.Checkpoint != nil
		}
		if w.events-1 == w.hit.cancel {
			cancel()
		}
	}
	t.Fatal("no end")
	return Done{}, false
}

func (w *world) reread(t *testing.T, c *Checkpoint) *Checkpoint {
	b, err := json.Marshal(c)
	require.NoError(t, err)
	c, err = decodeCheckpoint(b)
	require.NoError(t, err)
	return c
}

func (w *world) restore(t *testing.T, done Done) History {
	h := History{State: done.History.State}
	turns := done.History.Turns
	if w.wantWhole {
		turns = turns[:done.Checkpoint.Turns]
	}
	for _, turn := range turns {
		b, err := json.Marshal(turn)
		require.NoError(t, err)
		turn, err := decodeTurn(b)
		require.NoError(t, err)
		h.Turns = append(h.Turns, turn)
	}
	return h
}

// A run is disturbed at any event, delta or call, and resumed from the checkpoint of its Done. It has every effect
// once, does not repeat calls that returned, and ends with the history and State of an undisturbed run.
func TestResumeFromDoneAfterAnyDisturbance(t *testing.T) {
	t.Parallel()
	m := conversation(
		step{text("One."), use("a1", "quick", `{"word":"a"}`), use("a2", "slow", `{"word":"b"}`), use("a3", "quick", `{"word":`), UsageReport{Usage: Usage{Input: 1}}, calls},
		step{text("Two."), use("b1", "risky", `{"word":"c"}`), use("b2", "slow", `{"word":"d"}`), use("b3", "risky", `{"word":"e"}`), calls},
		step{use("c1", "quick", `{"word":"f"}`), calls},
		step{text("Done."), end},
	)
	none := disturbance{kill: -1, cancel: -1, model: -1, tool: -1}
	undisturbed := &world{sc: tenant(t, "acme"), hit: none}
	var want Done
	synctest.Test(t, func(t *testing.T) { want = undisturbed.run(t, m) })
	require.Len(t, undisturbed.effects, 6)
	require.Equal(t, 1, undisturbed.begunLives)

	var all []disturbance
	for k := range undisturbed.events {
		kill, cancel := none, none
		kill.kill, kill.name = k, fmt.Sprintf("killed at event %d", k)
		cancel.cancel, cancel.name = k, fmt.Sprintf("cancelled at event %d", k)
		all = append(all, kill, cancel)
	}
	for k := range undisturbed.deltas {
		d := none
		d.model, d.name = k, fmt.Sprintf("the model fails at delta %d", k)
		all = append(all, d)
	}
	for k := range undisturbed.began {
		for _, after := range []bool{false, true} {
			d := none
			d.tool, d.after, d.name = k, after, fmt.Sprintf("call %d is fatal, after its effect: %v", k, after)
			all = append(all, d)
		}
	}
	require.Greater(t, len(all), 60)
	for i, d := range all {
		t.Run(d.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{sc: undisturbed.sc, hit: d, wantWhole: i%2 == 0}
				done := w.run(t, m)
				require.Equal(t, undisturbed.effects, w.effects)
				require.Equal(t, lines(want.History), lines(done.History))
				require.Equal(t, want.History.Turns, done.History.Turns)
				one, _ := want.History.State.MarshalJSON()
				two, _ := done.History.State.MarshalJSON()
				require.JSONEq(t, string(one), string(two))
				if d.kill < 0 { // a process that died repeats calls that it did not store
					require.Equal(t, maps.Clone(undisturbed.returned), w.returned)
				}
			})
		})
	}
}

// The keys of the checkpoint hold, even if this version would derive others.
func TestResumeUsesTheStoredKeys(t *testing.T) {
	t.Parallel()
	sc := tenant(t, "acme")
	l := &ledger{effects: map[string]string{}, returned: map[string]int{}, approved: map[string]bool{}}
	m := conversation(step{use("c1", "risky", `{"word":"a"}`), calls}, step{text("ok"), end})
	a, err := New(m, &Options{Tools: l.tools(t)})
	require.NoError(t, err)
	done, err := a.Run(t.Context(), Input{Scope: sc, Run: "r", Prompt: "Go."})
	require.NoError(t, err)
	b, err := json.Marshal(done.Checkpoint)
	require.NoError(t, err)
	require.Contains(t, string(b), l.asked[0])
	c, err := decodeCheckpoint([]byte(strings.Replace(string(b), l.asked[0], testKey, 1)))
	require.NoError(t, err)
	_, err = a.Run(t.Context(), Input{Scope: sc, Run: "r", Resume: c})
	require.NoError(t, err)
	require.Equal(t, testKey, l.asked[1])
}

// Only the turn of the checkpoint itself may follow the turns that it counts.
func TestResumeRejectsOtherTurns(t *testing.T) {
	t.Parallel()
	sc := tenant(t, "acme")
	in := Input{Scope: sc, Run: "r", Prompt: "Go."}
	_, err := newAgent(t, play(step{use("c1", "echo", `{"word":"fatal"}`), calls}), Limits{}, echo(t)).Run(t.Context(), in)
	failed, ok := errors.AsType[*RunError](err)
	require.True(t, ok)
	own := failed.Done.History.Turns[0]
	change := func(f func(m []Message)) Turn {
		m := slices.Clone(own.Messages)
		for i := range m {
			m[i].Parts = slices.Clone(m[i].Parts)
		}
		f(m)
		return Turn{m}
	}
	resume := func(turns ...Turn) error {
		in := Input{Scope: sc, Run: "r", Resume: failed.Done.Checkpoint, History: History{Turns: turns}}
		_, err := newAgent(t, play(step{text("ok"), end}), Limits{}, mustTool(t, "echo", func(context.Context, *tools.Call, string) (string, error) {
			return "", nil
		})).Run(t.Context(), in)
		return err
	}
	require.NoError(t, resume())
	require.NoError(t, resume(own))
	for name, turns := range map[string][]Turn{
		"twice":          {own, own},
		"another prompt": {change(func(m []Message) { m[0].Parts[0].Text = "Stop." })},
		"another call":   {change(func(m []Message) { m[1].Parts[0].Use = &ToolUse{"c1", "echo", json.RawMessage(`{}`)} })},
		"only a prompt":  {{own.Messages[:1]}},
	} {
		require.ErrorContains(t, resume(turns...), "invalid_call", name)
	}
}

func TestResumeAtALimitNeedsAHigherLimit(t *testing.T) {
	t.Parallel()
	in := Input{Scope: tenant(t, "acme"), Run: "r", Prompt: "Go."}
	mend := step{use("c1", "echo", `{"word":"mend"}`), calls}
	_, err := newAgent(t, play(mend), Limits{Corrections: 1}, echo(t)).Run(t.Context(), in)
	failed, ok := errors.AsType[*RunError](err)
	require.True(t, ok)
	require.Equal(t, CodeLimit, failed.Code)
	in = Input{Scope: in.Scope, Run: "r", Resume: failed.Done.Checkpoint, History: failed.Done.History}
	m := play()
	_, err = newAgent(t, m, Limits{Corrections: 1}, echo(t)).Run(t.Context(), in)
	require.ErrorContains(t, err, "in 1 turns in a row")
	require.Empty(t, m.requests)
	done, err := newAgent(t, play(step{text("ok"), end}), Limits{Corrections: 2}, echo(t)).Run(t.Context(), in)
	require.NoError(t, err)
	require.Len(t, done.History.Turns, 2)
}
