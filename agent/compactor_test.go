package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// randomHistory returns a history of runs of many kinds: prompts, answers with and without calls, silent models, and
// results after which the run ended.
func randomHistory(r *rand.Rand) History {
	var h History
	id := 0
	for run := range 1 + r.IntN(4) {
		msgs := []Message{{RoleUser, []Part{{Text: fmt.Sprintf("prompt %d %s", run, strings.Repeat("x", r.IntN(400)))}}}}
		if r.IntN(4) == 0 {
			msgs[0].Parts = append([]Part{{Image: &tools.Media{Format: "png", Bytes: []byte("x")}}}, msgs[0].Parts...)
		}
		for range r.IntN(6) {
			answer, results := Message{Role: RoleAssistant}, Message{Role: RoleUser}
			if r.IntN(2) == 0 {
				answer.Parts = append(answer.Parts, Part{Reasoning: &Reasoning{Text: "hm"}})
			}
			for range 1 + r.IntN(3) {
				id++
				answer.Parts = append(answer.Parts, Part{Use: &ToolUse{fmt.Sprint("c", id), "echo", json.RawMessage(`{"word":"` + strings.Repeat("y", r.IntN(300)) + `"}`)}})
				results.Parts = append(results.Parts, Part{Result: &ToolResult{fmt.Sprint("c", id), tools.Result{Blocks: []tools.Block{{Text: strings.Repeat("z", r.IntN(3000))}}}}})
			}
			if r.IntN(4) == 0 {
				results.Parts = append(results.Parts, Part{Text: "a note"})
			}
			h.Turns = append(h.Turns, Turn{append(msgs, answer, results)})
			msgs = nil
		}
		switch r.IntN(3) {
		case 0:
			msgs = append(msgs, Message{RoleAssistant, []Part{{Text: "answer"}}})
		case 1: // the model said nothing, or the run failed
		}
		if len(msgs) > 0 {
			h.Turns = append(h.Turns, Turn{msgs})
		}
	}
	return h
}

// Calls keep their results, the user speaks first, the newest turns do not change, and the user's last prompt and a
// note remain.
func TestCompactionKeepsTheInvariants(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	summariser := modelFunc(func(ctx context.Context, r *Request) iterDeltas {
		return play(step{text("They spoke."), UsageReport{Usage: Usage{Output: 1}}, end}).Stream(ctx, r)
	})
	happened := 0
	for n := range 2000 {
		h := randomHistory(r)
		require.NoError(t, h.check())
		before := lines(h)
		limit := r.IntN(3000)
		var m *script
		c := DropOldest(limit)
		if n%2 == 0 {
			c = must.Get(Summarise(summariser, max(limit, 1)))
		}
		m = play(step{text("ok"), end})
		a, err := New(m, &Options{Compact: c})
		require.NoError(t, err)
		var compacted []Turn
		var done Done
		for ev, err := range a.Stream(t.Context(), Input{Prompt: "Go on.", History: h}) {
			require.NoError(t, err)
			switch ev := ev.(type) {
			case Compacted:
				require.Nil(t, compacted)
				compacted = ev.Turns
			case Done:
				done = ev
			}
		}
		require.NoError(t, m.bad)
		require.NoError(t, done.History.check())
		require.Equal(t, before, lines(h), "the input is as it was")
		all := 0
		for _, turn := range h.Turns {
			all += estimateTokens(turn)
		}
		if compacted == nil {
			require.True(t, all <= limit || len(h.Turns) == 1)
			require.Equal(t, h.Turns, done.History.Turns[:len(h.Turns)])
			continue
		}
		happened++
		kept := compacted[2:]
		require.Equal(t, h.Turns[len(h.Turns)-len(kept):], kept)
		require.NotEmpty(t, kept)
		require.Equal(t, RoleUser, compacted[0].Messages[0].Role)
		require.Equal(t, compacted, done.History.Turns[:len(compacted)])
		left := 0
		for _, turn := range kept {
			left += estimateTokens(turn)
		}
		require.True(t, left <= limit/2 || len(kept) == 1)
		require.True(t, strings.HasPrefix(lines(History{Turns: compacted[:1]})[0], "user: "+leftOut))
		require.Contains(t, lines(History{Turns: compacted[1:2]})[0], "prompt")
		require.Equal(t, compacted, mustCompact(c(t.Context(), compacted, len(kept) == 1)), "nothing is left to be done")
		if n%2 == 0 {
			require.Contains(t, lines(History{Turns: compacted[:1]})[0], "They spoke.")
			require.Equal(t, Usage{Output: 1}, done.Usage)
		}
	}
	require.Greater(t, happened, 500)
}

// A run compacts after any turn, keeps its State, and can be resumed.
func TestCompactionInARunCanBeResumed(t *testing.T) {
	t.Parallel()
	e := &effects{done: map[string]string{}}
	var steps []step
	for i := range 8 {
		steps = append(steps, step{use(fmt.Sprint("c", i), "do", `{"word":"`+strings.Repeat("w", 400)+fmt.Sprint(i)+`"}`), calls})
	}
	m := play(append(steps, step{text("Done."), end})...)
	a, err := New(m, &Options{Compact: DropOldest(700), Tools: tools.Of(e.tool(t))})
	require.NoError(t, err)
	var history []Turn
	in := Input{Scope: tenant(t, "acme"), Run: "r", Prompt: "The task."}
	shorter := 0
	var done Done
	for ev, err := range a.Stream(t.Context(), in) {
		require.NoError(t, err)
		switch ev := ev.(type) {
		case Compacted:
			history = append([]Turn{}, ev.Turns...)
			shorter++
		case Checkpointed:
			if ev.Ended != nil {
				history = append(history, *ev.Ended)
			}
			require.Equal(t, len(history), ev.Turns, "what is stored is what the checkpoint means")
		case Done:
			done = ev
		}
	}
	require.NoError(t, m.bad)
	require.Greater(t, shorter, 1)
	require.Equal(t, history, done.History.Turns)
	require.Less(t, len(history), 6)
	require.Equal(t, "user: The task.", lines(done.History)[1])
	var n int
	_, err = done.History.State.Get("calls", &n)
	require.NoError(t, err)
	require.Equal(t, 8, n)
}

// If that does not help, or the answer has begun, the run fails with its history.
func TestFullContextIsCompactedAndRetried(t *testing.T) {
	t.Parallel()
	long := History{Turns: []Turn{
		{[]Message{{RoleUser, []Part{{Text: "one"}}}, {RoleAssistant, []Part{{Text: "1"}}}}},
		{[]Message{{RoleUser, []Part{{Text: "two"}}}, {RoleAssistant, []Part{{Text: "2"}}}}},
	}}
	full := step{&ModelError{Code: CodeContextFull, Message: "Too long."}}
	run := func(h History, c Compactor, steps ...step) (*script, Done, error) {
		m := play(steps...)
		a, err := New(m, &Options{Compact: c})
		require.NoError(t, err)
		done, err := a.Run(t.Context(), Input{Prompt: "three", History: h})
		return m, done, err
	}
	m, done, err := run(long, DropOldest(1000), full, step{text("3"), end})
	require.NoError(t, err)
	require.Len(t, m.requests, 2)
	require.Equal(t, []string{
		"user: " + leftOut + ", because it had become too long.", "user: one", "user: two", "assistant: 2", "user: three", "assistant: 3",
	}, lines(done.History))

	for name, c := range map[string]struct {
		h     History
		c     Compactor
		steps []step
		asked int
		want  string
	}{
		"twice":             {long, DropOldest(1000), []step{full, full}, 2, "Too long."},
		"nothing to drop":   {History{Turns: long.Turns[:1]}, DropOldest(1000), []step{full}, 1, "Too long."},
		"no history":        {History{}, DropOldest(1000), []step{full}, 1, "Too long."},
		"no compactor":      {long, nil, []step{full}, 1, "Too long."},
		"after it has said": {long, DropOldest(1000), []step{{text("a"), StopPart{StopContextWindow}}}, 1, "too long for the model"},
	} {
		t.Run(name, func(t *testing.T) {
			m, done, err := run(c.h, c.c, c.steps...)
			require.ErrorContains(t, err, c.want)
			require.Len(t, m.requests, c.asked)
			require.NoError(t, done.History.check())
		})
	}
}

// The prompt that remains is the user's, not the agent's request for a typed answer.
func TestCompactionKeepsTheUsersPrompt(t *testing.T) {
	t.Parallel()
	m := play(step{text("It is Moby-Dick."), end}, step{use("c1", outputName, `{"title":"Moby-Dick","year":1851}`), calls})
	_, done, err := RunAs[struct {
		Title string `json:"title"`
		Year  int    `json:"year"`
	}](t.Context(), newAgent(t, m, Limits{}), Input{Scope: tenant(t, "acme"), Prompt: "Which book?"})
	require.NoError(t, err)
	require.Len(t, done.History.Turns, 2)
	turns := mustCompact(DropOldest(1)(t.Context(), append(done.History.Turns, wholeTurn()), true))
	require.Equal(t, "user: Which book?", lines(History{Turns: turns})[1])
}

// A rejected request does not count towards the limit or in the checkpoint.
func TestRejectedRequestIsNotATurn(t *testing.T) {
	t.Parallel()
	long := History{Turns: []Turn{
		{[]Message{{RoleUser, []Part{{Text: "one"}}}, {RoleAssistant, []Part{{Text: "1"}}}}},
		{[]Message{{RoleUser, []Part{{Text: "two"}}}, {RoleAssistant, []Part{{Text: "2"}}}}},
	}}
	a, err := New(play(step{&ModelError{Code: CodeContextFull}}, step{text("3"), end}), &Options{Compact: DropOldest(1000), Limits: Limits{Turns: 1}})
	require.NoError(t, err)
	evs, failed := drain(t, a, t.Context(), Input{Scope: tenant(t, "acme"), Run: "r", Prompt: "three", History: long})
	require.Nil(t, failed)
	require.IsType(t, Compacted{}, evs[0])
	require.Zero(t, evs[1].(Checkpointed).at.Answers)
}

// The turns of a Compactor are checked like an input's History, and it cannot change the input.
func TestCompactorResultIsChecked(t *testing.T) {
	t.Parallel()
	s := newShelf(t, nil)
	h := History{Turns: []Turn{
		{[]Message{{RoleUser, []Part{{Text: "one"}}}, {RoleAssistant, []Part{{Text: "1"}}}}},
		wholeTurn(),
	}}
	run := func(prompt string, c Compactor) (*script, *refusals, Done, error) {
		m, audit := play(step{text("ok"), end}), &refusals{}
		a, err := New(m, &Options{Compact: c, Audit: audit})
		require.NoError(t, err)
		done, err := a.Run(t.Context(), Input{Scope: s.acme, Prompt: prompt, History: h})
		require.NoError(t, m.bad)
		return m, audit, done, err
	}
	before := lines(h)
	first := func(_ context.Context, ts []Turn, _ bool) ([]Turn, Usage, error) { return ts[:1], Usage{}, nil }
	_, _, done, err := run("", first)
	require.NoError(t, err)
	require.ErrorContains(t, done.CompactErr, "the message that the model must answer is missing")
	require.Equal(t, before, lines(done.History)[:len(before)])
	_, _, done, err = run("two", first)
	require.NoError(t, err)
	require.NoError(t, done.CompactErr)

	m, audit, done, err := run("two", func(context.Context, []Turn, bool) ([]Turn, Usage, error) {
		return []Turn{{[]Message{{RoleUser, []Part{{Image: &tools.Media{Format: "png", Object: s.theirs}}}}}}}, Usage{}, nil
	})
	require.NoError(t, err)
	require.ErrorIs(t, done.CompactErr, object.ErrOutside)
	require.Len(t, audit.all, 1)
	for p := range eachPart([]Turn{{m.requests[0].Messages}}) {
		require.Nil(t, p.Image, "what is outside the scope does not reach the model")
	}

	_, _, done, err = run("two", func(_ context.Context, ts []Turn, _ bool) ([]Turn, Usage, error) {
		return slices.Delete(ts, 0, 1), Usage{}, nil
	})
	require.NoError(t, err)
	require.Len(t, done.History.Turns, 2)
	require.NoError(t, h.check())
	require.Equal(t, before, lines(h), "the input's history is as it was")
}

func mustCompact(turns []Turn, _ Usage, err error) []Turn {
	if err != nil {
		panic(err)
	}
	return turns
}
