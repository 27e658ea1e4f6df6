package agenttest_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func ask(text string) *agent.Request {
	return &agent.Request{MaxTokens: 100, Messages: []agent.Message{{Role: agent.RoleUser, Parts: []agent.Part{{Text: text}}}}}
}

// collect reads a stream to its end, and checks that an error is its last yield.
func collect(t testing.TB, ctx context.Context, m agent.Model, r *agent.Request) (deltas []agent.Delta, last error) {
	t.Helper()
	for d, err := range m.Stream(ctx, r) {
		require.NoError(t, last, "a yield after the error")
		if last = err; err == nil {
			deltas = append(deltas, d)
		}
	}
	return deltas, last
}

// count is a tool that says how many books there are.
func count(t testing.TB) *tools.Tool {
	tool, err := tools.New("count", "Counts books.", func(_ context.Context, _ *tools.Call, in struct {
		Subject string `json:"subject"`
	}) (string, error) {
		if in.Subject == "" {
			return "", tools.Correct("say of what")
		}
		return "3 books on " + in.Subject, nil
	})
	require.NoError(t, err)
	return tool
}

// run is one run of an agent with the model and count.
func run(t testing.TB, m agent.Model, prompt string) (agent.Done, error) {
	a, err := agent.New(m, &agent.Options{System: "You keep a shelf.", Tools: tools.Of(count(t))})
	require.NoError(t, err)
	acme, err := scope.Tenant("acme")
	require.NoError(t, err)
	return a.Run(t.Context(), agent.Input{Scope: acme, Run: "1", Prompt: prompt})
}

// tb is a test that a script is played for.
type tb struct {
	testing.TB
	cleanup func()
	failed  []string
}

func (t *tb) Cleanup(f func())               { t.cleanup = f }
func (t *tb) Errorf(format string, a ...any) { t.failed = append(t.failed, fmt.Sprintf(format, a...)) }

func (t *tb) Fatalf(format string, a ...any) {
	t.Errorf(format, a...)
	runtime.Goexit()
}

func end(r agent.StopReason) agent.Delta { return agent.StopPart{Reason: r} }

func TestTurnsYieldTheirDeltas(t *testing.T) {
	t.Parallel()
	lost := errors.New("lost")
	for name, c := range map[string]struct {
		turn agenttest.Turn
		want []agent.Delta
		err  error
	}{
		"nothing": {agenttest.Turn{}, []agent.Delta{end(agent.StopEndTurn)}, nil},
		"text":    {agenttest.Answer(agenttest.Say("a"), agenttest.Say("b")), []agent.Delta{agenttest.Say("a"), agenttest.Say("b"), end(agent.StopEndTurn)}, nil},
		"a call, and usage where services have it": {
			agenttest.Answer(agenttest.Call("1", "f", "{"), agent.UsageReport{Usage: agent.Usage{Input: 1, Output: 2}}),
			[]agent.Delta{agenttest.Call("1", "f", "{"), end(agent.StopToolUse), agent.UsageReport{Usage: agent.Usage{Input: 1, Output: 2}}}, nil},
		"usage first": {
			agenttest.Answer(agent.UsageReport{Usage: agent.Usage{Input: 1, Output: 2}}, agent.ReasoningPart{Reasoning: agent.Reasoning{Text: "hm", Signature: "c2ln"}}),
			[]agent.Delta{agent.UsageReport{Usage: agent.Usage{Input: 1, Output: 2}}, agent.ReasoningPart{Reasoning: agent.Reasoning{Text: "hm", Signature: "c2ln"}}, end(agent.StopEndTurn)}, nil},
		"a reason of its own": {
			agenttest.Answer(agenttest.Say("a"), agent.StopPart{Reason: agent.StopMaxTokens}), []agent.Delta{agenttest.Say("a"), end(agent.StopMaxTokens)}, nil},
		"failed": {agenttest.Fail(lost, agenttest.Say("a")), []agent.Delta{agenttest.Say("a")}, lost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := agenttest.Play(t, c.turn)
			got, err := collect(t, t.Context(), s, ask("?"))
			require.Equal(t, c.want, got)
			require.Equal(t, c.err, err)
		})
	}
}

// A stream must not yield a pair without a delta and without an error.
func TestFailRequiresAnError(t *testing.T) {
	t.Parallel()
	got, err := collect(t, t.Context(), agenttest.Play(t, agenttest.Fail(nil, agenttest.Say("a"))), ask("?"))
	require.Equal(t, []agent.Delta{agenttest.Say("a")}, got)
	require.EqualError(t, err, "agenttest: Fail requires an error, not nil")
}

func TestStallWaitsForTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := agenttest.Play(t, agenttest.Stall(agenttest.Say("a")))
		ctx, cancel := context.WithCancel(t.Context())
		var last error
		go func() {
			for _, err := range s.Stream(ctx, ask("?")) {
				last = err
			}
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		require.Equal(t, context.Canceled, last)
	})
}

// A run over a script, from the prompt to the answer.
func TestScriptPlaysARun(t *testing.T) {
	t.Parallel()
	s := agenttest.Play(t,
		agenttest.Answer(agenttest.Call("c1", "count", `{"subject":"whales"}`), agenttest.Call("c2", "count", `{"subject":""}`)).
			Expect(agenttest.HasText("How many?")),
		agenttest.Answer(agenttest.Say("Three.")).Expect(agenttest.HasResult("c1", "3 books"), agenttest.HasError("c2", "say of what")),
	)
	done, err := run(t, s, "How many?")
	require.NoError(t, err)
	require.Equal(t, agent.OutcomeComplete, done.Outcome)
	rs := s.Requests()
	require.Len(t, rs, 2)
	require.Len(t, rs[1].Messages, 3)
	rs[1].Messages[0].Parts[0].Text = "changed"
	require.Equal(t, "How many?", s.Requests()[1].Messages[0].Parts[0].Text, "copies")
}

func TestScriptReportsWhatDiffers(t *testing.T) {
	t.Parallel()
	call := agenttest.Answer(agenttest.Call("c1", "count", `{"subject":"whales"}`))
	for name, c := range map[string]struct {
		turns []agenttest.Turn
		want  string // of the error
		turn  int    // that fails, or zero
	}{
		"over":                {[]agenttest.Turn{call}, "agenttest: turn 2: all turns have been played", 2},
		"unused":              {[]agenttest.Turn{agenttest.Answer(), agenttest.Answer(), agenttest.Answer()}, "agenttest: 1 of the script's 3 turns were played", 0},
		"told something else": {[]agenttest.Turn{call.Expect(agenttest.HasText("How few?"))}, `agenttest: turn 1: the last message says "How many?", want "How few?" in it`, 1},
		"another result":      {[]agenttest.Turn{call, agenttest.Answer().Expect(agenttest.HasResult("c1", "4"))}, `agenttest: turn 2: the result of the call "c1" is "3 books on whales", want "4" in it`, 2},
		"a result of no one":  {[]agenttest.Turn{call, agenttest.Answer().Expect(agenttest.HasResult("c9", ""))}, `agenttest: turn 2: the last message does not have a result of the call "c9"`, 2},
		"a success": {[]agenttest.Turn{call, agenttest.Answer().Expect(agenttest.HasError("c1", "3"))},
			`agenttest: turn 2: the result of the call "c1" has IsError false, want true: "3 books on whales"`, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tb := &tb{TB: t}
			s := agenttest.Play(tb, c.turns...)
			_, err := run(t, s, "How many?")
			require.EqualError(t, s.Err(), c.want)
			tb.cleanup()
			require.Equal(t, []string{c.want}, tb.failed)
			if c.turn == 0 {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want, "the error of the run has the reason")
		})
	}
}

// A run may write over the arguments that it gets; the script keeps its own.
func TestScriptKeepsItsInput(t *testing.T) {
	t.Parallel()
	turn := agenttest.Answer(agenttest.Call("1", "f", `{"a":1}`))
	s := agenttest.Play(t, turn, turn)
	for range 2 {
		ds, err := collect(t, t.Context(), s, ask("?"))
		require.NoError(t, err)
		u := ds[0].(agent.UsePart)
		require.JSONEq(t, `{"a":1}`, string(u.Input))
		copy(u.Input, "#######")
	}
}

func TestPlayFailsTheTest(t *testing.T) {
	t.Parallel()
	fake := &tb{TB: t}
	agenttest.Play(fake, agenttest.Answer())
	fake.cleanup()
	require.Equal(t, []string{"agenttest: 0 of the script's 1 turns were played"}, fake.failed)
}

// A function serves conversations at once, each by its own messages.
func TestFuncServesConcurrentRuns(t *testing.T) {
	t.Parallel()
	m := agenttest.Func(func(_ context.Context, r *agent.Request) ([]agent.Delta, error) {
		question := r.Messages[0].Parts[0].Text
		if len(r.Messages) == 1 {
			return []agent.Delta{agenttest.Call("c", "count", fmt.Sprintf(`{"subject":%q}`, question))}, nil
		}
		return []agent.Delta{agenttest.Say(question)}, agenttest.HasResult("c", question)(r)
	})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			question := fmt.Sprintf("How many, %d?", i)
			done, err := run(t, m, question)
			if err != nil || done.History.Turns[1].Messages[0].Parts[0].Text != question {
				t.Errorf("%s: %v, %v", question, done, err)
			}
		})
	}
	wg.Wait()
}
