package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

// TestRandomScripts plays thousands of random conversations, each stopped at a random place in one of many ways. The
// result is a complete turn or a typed error, only complete calls have run, and no goroutine is left.
func TestRandomScripts(t *testing.T) {
	t.Parallel()
	ends := map[string]int{}
	for seed := range uint64(3000) {
		synctest.Test(t, func(t *testing.T) { ends[randomRun(t, seed)]++ })
	}
	for _, want := range []string{"complete", "cancelled", "left", string(CodeTruncated), string(CodeMalformed), string(CodeInternal), string(CodeLimit), string(CodeThrottled), string(CodeToolFailed), string(OutcomePending)} {
		require.NotZero(t, ends[want], "%s never happened: %v", want, ends)
	}
}

// randomScript is a random conversation, and the arguments of its complete calls by id.
type randomScript struct {
	r     *rand.Rand
	steps []step
	whole map[string]string
}

// newRandomScript returns one to five random answers and a last one.
func newRandomScript(r *rand.Rand) *randomScript {
	s := &randomScript{r: r, whole: map[string]string{}}
	for n := range 1 + r.IntN(5) {
		s.addAnswer(n)
	}
	s.steps = append(s.steps, step{text("bye"), end})
	return s
}

func (s *randomScript) addAnswer(n int) {
	var answer step
	uses := 0
	for range s.r.IntN(6) {
		switch s.r.IntN(4) {
		case 3:
			answer = append(answer, ReasoningDelta{"hm"}, ReasoningPart{Reasoning{Text: "hm", Signature: "s"}})
		case 0:
			answer = append(answer, text([]string{"a", " ", "über", "\n\n", ""}[s.r.IntN(5)]))
		default:
			answer = append(answer, s.randomUse(fmt.Sprintf("c%d-%d", n, uses))...)
			uses++
		}
	}
	if s.r.IntN(2) == 0 {
		answer = append(answer, UsageReport{Usage: Usage{Input: 1}})
	}
	reason := []StopReason{StopEndTurn, StopToolUse}[min(uses, 1)]
	if s.r.IntN(15) == 0 {
		reason = []StopReason{StopEndTurn, StopToolUse, StopMaxTokens, StopMalformed, StopContentFiltered}[s.r.IntN(5)]
	}
	s.steps = append(s.steps, append(answer, StopPart{reason}))
}

// randomUse returns a call, which may be invalid, sometimes with its fragments.
func (s *randomScript) randomUse(id string) (out step) {
	words := []string{"a", "b", "mend", "secret", "panic", "slow", "deaf", "talk"}
	for _, rare := range []string{"wait", "fatal"} {
		if s.r.IntN(8) == 0 {
			words = append(words, rare, rare, rare)
		}
	}
	input := `{"word":"` + words[s.r.IntN(len(words))] + `"}`
	name := []string{"tool", "tool", "tool", "tool", "ghost", "not a name"}[s.r.IntN(6)]
	if s.r.IntN(4) == 0 {
		input = input[:1+s.r.IntN(len(input)-1)] // incomplete, and not empty
	} else if name == "tool" {
		s.whole[id] = input
	}
	if half := len(input) / 2; s.r.IntN(2) == 0 {
		out = step{UseDelta{id, name, input[:half]}, UseDelta{id, name, input[half:]}}
	}
	return append(out, use(id, name, input))
}

// stopSomewhere ends a random step at a random place, in a random way.
func (s *randomScript) stopSomewhere(cancel func()) {
	at := &s.steps[s.r.IntN(len(s.steps))]
	*at = (*at)[:s.r.IntN(len(*at)+1):len(*at)]
	switch s.r.IntN(6) {
	case 0:
		*at = append(*at, &ModelError{Code: CodeThrottled})
	case 1:
		*at = append(*at, errors.New("reset by peer"))
	case 2:
		*at = append(*at, func(context.Context) { panic("adapter") })
	case 3:
		*at = append(*at, func(context.Context) { cancel() }, text("late"), end)
	}
}

// randomTool returns a tool that fails, waits or reports progress in the way that its word names, and counts its calls.
func (s *randomScript) randomTool(t *testing.T) (tool *tools.Tool, ran map[string]int) {
	var mu sync.Mutex
	ran = map[string]int{}
	return mustTool(t, "tool", func(ctx context.Context, c *tools.Call, word string) (string, error) {
		mu.Lock()
		ran[c.ID()]++
		mu.Unlock()
		require.Equal(t, s.whole[c.ID()], string(c.Args()), "%s ran with arguments that did not arrive", c.ID())
		switch word {
		case "mend":
			return "", tools.Correct("no")
		case "secret":
			return "", errors.New("secret")
		case "panic":
			panic("secret")
		case "fatal":
			return "", tools.Fatal(errors.New("secret"))
		case "wait":
			return "", &tools.PendingError{Reason: "?"}
		case "talk":
			for i := range 5 {
				c.Progress(i)
			}
			time.AfterFunc(time.Duration(rand.IntN(3))*time.Second, func() { c.Progress("late") })
		case "slow":
			select {
			case <-time.After(4 * time.Second):
			case <-ctx.Done():
				return "", ctx.Err()
			}
		case "deaf":
			time.Sleep(4 * time.Second)
		}
		return word, nil
	}), ran
}

// witness checks the events of a run in order, and records its end.
type witness struct {
	called, ended, waiting map[string]bool
	said                   string
	how                    string // the outcome or the code of the error
	done                   Done
}

func (w *witness) see(t *testing.T, ev Event, err error) {
	require.Empty(t, w.how, "an event after the end")
	if err != nil {
		failed, ok := errors.AsType[*RunError](err)
		require.True(t, ok)
		require.NotEmpty(t, failed.Message+string(failed.Code))
		require.NotContains(t, failed.Message, "secret")
		w.how, w.done = string(failed.Code), failed.Done
		return
	}
	switch ev := ev.(type) {
	case TextDelta:
		w.said += ev.Text
	case ToolCalled:
		require.False(t, w.called[ev.ID])
		w.called[ev.ID] = true
	case ToolDone:
		w.requireOpen(t, ev.ID)
		w.ended[ev.ID] = true
	case ToolProgress:
		w.requireOpen(t, ev.ID)
	case ToolPending:
		w.requireOpen(t, ev.ID)
		w.ended[ev.ID], w.waiting[ev.ID] = true, true
	case Checkpointed:
		require.NoError(t, ev.check())
		_, err := json.Marshal(ev.Checkpoint)
		require.NoError(t, err)
	case Done:
		w.how, w.done = string(ev.Outcome), ev
	}
}

func (w *witness) requireOpen(t *testing.T, id string) {
	require.True(t, w.called[id] && !w.ended[id], "%s is not in flight", id)
}

// requireWholeHistory checks the history and the checkpoint against the events and the calls that ran.
func (w *witness) requireWholeHistory(t *testing.T, ran map[string]int) {
	require.Equal(t, w.called, w.ended)
	require.NoError(t, w.done.History.check())
	b, err := json.Marshal(w.done.History.Turns)
	require.NoError(t, err)
	require.NotContains(t, string(b), "secret:")
	var kept strings.Builder
	for _, turn := range w.done.History.Turns {
		for _, msg := range turn.Messages {
			for _, p := range msg.Parts {
				if p.Use != nil {
					require.True(t, w.ended[p.Use.ID], "%s is in the history and never ended", p.Use.ID)
					delete(ran, p.Use.ID)
				}
				if msg.Role == RoleAssistant {
					kept.WriteString(strings.ReplaceAll(p.Text, "(a tool call that could not be read)", ""))
				}
			}
		}
	}
	stopped := w.done.Checkpoint
	require.NotNil(t, stopped)
	require.NoError(t, stopped.check())
	if w.how == string(OutcomePending) {
		for i, u := range stopped.listUses() {
			require.Equal(t, w.waiting[u.ID], stopped.at.Calls[i].Result == nil, u.ID)
			delete(ran, u.ID)
		}
	}
	require.Empty(t, ran, "all calls that ran are in the history")
	strip := func(s string) string { return strings.Join(strings.Fields(s), "") }
	require.True(t, strings.HasPrefix(strip(w.said), strip(kept.String())))
}

// randomRun makes the random run of a seed and returns how it ended.
func randomRun(t *testing.T, seed uint64) string {
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	r := rand.New(rand.NewPCG(seed, 7))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := newRandomScript(r)
	if r.IntN(2) == 0 {
		s.stopSomewhere(cancel)
	}
	leaveAt := -1
	if r.IntN(8) == 0 {
		leaveAt = r.IntN(10)
	}
	if r.IntN(8) == 0 {
		time.AfterFunc(time.Duration(r.IntN(5000))*time.Millisecond, cancel)
	}
	tool, ran := s.randomTool(t)
	m := play(s.steps...)
	a := newAgent(t, m, Limits{Parallel: 1 + r.IntN(4), Calls: 6 + r.IntN(20), ToolTimeout: 3 * time.Second}, tool)

	w := &witness{called: map[string]bool{}, ended: map[string]bool{}, waiting: map[string]bool{}}
	n := 0
	for ev, err := range a.Stream(ctx, Input{Scope: tenant(t, "acme"), Run: "r", Prompt: "Go."}) {
		w.see(t, ev, err)
		if err == nil && n == leaveAt {
			w.how = "left"
			break
		}
		n++
	}
	require.NotEmpty(t, w.how, "no end")
	require.NoError(t, m.bad)
	for id, times := range ran {
		require.Equal(t, 1, times, "%s ran more than once", id)
	}
	if w.how != "left" {
		w.requireWholeHistory(t, ran)
		requireResumes(t, seed, w.done.History, w.done.Checkpoint)
	}
	time.Sleep(time.Minute) // until abandoned calls return
	synctest.Wait()
	require.Zero(t, a.Abandoned())
	return w.how
}

// requireResumes resumes a run with a model and tools that do not fail.
func requireResumes(t *testing.T, seed uint64, h History, c *Checkpoint) {
	closed := 0
	if len(c.Pending()) > 0 && len(h.Turns) > c.Turns {
		closed = 1 // the history holds its turn, so that another prompt can follow
	}
	require.Len(t, h.Turns, c.Turns+closed, "seed %d", seed)
	var want []string
	for _, u := range c.Pending() {
		if u.Name == "tool" { // the only one that is offered
			want = append(want, u.ID)
		}
	}
	var made []string
	behaved := mustTool(t, "tool", func(_ context.Context, c *tools.Call, word string) (string, error) {
		made = append(made, c.ID())
		return word, nil
	})
	a := newAgent(t, play(step{text("bye"), end}), Limits{Parallel: 1, Corrections: 100, Turns: 100}, behaved)
	done, err := a.Run(t.Context(), Input{Scope: tenant(t, "acme"), Run: "r", Resume: c, History: h})
	require.NoError(t, err, "seed %d", seed)
	require.Equal(t, OutcomeComplete, done.Outcome)
	require.Equal(t, want, made, "seed %d", seed)
}
