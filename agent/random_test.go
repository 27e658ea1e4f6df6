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

func randomRun(t *testing.T, seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 7))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	whole := map[string]string{} // complete arguments by call id
	var steps []step
	for n := range 1 + r.IntN(5) {
		var s step
		uses := 0
		for range r.IntN(6) {
			switch r.IntN(4) {
			case 3:
				s = append(s, ReasoningDelta{"hm"}, ReasoningPart{Reasoning{Text: "hm", Signature: "s"}})
			case 0:
				s = append(s, text([]string{"a", " ", "über", "\n\n", ""}[r.IntN(5)]))
			default:
				id := fmt.Sprintf("c%d-%d", n, uses)
				words := []string{"a", "b", "mend", "secret", "panic", "slow", "deaf", "talk"}
				if r.IntN(8) == 0 {
					words = append(words, "wait", "wait", "wait")
				}
				if r.IntN(8) == 0 {
					words = append(words, "fatal", "fatal", "fatal")
				}
				input := `{"word":"` + words[r.IntN(len(words))] + `"}`
				name := []string{"tool", "tool", "tool", "tool", "ghost", "not a name"}[r.IntN(6)]
				if r.IntN(4) == 0 {
					input = input[:1+r.IntN(len(input)-1)] // cut, never whole, never empty
				} else if name == "tool" {
					whole[id] = input
				}
				if half := len(input) / 2; r.IntN(2) == 0 {
					s = append(s, UseDelta{id, name, input[:half]}, UseDelta{id, name, input[half:]})
				}
				s = append(s, use(id, name, input))
				uses++
			}
		}
		if r.IntN(2) == 0 {
			s = append(s, UsageReport{Usage: Usage{Input: 1}})
		}
		reason := []StopReason{StopEndTurn, StopToolUse}[min(uses, 1)]
		if r.IntN(15) == 0 {
			reason = []StopReason{StopEndTurn, StopToolUse, StopMaxTokens, StopMalformed, StopContentFiltered}[r.IntN(5)]
		}
		steps = append(steps, append(s, StopPart{reason}))
	}
	steps = append(steps, step{text("bye"), end})

	// The place where the run stops.
	if r.IntN(2) == 0 {
		s := &steps[r.IntN(len(steps))]
		*s = (*s)[:r.IntN(len(*s)+1):len(*s)]
		switch r.IntN(6) {
		case 0:
			*s = append(*s, &ModelError{Code: CodeThrottled})
		case 1:
			*s = append(*s, errors.New("reset by peer"))
		case 2:
			*s = append(*s, func(context.Context) { panic("adapter") })
		case 3:
			*s = append(*s, func(context.Context) { cancel() }, text("late"), end)
		}
	}
	leaveAt := -1
	if r.IntN(8) == 0 {
		leaveAt = r.IntN(10)
	}
	if r.IntN(8) == 0 {
		time.AfterFunc(time.Duration(r.IntN(5000))*time.Millisecond, cancel)
	}

	var mu sync.Mutex
	ran := map[string]int{}
	tool := mustTool(t, "tool", func(ctx context.Context, c *tools.Call, word string) (string, error) {
		mu.Lock()
		ran[c.ID()]++
		mu.Unlock()
		require.Equal(t, whole[c.ID()], string(c.Args()), "seed %d: %s ran with arguments that did not arrive", seed, c.ID())
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
	})
	m := play(steps...)
	a := newAgent(t, m, Limits{Parallel: 1 + r.IntN(4), Calls: 6 + r.IntN(20), ToolTimeout: 3 * time.Second}, tool)

	how := ""
	var h History
	called, ended, waiting := map[string]bool{}, map[string]bool{}, map[string]bool{}
	var stopped *Checkpoint
	said := ""
	n := 0
	for ev, err := range a.Stream(ctx, Input{Scope: tenant(t, "acme"), Run: "r", Prompt: "Go."}) {
		require.Empty(t, how, "seed %d: something after the end", seed)
		if err != nil {
			failed, ok := errors.AsType[*RunError](err)
			require.True(t, ok)
			require.NotEmpty(t, failed.Message+string(failed.Code))
			require.NotContains(t, failed.Message, "secret")
			how, h, stopped = string(failed.Code), failed.Done.History, failed.Done.Checkpoint
			continue
		}
		switch ev := ev.(type) {
		case TextDelta:
			said += ev.Text
		case ToolCalled:
			require.False(t, called[ev.ID])
			called[ev.ID] = true
		case ToolDone:
			require.True(t, called[ev.ID] && !ended[ev.ID])
			ended[ev.ID] = true
		case ToolProgress:
			require.True(t, called[ev.ID] && !ended[ev.ID])
		case ToolPending:
			require.True(t, called[ev.ID] && !ended[ev.ID])
			ended[ev.ID], waiting[ev.ID] = true, true
		case Checkpointed:
			require.NoError(t, ev.check(), "seed %d", seed)
			_, err := json.Marshal(ev.Checkpoint)
			require.NoError(t, err)
		case Done:
			how, h, stopped = string(ev.Outcome), ev.History, ev.Checkpoint
		}
		if n == leaveAt {
			how = "left"
			break
		}
		n++
	}
	require.NotEmpty(t, how, "seed %d: no end", seed)
	require.NoError(t, m.bad, "seed %d", seed)
	for id, times := range ran {
		require.Equal(t, 1, times, "seed %d: %s ran more than once", seed, id)
	}
	if how != "left" {
		require.Equal(t, called, ended, "seed %d", seed)
		require.NoError(t, h.check(), "seed %d", seed)
		b, err := json.Marshal(h.Turns)
		require.NoError(t, err)
		require.NotContains(t, string(b), "secret:")
		var kept strings.Builder
		for _, turn := range h.Turns {
			for u := range turn.eachUse() {
				require.True(t, ended[u.ID], "seed %d: %s is in the history and never ended", seed, u.ID)
				delete(ran, u.ID)
			}
			for _, msg := range turn.Messages {
				if msg.Role == RoleAssistant {
					for _, p := range msg.Parts {
						kept.WriteString(strings.ReplaceAll(p.Text, "(a tool call that could not be read)", ""))
					}
				}
			}
		}
		require.NotNil(t, stopped, "seed %d", seed)
		require.NoError(t, stopped.check(), "seed %d", seed)
		if how == string(OutcomePending) {
			for i, u := range stopped.listUses() {
				require.Equal(t, waiting[u.ID], stopped.at.Calls[i].Result == nil, "seed %d: %s", seed, u.ID)
				delete(ran, u.ID)
			}
		}
		require.Empty(t, ran, "seed %d: what ran is in the history", seed)
		strip := func(s string) string { return strings.Join(strings.Fields(s), "") }
		require.True(t, strings.HasPrefix(strip(said), strip(kept.String())), "seed %d", seed)
	}
	if how != "left" {
		requireResumes(t, seed, h, stopped)
	}
	time.Sleep(time.Minute) // until abandoned calls return
	synctest.Wait()
	require.Zero(t, a.Abandoned())
	return how
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

// Ten thousand runs of one agent for 64 tenants at once do not see another's prompt, result, scope or state.
func TestSharedAgentIsolatesTenants(t *testing.T) {
	t.Parallel()
	const tenants, runs = 64, 157
	who := mustTool(t, "who", func(_ context.Context, c *tools.Call, word string) (string, error) {
		var seen []string
		err := c.State().Update("seen", &seen, func() error {
			if len(seen) == 3 {
				seen = seen[1:]
			}
			seen = append(seen, word)
			return nil
		})
		return fmt.Sprintf("%s/%s/%v", c.Scope().TenantID(), word, seen), err
	})
	m := modelFunc(func(ctx context.Context, r *Request) iterDeltas {
		last := r.Messages[len(r.Messages)-1].Parts
		if res := last[0].Result; res != nil && len(last) == 1 {
			return play(step{text("you are " + res.Result.Summary), end}).Stream(ctx, r)
		}
		word := last[len(last)-1].Text
		return play(step{use("id-"+word, "who", `{"word":"`+word+`"}`), calls}).Stream(ctx, r)
	})
	a := newAgent(t, m, Limits{}, who)
	var wg sync.WaitGroup
	defer wg.Wait()
	for g := range tenants {
		in := Input{Scope: tenant(t, fmt.Sprint("t", g)), Run: "same"}
		wg.Go(func() {
			var want, seen []string
			for n := range runs {
				if n%10 == 0 { // another conversation, so that histories stay short
					want, seen, in.History = nil, nil, History{}
				}
				in.Prompt = fmt.Sprintf("g%d-n%d", g, n)
				before := in.History
				done, err := a.Run(context.Background(), in)
				if err != nil {
					t.Error(err)
					return
				}
				seen = append(seen, in.Prompt)
				seen = seen[max(0, len(seen)-3):]
				answer := fmt.Sprintf("t%d/%s/%v", g, in.Prompt, seen)
				want = append(want, "user: "+in.Prompt, fmt.Sprintf(`assistant: [id-%s who {"word":"%s"}]`, in.Prompt, in.Prompt),
					fmt.Sprintf("user: {id-%s= %s}", in.Prompt, answer), "assistant: you are "+answer)
				if got := lines(done.History); strings.Join(got, "\n") != strings.Join(want, "\n") {
					t.Errorf("tenant t%d: got %q, want %q", g, got, want)
					return
				}
				if n%10 != 0 && before.State == done.History.State {
					t.Error("the input's State is the output's")
					return
				}
				in.History = done.History
			}
		})
	}
}
