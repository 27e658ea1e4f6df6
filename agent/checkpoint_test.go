package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

// effects records the effects of tools by idempotency key.
type effects struct {
	mu   sync.Mutex
	done map[string]string
	made int // calls, repeated ones included
}

// tool returns a tool that takes effect once for each key, and counts its calls in the State.
func (e *effects) tool(t testing.TB) *tools.Tool {
	return mustTool(t, "do", func(_ context.Context, c *tools.Call, word string) (string, error) {
		var n int
		if err := c.State().Update("calls", &n, func() error { n++; return nil }); err != nil {
			return "", err
		}
		if word == "mend" {
			return "", tools.Correct("no")
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		e.made++
		if was, ok := e.done[c.IdempotencyKey()]; ok {
			if was != word {
				t.Errorf("the key of %q is the key of %q", was, word)
			}
			return "did " + word, nil
		}
		e.done[c.IdempotencyKey()] = word
		return "did " + word, nil
	})
}

// conversation is a Model whose answer only depends on the number of messages, so that it continues after a resume.
func conversation(answers ...step) Model {
	return modelFunc(func(ctx context.Context, r *Request) iterDeltas {
		n := 0
		for _, m := range r.Messages {
			if m.Role == RoleAssistant {
				n++
			}
		}
		return play(answers[n]).Stream(ctx, r)
	})
}

// A process dies at any event, and another one resumes from the last checkpoint. Effects happen once for each key.
// History, State and usage equal those of an undisturbed run.
func TestResumeAfterACrashAtAnyEvent(t *testing.T) {
	t.Parallel()
	m := conversation(
		step{ReasoningPart{Reasoning{Text: "hm", Signature: "s"}}, text("One."), use("a1", "do", `{"word":"a"}`), use("a2", "do", `{"word":`), use("a3", "do", `{"word":"b"}`), UsageReport{Usage: Usage{Input: 1}}, calls},
		step{use("b1", "do", `{"word":"mend"}`), UsageReport{Usage: Usage{Input: 10}}, calls},
		step{use("c1", "do", `{"word":"c"}`), use("c2", "do", `{"word":"d"}`), use("c3", "do", `{"word":"mend"}`), UsageReport{Usage: Usage{Input: 100}}, calls},
		step{text("Done."), UsageReport{Usage: Usage{Input: 1000}}, end},
	)
	shelf := newShelf(t, nil)
	sc := shelf.acme
	root, err := shelf.bucket.In(sc)
	require.NoError(t, err)
	in := Input{Scope: sc, Run: "r1", Prompt: "Go."}

	whole := &effects{done: map[string]string{}}
	undisturbed, err := newAgent(t, m, Limits{Parallel: 1}, whole.tool(t)).Run(t.Context(), in)
	require.NoError(t, err)
	require.Len(t, whole.done, 4)
	require.Equal(t, 4, whole.made)
	var n int
	_, err = undisturbed.History.State.Get("calls", &n)
	require.NoError(t, err)
	require.Equal(t, 6, n)

	// life runs until the process dies at an event, or to the end, and stores checkpoints and turns.
	life := func(t *testing.T, e *effects, stored *[]byte, turns *[][]byte, die int) (Done, bool) {
		in := in
		if *stored != nil {
			c, err := decodeCheckpoint(*stored, root)
			require.NoError(t, err)
			in.Prompt, in.Resume = "", c
			for _, b := range (*turns)[:c.Turns] {
				turn, err := decodeTurn(b, root)
				require.NoError(t, err)
				in.History.Turns = append(in.History.Turns, turn)
			}
			*turns = (*turns)[:c.Turns]
		}
		n := 0
		for ev, err := range newAgent(t, m, Limits{}, e.tool(t)).Stream(t.Context(), in) {
			require.NoError(t, err)
			if n == die {
				return Done{}, false
			}
			n++
			switch ev := ev.(type) {
			case Checkpointed:
				if ev.Ended != nil {
					b, err := json.Marshal(ev.Ended)
					require.NoError(t, err)
					*turns = append(*turns, b)
				}
				*stored, err = json.Marshal(ev.Checkpoint)
				require.NoError(t, err)
			case Done:
				return ev, true
			}
		}
		t.Fatal("no end")
		return Done{}, false
	}
	check := func(t *testing.T, e *effects, d Done, turns [][]byte) {
		require.Equal(t, whole.done, e.done)
		require.Equal(t, OutcomeComplete, d.Outcome)
		require.Equal(t, lines(undisturbed.History), lines(d.History))
		require.Equal(t, undisturbed.History.Turns, d.History.Turns)
		require.Len(t, turns, len(d.History.Turns))
		one, _ := undisturbed.History.State.MarshalJSON()
		two, _ := d.History.State.MarshalJSON()
		require.Equal(t, string(one), string(two))
	}

	var total int
	for die := 0; ; die++ {
		e := &effects{done: map[string]string{}}
		var stored []byte
		var turns [][]byte
		if _, ended := life(t, e, &stored, &turns, die); ended {
			total = die
			break
		}
		d, ended := life(t, e, &stored, &turns, -1)
		require.True(t, ended)
		check(t, e, d, turns)
		if die > 0 {
			require.Equal(t, undisturbed.Usage, d.Usage, "event %d", die)
		}
	}
	require.Greater(t, total, 20)

	t.Run("again and again", func(t *testing.T) {
		// A life of eight events passes at least one checkpoint, so this loop ends.
		e := &effects{done: map[string]string{}}
		var stored []byte
		var turns [][]byte
		lives := 0
		for ; lives < 50; lives++ {
			if d, ended := life(t, e, &stored, &turns, 8); ended {
				check(t, e, d, turns)
				break
			}
		}
		require.Greater(t, lives, 2)
		require.Less(t, lives, 50)
	})
}

// The turns of a Compacted are stored with the checkpoint that follows.
func TestResumeAfterCompaction(t *testing.T) {
	t.Parallel()
	counter := modelFunc(func(ctx context.Context, r *Request) iterDeltas {
		n := 0
		if last := r.Messages[len(r.Messages)-1].Parts[0]; last.Result != nil {
			_, err := fmt.Sscanf(last.Result.Result.Summary, "did %d", &n)
			require.NoError(t, err)
		}
		if n == 7 {
			return play(step{text("Done."), end}).Stream(ctx, r)
		}
		return play(step{text(strings.Repeat("x", 200)), use(fmt.Sprint("c", n), "do", fmt.Sprintf(`{"word":"%d"}`, n+1)), calls}).Stream(ctx, r)
	})
	type stored struct {
		turns []Turn
		at    *Checkpoint
	}
	start := Input{Scope: tenant(t, "acme"), Run: "r", Prompt: "The task."}
	life := func(e *effects, s *stored, die int) (*Done, int) {
		in := start
		if s.at != nil {
			in.Prompt, in.Resume, in.History.Turns = "", s.at, s.turns
		}
		a, err := New(counter, &Options{Tools: tools.Of(e.tool(t)), Compact: DropOldest(200)})
		require.NoError(t, err)
		n := 0
		var shorter []Turn
		shortened := 0
		for ev, err := range a.Stream(t.Context(), in) {
			require.NoError(t, err)
			if n == die {
				return nil, shortened
			}
			n++
			if _, ok := ev.(Checkpointed); shorter != nil && !ok {
				t.Fatalf("a %T follows a Compacted", ev)
			}
			switch ev := ev.(type) {
			case Compacted:
				shorter = ev.Turns
				shortened++
			case Checkpointed:
				if shorter != nil {
					s.turns, shorter = shorter, nil
				}
				if ev.Ended != nil {
					s.turns = append(slices.Clip(s.turns), *ev.Ended)
				}
				s.at = ev.Checkpoint
				require.Len(t, s.turns, s.at.Turns)
			case Done:
				return &ev, shortened
			}
		}
		t.Fatal("no end")
		return nil, 0
	}
	whole := &effects{done: map[string]string{}}
	undisturbed, shortened := life(whole, &stored{}, -1)
	require.Greater(t, shortened, 1)
	require.Equal(t, "user: "+leftOut+", because it had become too long.", lines(undisturbed.History)[0])
	require.Equal(t, "user: The task.", lines(undisturbed.History)[1])
	for die := 0; ; die++ {
		e, s := &effects{done: map[string]string{}}, &stored{}
		if d, _ := life(e, s, die); d != nil {
			require.Greater(t, die, 30)
			return
		}
		d, _ := life(e, s, -1)
		require.Equal(t, whole.done, e.done, "event %d", die)
		require.Equal(t, undisturbed.History.Turns, d.History.Turns, "event %d", die)
	}
}

func TestCheckpointPrecedesItsCalls(t *testing.T) {
	t.Parallel()
	var got *Checkpoint
	look := mustTool(t, "look", func(_ context.Context, c *tools.Call, _ string) (string, error) {
		if got == nil || len(got.Pending()) == 0 || got.Pending()[0].ID != c.ID() {
			t.Errorf("%s runs, and the checkpoint is %+v", c.ID(), got)
		}
		return "", nil
	})
	a := newAgent(t, play(step{use("c1", "look", `{"word":""}`), calls}, step{use("c2", "look", `{"word":""}`), calls}, step{text("ok"), end}), Limits{}, look)
	var kinds []string
	for ev, err := range a.Stream(t.Context(), Input{Scope: tenant(t, "acme"), Run: "r", Prompt: "Go."}) {
		require.NoError(t, err)
		if c, ok := ev.(Checkpointed); ok {
			got = c.Checkpoint
			kinds = append(kinds, fmt.Sprintf("%d pending, %d turns, ended %v, complete %v", len(got.Pending()), got.Turns, c.Ended != nil, got.at.Complete))
			require.NoError(t, got.check())
		}
	}
	require.Equal(t, []string{
		"1 pending, 0 turns, ended false, complete false", "0 pending, 1 turns, ended true, complete false",
		"1 pending, 1 turns, ended false, complete false", "0 pending, 2 turns, ended true, complete false",
		"0 pending, 3 turns, ended true, complete true",
	}, kinds)
}

func TestLimitsCountAcrossResumes(t *testing.T) {
	t.Parallel()
	forever := modelFunc(func(ctx context.Context, r *Request) iterDeltas {
		word := r.Messages[0].Parts[0].Text
		return play(step{use(fmt.Sprint("c", len(r.Messages)), "echo", `{"word":"`+word+`"}`), use(fmt.Sprint("d", len(r.Messages)), "echo", `{"word":"mend"}`), calls}).Stream(ctx, r)
	})
	for name, c := range map[string]struct {
		limits Limits
		prompt string
		want   string
	}{
		"turns":       {Limits{Turns: 5}, "a", "The model did not finish within 5 turns."},
		"calls":       {Limits{Calls: 7}, "a", "The model wanted to make more than 7 tool calls."},
		"corrections": {Limits{Corrections: 5}, "mend", "None of the model's tool calls succeeded in 5 turns in a row."},
	} {
		t.Run(name, func(t *testing.T) {
			in := Input{Scope: tenant(t, "acme"), Run: "r", Prompt: c.prompt}
			for lives := 0; ; lives++ {
				require.Less(t, lives, 20)
				var last *Checkpoint
				var failed error
				n := 0
				for ev, err := range newAgent(t, forever, c.limits, echo(t)).Stream(t.Context(), in) {
					if failed = err; err != nil {
						break
					}
					if cp, ok := ev.(Checkpointed); ok {
						last = cp.Checkpoint
						if cp.Ended != nil {
							in.History.Turns = append(in.History.Turns, *cp.Ended)
						}
						if n++; n == 2 {
							break
						}
					}
				}
				if failed != nil {
					require.ErrorContains(t, failed, c.want)
					require.Greater(t, lives, 1)
					return
				}
				in.Prompt, in.Resume = "", last
				in.History.Turns = in.History.Turns[:last.Turns]
			}
		})
	}
}

func TestResumeRejectsForeignCheckpoints(t *testing.T) {
	t.Parallel()
	sc := tenant(t, "acme")
	a := newAgent(t, play(step{use("c1", "echo", `{"word":"a"}`), calls}), Limits{}, echo(t))
	var c *Checkpoint
	for ev := range a.Stream(t.Context(), Input{Scope: sc, Run: "r", Prompt: "Go."}) {
		if cp, ok := ev.(Checkpointed); ok {
			c = cp.Checkpoint
			break
		}
	}
	with := func(f func(c *Checkpoint)) *Checkpoint {
		changed := *c
		changed.at.Calls = append([]callState{}, c.at.Calls...)
		f(&changed)
		return &changed
	}
	turn := Turn{Messages: []Message{{RoleUser, []Part{{Text: "a"}}}}}
	user, err := sc.User("u1")
	require.NoError(t, err)
	for name, x := range map[string]struct {
		in   Input
		want string
	}{
		"another run":       {Input{Scope: sc, Run: "r2", Resume: c}, "another run"},
		"no run":            {Input{Scope: sc, Resume: c}, "another run"},
		"another tenant":    {Input{Scope: tenant(t, "globex"), Run: "r", Resume: c}, "another scope"},
		"a narrower scope":  {Input{Scope: user, Run: "r", Resume: c}, "another scope"},
		"with a prompt":     {Input{Scope: sc, Run: "r", Prompt: "x", Resume: c}, "takes no new message"},
		"with media":        {Input{Scope: sc, Run: "r", Media: []tools.Media{{Format: "png", Bytes: []byte("x")}}, Resume: c}, "takes no new message"},
		"other history":     {Input{Scope: sc, Run: "r", History: History{Turns: []Turn{turn}}, Resume: c}, "the history has 1 turns, but the checkpoint has 0"},
		"no state of call":  {Input{Scope: sc, Run: "r", Resume: with(func(c *Checkpoint) { c.at.Calls = nil })}, "but there are 0 call states"},
		"negative":          {Input{Scope: sc, Run: "r", Resume: with(func(c *Checkpoint) { c.at.Failing = -1 })}, "negative"},
		"beyond all limits": {Input{Scope: sc, Run: "r", Resume: with(func(c *Checkpoint) { c.at.Called = math.MaxInt })}, "too large"},
		"a cost below zero": {Input{Scope: sc, Run: "r", Resume: with(func(c *Checkpoint) { c.at.Usage.Output = -1 })}, "negative"},
		"before it began":   {Input{Scope: sc, Run: "r", Resume: with(func(c *Checkpoint) { c.at.Turn = 0 })}, "the count of turns is 0"},
		"two lives":         {Input{Scope: sc, Run: "r", Resume: with(func(c *Checkpoint) { c.at.Complete = true })}, "a complete run has an answer"},
		"nothing to do":     {Input{Scope: sc, Run: "r", Resume: with(func(c *Checkpoint) { c.at.Prompt, c.at.Answer, c.at.Calls = nil, nil, nil })}, "empty"},
	} {
		t.Run(name, func(t *testing.T) {
			m := play()
			evs, failed := drain(t, newAgent(t, m, Limits{}, echo(t)), t.Context(), x.in)
			require.Empty(t, evs)
			require.Equal(t, CodeInvalidCall, failed.Code)
			require.ErrorContains(t, failed, x.want)
			require.Empty(t, m.requests)
		})
	}
}

// A checkpoint that is resumed twice starts with the same State.
func TestResumeDoesNotChangeTheCheckpoint(t *testing.T) {
	t.Parallel()
	e := &effects{done: map[string]string{}}
	one := step{use("c1", "do", `{"word":"a"}`), calls}
	in := Input{Scope: tenant(t, "acme"), Run: "r", Prompt: "Go."}
	for ev := range newAgent(t, play(one), Limits{}, e.tool(t)).Stream(t.Context(), in) {
		if c, ok := ev.(Checkpointed); ok {
			in.Prompt, in.Resume = "", c.Checkpoint
			break
		}
	}
	for range 2 {
		done, err := newAgent(t, play(step{text("ok"), end}), Limits{}, e.tool(t)).Run(t.Context(), in)
		require.NoError(t, err)
		var n int
		_, err = done.History.State.Get("calls", &n)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		ok, err := in.Resume.at.State.Get("calls", &n)
		require.NoError(t, err)
		require.False(t, ok)
	}
}

// The State of the input does not change, and that of the output does not change any more.
func TestStateBelongsToOneRun(t *testing.T) {
	t.Parallel()
	e := &effects{done: map[string]string{}}
	one := step{use("c1", "do", `{"word":"a"}`), calls}
	in := Input{Scope: tenant(t, "acme"), Prompt: "Go."}
	first, err := newAgent(t, play(one, step{text("ok"), end}), Limits{}, e.tool(t)).Run(t.Context(), in)
	require.NoError(t, err)
	in.History = History{State: first.History.State}
	for range 2 { // twice from the same input
		second, err := newAgent(t, play(one, step{text("ok"), end}), Limits{}, e.tool(t)).Run(t.Context(), in)
		require.NoError(t, err)
		var n int
		ok, err := second.History.State.Get("calls", &n)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, 2, n)
		_, err = first.History.State.Get("calls", &n)
		require.NoError(t, err)
		require.Equal(t, 1, n)
	}
}

// A tool that returns after its run has ended does not change the State that the run returned.
func TestAbandonedToolCannotChangeTheOutput(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		deaf := mustTool(t, "deaf", func(_ context.Context, c *tools.Call, _ string) (string, error) {
			time.Sleep(time.Hour)
			var n int
			return "", c.State().Update("late", &n, func() error { return nil })
		})
		e := &effects{done: map[string]string{}}
		a := newAgent(t, play(step{use("c1", "deaf", `{"word":""}`), use("c2", "do", `{"word":"a"}`), calls}, step{text("ok"), end}), Limits{}, deaf, e.tool(t))
		var at *Checkpoint
		var done Done
		for ev, err := range a.Stream(t.Context(), Input{Scope: tenant(t, "acme"), Run: "r", Prompt: "Go."}) {
			require.NoError(t, err)
			switch ev := ev.(type) {
			case Checkpointed:
				at = ev.Checkpoint
			case Done:
				done = ev
			}
		}
		time.Sleep(2 * time.Hour)
		for _, s := range []*tools.State{at.at.State, done.History.State} {
			b, err := s.MarshalJSON()
			require.NoError(t, err)
			require.JSONEq(t, `{"calls":1}`, string(b))
		}
	})
}
