package agent

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

// A text delta is its own event, so it does not allocate.
func TestTextDeltasAllocateNothing(t *testing.T) { // AllocsPerRun cannot run in parallel
	allocs := func(pieces int) float64 {
		deltas := append(slices.Repeat([]Delta{TextDelta{"a"}}, pieces), end)
		a := newAgent(t, modelFunc(func(context.Context, *Request) iterDeltas {
			return func(yield func(Delta, error) bool) {
				for _, d := range deltas {
					if !yield(d, nil) {
						return
					}
				}
			}
		}), Limits{})
		return testing.AllocsPerRun(10, func() {
			_, err := a.Run(t.Context(), Input{Prompt: "Go."})
			require.NoError(t, err)
		})
	}
	require.InDelta(t, allocs(1000), allocs(2000), 5, "the text grows a few times")
}

// BenchmarkTextDelta measures the loop for one piece of text. The pieces are made beforehand.
func BenchmarkTextDelta(b *testing.B) {
	var piece Delta = TextDelta{"a word "}
	a := newAgent(b, modelFunc(func(context.Context, *Request) iterDeltas {
		return func(yield func(Delta, error) bool) {
			for b.Loop() {
				if !yield(piece, nil) {
					return
				}
			}
			yield(end, nil)
		}
	}), Limits{})
	b.ReportAllocs()
	_, err := a.Run(b.Context(), Input{Prompt: "Go."})
	require.NoError(b, err)
}

// BenchmarkRun measures a run of one turn, of two turns with one call, and of two turns with eight calls.
func BenchmarkRun(b *testing.B) {
	tool := mustTool(b, "echo", func(_ context.Context, _ *tools.Call, word string) (string, error) { return word, nil })
	sc := tenant(b, "acme")
	var eight []Delta
	for _, id := range []string{"c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8"} {
		eight = append(eight, use(id, "echo", `{"word":"a"}`))
	}
	for _, c := range []struct {
		name  string
		first []Delta
	}{
		{"text", nil},
		{"one call", append(eight[:1:1], calls)},
		{"eight calls", append(eight[:8:8], calls)},
	} {
		b.Run(c.name, func(b *testing.B) {
			last := []Delta{text("ok"), end}
			a := newAgent(b, modelFunc(func(_ context.Context, r *Request) iterDeltas {
				answer := last
				if len(r.Messages) == 1 && c.first != nil {
					answer = c.first
				}
				return func(yield func(Delta, error) bool) {
					for _, d := range answer {
						if !yield(d, nil) {
							return
						}
					}
				}
			}), Limits{}, tool)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := a.Run(b.Context(), Input{Scope: sc, Run: "r", Prompt: "Go."}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPartial measures one fragment of a typed answer of 2 KB, with its Partial.
func BenchmarkPartial(b *testing.B) {
	doc := `{"title":"` + strings.Repeat("a word ", 300) + `"}`
	b.ReportAllocs()
	for b.Loop() {
		var p partialScanner
		for rest := doc; rest != ""; {
			n := min(8, len(rest))
			p.write(rest[:n])
			rest = rest[n:]
			p.closedJSON()
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64((len(doc)+7)/8), "ns/fragment")
}

// BenchmarkTurnJSON writes and reads a turn with one call.
func BenchmarkTurnJSON(b *testing.B) {
	turn := wholeTurn()
	b.ReportAllocs()
	for b.Loop() {
		raw, err := turn.MarshalJSON()
		if err != nil {
			b.Fatal(err)
		}
		var back Turn
		if err := back.UnmarshalJSON(raw); err != nil {
			b.Fatal(err)
		}
	}
}
