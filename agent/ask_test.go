package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/tools"
)

// window is a Model that accepts requests up to a size in bytes of texts, arguments and results, and rejects others as
// too long. It plays a step for each request that it accepts.
type window struct {
	*script
	bytes   int
	refused int
}

func (w *window) Stream(ctx context.Context, r *Request) iterDeltas {
	n := 0
	for _, m := range r.Messages {
		for _, p := range m.Parts {
			n += countCuttable(p)
		}
	}
	if n > w.bytes {
		w.refused++
		return play(step{&ModelError{Code: CodeContextFull, Message: "Too long."}}).Stream(ctx, r)
	}
	return w.script.Stream(ctx, r)
}

// giant returns a tool whose result has n bytes, as text or as JSON.
func giant(t *testing.T, name string, n int, asJSON bool) *tools.Tool {
	tool, err := tools.New(name, "Returns a lot.", func(context.Context, *tools.Call, struct{}) (tools.Result, error) {
		b := tools.Block{Text: strings.Repeat("text ü ", n/8)}
		if asJSON {
			rows := make([]string, n/64)
			for i := range rows {
				rows[i] = fmt.Sprintf(`{"row":%d,"name":%q}`, i, strings.Repeat("n", 40))
			}
			b = tools.Block{JSON: json.RawMessage(`{"rows":[` + strings.Join(rows, ",") + `]}`)}
		}
		return tools.Result{Blocks: []tools.Block{b}, Summary: "a lot"}, nil
	})
	require.NoError(t, err)
	return tool
}

// A result that does not fit the model is cut, whether the conversation can be compacted or not. Calls and results stay
// pairs, JSON stays valid, and the next run continues.
func TestGiantResultsAreCut(t *testing.T) {
	t.Parallel()
	summariser := modelFunc(func(ctx context.Context, r *Request) iterDeltas {
		return play(step{text("They spoke."), end}).Stream(ctx, r)
	})
	turn := func(q string) Turn {
		return Turn{[]Message{{RoleUser, []Part{{Text: q}}}, {RoleAssistant, []Part{{Text: strings.Repeat(q, 400)}}}}}
	}
	old := History{Turns: []Turn{turn("one"), turn("two"), turn("three")}}
	compactors := map[string]Compactor{
		"none": nil, "drop": DropOldest(1 << 30), "summarise": must.Get(Summarise(summariser, 1<<30)),
		"one that does nothing": func(_ context.Context, ts []Turn, _ bool) ([]Turn, Usage, error) { return ts, Usage{}, nil },
		"one that only grows": func(_ context.Context, ts []Turn, full bool) ([]Turn, Usage, error) {
			if full {
				ts = append([]Turn{turn("more")}, ts...)
			}
			return ts, Usage{}, nil
		},
	}
	for name, c := range compactors {
		for _, bytes := range []int{2_000_000, 700_000, 30_000} {
			t.Run(fmt.Sprint(name, " ", bytes), func(t *testing.T) {
				t.Parallel()
				m := &window{bytes: bytes, script: play(
					step{use("c1", "big", `{}`), use("c2", "json", `{}`), use("c3", "small", `{}`), calls}, step{text("ok"), end}, step{text("yes"), end},
				)}
				a, err := New(m, &Options{Compact: c, Tools: tools.Of(giant(t, "big", 750_000, false), giant(t, "json", 400_000, true), giant(t, "small", 80, false))})
				require.NoError(t, err)
				h := old
				for _, prompt := range []string{"Go.", "On."} {
					h = runAndStore(t, a, prompt, h)
				}
				require.NoError(t, m.bad)
				require.NoError(t, h.check())
				require.LessOrEqual(t, m.refused, maxReliefs)
				var got []*ToolResult
				for p := range eachPart(h.Turns) {
					if p.Result != nil {
						got = append(got, p.Result)
					}
				}
				require.Len(t, got, 3)
				require.Equal(t, strings.Repeat("text ü ", 10), got[2].Result.Blocks[0].Text, "what is short stays")
				require.True(t, json.Valid(got[1].Result.Blocks[0].JSON))
				whole := len(got[0].Result.Blocks[0].Text) > 740_000
				require.Equal(t, bytes == 2_000_000, whole)
				if !whole {
					require.Contains(t, got[0].Result.Blocks[1].Text, "Cut to fit")
					require.Greater(t, countCuttable(Part{Result: got[0]}), bytes/16, "no more is cut than has to be")
				}
			})
		}
	}
}

// runAndStore runs a prompt and returns the resulting history, which must be what a host stores by the events.
func runAndStore(t *testing.T, a *Agent, prompt string, h History) History {
	t.Helper()
	stored := append([]Turn{}, h.Turns...)
	for ev, err := range a.Stream(t.Context(), Input{Scope: tenant(t, "acme"), Run: prompt, Prompt: prompt, History: h}) {
		require.NoError(t, err)
		switch ev := ev.(type) {
		case Compacted:
			stored = append([]Turn{}, ev.Turns...)
		case Checkpointed:
			if ev.Ended != nil {
				stored = append(stored, *ev.Ended)
			}
			require.Equal(t, len(stored), ev.Turns)
		case Done:
			h = ev.History
		}
	}
	require.Equal(t, stored, h.Turns, "what the events say is what the run ends with")
	return h
}

// A history with a giant result in its last turn, or a giant message of the user, can be continued.
func TestGiantHistoryIsCut(t *testing.T) {
	t.Parallel()
	result := wholeTurn()
	result.Messages[2].Parts[0].Result.Blocks[0] = tools.Block{Text: strings.Repeat("x", 750_000)}
	said := Turn{[]Message{{RoleUser, []Part{{Text: strings.Repeat("y", 750_000)}}}, {RoleAssistant, []Part{{Text: "ok"}}}}}
	for name, turns := range map[string][]Turn{"a result": {result}, "a message": {said}, "both": {said, result}} {
		for _, c := range []Compactor{nil, DropOldest(1000)} {
			t.Run(fmt.Sprint(name, c == nil), func(t *testing.T) {
				t.Parallel()
				m := &window{bytes: 100_000, script: play(step{text("ok"), end})}
				a, err := New(m, &Options{Compact: c})
				require.NoError(t, err)
				h := History{Turns: turns}
				before := lines(h)
				done, err := a.Run(t.Context(), Input{Prompt: "On.", History: h})
				require.NoError(t, err)
				require.NoError(t, done.History.check())
				require.Equal(t, before, lines(h), "the input is as it was")
			})
		}
	}
}

func TestGiantPromptFailsAndKeepsTheHistory(t *testing.T) {
	t.Parallel()
	h := History{Turns: []Turn{wholeTurn()}}
	h.Turns[0].Messages[2].Parts[0].Result.Blocks[0] = tools.Block{Text: strings.Repeat("x", 50_000)}
	h.Turns = append([]Turn{{[]Message{{RoleUser, []Part{{Text: "a"}}}, {RoleAssistant, []Part{{Text: "b"}}}}}}, h.Turns...)
	for _, c := range []Compactor{nil, DropOldest(1 << 30)} {
		m := &window{bytes: 100_000, script: play()}
		a, err := New(m, &Options{Compact: c})
		require.NoError(t, err)
		evs, failed := drain(t, a, t.Context(), Input{Prompt: strings.Repeat("p", 200_000), History: h})
		require.Empty(t, evs)
		require.Equal(t, CodeContextFull, failed.Code)
		require.Equal(t, h, failed.Done.History)
		require.Less(t, m.refused, maxReliefs)
	}
}

// However short the turns are, and however wrong the estimate of their tokens is, each attempt drops some.
func TestManyShortTurnsAreDropped(t *testing.T) {
	t.Parallel()
	turn := Turn{[]Message{{RoleUser, []Part{{Text: "a"}}}, {RoleAssistant, []Part{{Text: "b"}}}}}
	run := func(m Model, turns int) {
		a, err := New(m, &Options{Compact: DropOldest(1 << 30)})
		require.NoError(t, err)
		done, err := a.Run(t.Context(), Input{Prompt: "hi", History: History{Turns: slices.Repeat([]Turn{turn}, turns)}})
		require.NoError(t, err)
		require.Less(t, len(done.History.Turns)-2, turns)
	}
	run(&window{bytes: 200, script: play(step{text("ok"), end})}, 2000)
	full := step{&ModelError{Code: CodeContextFull, Message: "Too long."}}
	run(play(full, step{text("ok"), end}), 3)
	run(play(full, full, full, full, step{text("ok"), end}), 40)
}
