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

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/object"
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

	newStore := func() *crashStore {
		return &crashStore{model: m, root: root, in: in, effects: effects{done: map[string]string{}}}
	}
	check := func(t *testing.T, c *crashStore, d Done) {
		require.Equal(t, whole.done, c.effects.done)
		require.Equal(t, OutcomeComplete, d.Outcome)
		require.Equal(t, lines(undisturbed.History), lines(d.History))
		require.Equal(t, undisturbed.History.Turns, d.History.Turns)
		require.Len(t, c.turns, len(d.History.Turns))
		one, _ := undisturbed.History.State.MarshalJSON()
		two, _ := d.History.State.MarshalJSON()
		require.Equal(t, string(one), string(two))
	}

	var total int
	for die := 0; ; die++ {
		c := newStore()
		if _, ended := c.live(t, die); ended {
			total = die
			break
		}
		d, ended := c.live(t, -1)
		require.True(t, ended)
		check(t, c, d)
		if die > 0 {
			require.Equal(t, undisturbed.Usage, d.Usage, "event %d", die)
		}
	}
	require.Greater(t, total, 20)

	t.Run("again and again", func(t *testing.T) {
		// A life of eight events passes at least one checkpoint, so this loop ends.
		c := newStore()
		lives := 0
		for ; lives < 50; lives++ {
			if d, ended := c.live(t, 8); ended {
				check(t, c, d)
				break
			}
		}
		require.Greater(t, lives, 2)
		require.Less(t, lives, 50)
	})
}

// crashStore is the store of processes that die within a run.
type crashStore struct {
	model      Model
	root       *object.Root
	in         Input
	effects    effects
	checkpoint []byte
	turns      [][]byte
}

// resume returns the input of the next process.
func (c *crashStore) resume(t *testing.T) Input {
	t.Helper()
	in := c.in
	if c.checkpoint == nil {
		return in
	}
	checkpoint, err := decodeCheckpoint(c.checkpoint, c.root)
	require.NoError(t, err)
	in.Prompt, in.Resume = "", checkpoint
	c.turns = c.turns[:checkpoint.Turns]
	for _, b := range c.turns {
		turn, err := decodeTurn(b, c.root)
		require.NoError(t, err)
		in.History.Turns = append(in.History.Turns, turn)
	}
	return in
}

// live runs until the process dies at an event, or to the end, and stores checkpoints and turns.
func (c *crashStore) live(t *testing.T, die int) (Done, bool) {
	t.Helper()
	n := 0
	for ev, err := range newAgent(t, c.model, Limits{}, c.effects.tool(t)).Stream(t.Context(), c.resume(t)) {
		require.NoError(t, err)
		if n == die {
			return Done{}, false
		}
		n++
		switch ev := ev.(type) {
		case Checkpointed:
			if ev.Ended != nil {
				c.turns = append(c.turns, must.Get(json.Marshal(ev.Ended)))
			}
			c.checkpoint = must.Get(json.Marshal(ev.Checkpoint))
		case Done:
			return ev, true
		}
	}
	t.Fatal("no end")
	return Done{}, false
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
	newStore := func() *shortStore {
		return &shortStore{
			model: counter, in: Input{Scope: tenant(t, "acme"), Run: "r", Prompt: "The task."},
			effects: effects{done: map[string]string{}},
		}
	}
	whole := newStore()
	undisturbed, shortened := whole.live(t, -1)
	require.Greater(t, shortened, 1)
	require.Equal(t, "user: "+leftOut+", because it had become too long.", lines(undisturbed.History)[0])
	require.Equal(t, "user: The task.", lines(undisturbed.History)[1])
	for die := 0; ; die++ {
		s := newStore()
		if d, _ := s.live(t, die); d != nil {
			require.Greater(t, die, 30)
			return
		}
		d, _ := s.live(t, -1)
		require.Equal(t, whole.effects.done, s.effects.done, "event %d", die)
		require.Equal(t, undisturbed.History.Turns, d.History.Turns, "event %d", die)
	}
}

// shortStore is the store of processes that die within a conversation that is compacted.
type shortStore struct {
	model   Model
	in      Input
	effects effects
	turns   []Turn
	at      *Checkpoint
}

// live runs until the process dies at an event, or to the end. It returns how often the conversation was compacted.
func (s *shortStore) live(t *testing.T, die int) (_ *Done, shortened int) {
	t.Helper()
	in := s.in
	if s.at != nil {
		in.Prompt, in.Resume, in.History.Turns = "", s.at, s.turns
	}
	a, err := New(s.model, &Options{Tools: tools.Of(s.effects.tool(t)), Compact: DropOldest(200)})
	require.NoError(t, err)
	n := 0
	var shorter []Turn
	for ev, err := range a.Stream(t.Context(), in) {
		require.NoError(t, err)
		if n == die {
			return nil, shortened
		}
		n++
		checkpointed, ok := ev.(Checkpointed)
		require.True(t, ok || shorter == nil, "a %T follows a Compacted", ev)
		switch ev := ev.(type) {
		case Compacted:
			shorter = ev.Turns
			shortened++
		case Checkpointed:
			s.store(checkpointed, shorter)
			shorter = nil
			require.Len(t, s.turns, s.at.Turns)
		case Done:
			return &ev, shortened
		}
	}
	t.Fatal("no end")
	return nil, 0
}

// store stores a checkpoint, with the turns of the compaction before it, if there was one.
func (s *shortStore) store(ev Checkpointed, shorter []Turn) {
	if shorter != nil {
		s.turns = shorter
	}
	if ev.Ended != nil {
		s.turns = append(slices.Clip(s.turns), *ev.Ended)
	}
	s.at = ev.Checkpoint
}
