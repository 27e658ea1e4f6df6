package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

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
			_, err := fmt.Sscanf(last.Result.Summary, "did %d", &n)
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
