package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

// A run completes however many results an answer has and however long its arguments are, and so does the next run. A
// token is four bytes.
func TestGiantTurnsAreCut(t *testing.T) {
	t.Parallel()
	big := func(n int) *tools.Tool {
		type in struct {
			Data string `json:"data,omitempty"`
		}
		tool, err := tools.New("big", "Returns a lot.", func(context.Context, *tools.Call, in) (string, error) { return strings.Repeat("x", n), nil })
		require.NoError(t, err)
		return tool
	}
	for name, c := range map[string]struct{ calls, result, input, tokens int }{
		"24 of 750 kB on 8k":         {24, 750_000, 0, 8_000},
		"64 of 750 kB on 32k":        {64, 750_000, 0, 32_000},
		"64 of 10 kB on 32k":         {64, 10_000, 0, 32_000},
		"48 of 1.9 kB on 16k":        {48, 1900, 0, 16_000},
		"700 kB of arguments":        {1, 10, 700_000, 128_000},
		"64 with arguments":          {64, 300, 300, 5_000},
		"64 that leave only notes":   {64, 200, 0, 3_000},
		"arguments and results, big": {8, 500_000, 400_000, 8_000},
	} {
		for _, compact := range []Compactor{nil, DropOldest(c.tokens)} {
			t.Run(fmt.Sprint(name, " ", compact == nil), func(t *testing.T) {
				t.Parallel()
				var answer step
				for i := range c.calls {
					answer = append(answer, use(fmt.Sprint("c", i), "big", bigInput(c.input)))
				}
				m := &window{bytes: 4 * c.tokens, script: play(append(answer, calls), step{text("ok"), end}, step{text("yes"), end})}
				a, err := New(m, &Options{Compact: compact, Tools: tools.Of(big(c.result)), Limits: Limits{Calls: 64}})
				require.NoError(t, err)
				done, err := a.Run(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
				require.NoError(t, err)
				require.NoError(t, done.History.check())
				require.LessOrEqual(t, m.refused, maxReliefs)
				refused := m.refused
				done, err = a.Run(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "On.", History: done.History})
				require.NoError(t, err)
				require.NoError(t, m.bad)
				require.LessOrEqual(t, m.refused, refused+1, "the next run pays little")
				results, omitted := countCut(done.History.Turns)
				require.Equal(t, c.calls, results)
				require.Equal(t, c.input > 0, omitted > 0)
			})
		}
	}
}

// A history whose turns are all too long after a failed run fits the next run.
func TestGiantTurnOfAFailedRunIsCut(t *testing.T) {
	t.Parallel()
	answer := step{}
	for i := range 64 {
		answer = append(answer, use(fmt.Sprint("c", i), "big", `{}`))
	}
	m := &window{bytes: 20_000, script: play(append(answer, calls), step{&ModelError{Code: CodeUnavailable}}, step{text("ok"), end})}
	a, err := New(m, &Options{Tools: tools.Of(giant(t, "big", 50_000, true))})
	require.NoError(t, err)
	done, err := a.Run(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "Go."})
	require.ErrorContains(t, err, string(CodeUnavailable))
	done, err = a.Run(t.Context(), Input{Scope: tenant(t, "acme"), Prompt: "On.", History: done.History})
	require.NoError(t, err)
	require.NoError(t, m.bad)
	for p := range eachPart(done.History.Turns) {
		if p.Result != nil {
			for _, b := range p.Result.Blocks {
				require.True(t, b.JSON == nil || json.Valid(b.JSON))
			}
		}
	}
}

func TestWaterLevelFillsTheTotal(t *testing.T) {
	t.Parallel()
	require.Equal(t, 4, waterLevel([]int{9, 1, 2, 9}, 11))
	require.Equal(t, 0, waterLevel([]int{9, 1}, 0))
	require.Equal(t, 9, waterLevel([]int{9, 1}, 10))
}

// bigInput returns the arguments of a call with this many bytes of data.
func bigInput(n int) string {
	if n == 0 {
		return `{}`
	}
	return `{"data":"` + strings.Repeat("d", n) + `"}`
}

// countCut returns the number of results, and of calls whose arguments are left out.
func countCut(turns []Turn) (results, omitted int) {
	for p := range eachPart(turns) {
		if p.Result != nil {
			results++
		}
		if p.Use != nil && string(p.Use.Input) == omittedInput {
			omitted++
		}
	}
	return results, omitted
}

func TestCutTextKeepsWholeCharacters(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int]string{
		3: "aé…\n[Cut to fit: 3 of 6 bytes are shown.]",
		4: "aé…\n[Cut to fit: 3 of 6 bytes are shown.]",
		5: "aéé…\n[Cut to fit: 5 of 6 bytes are shown.]",
	} {
		require.Equal(t, want, cutText("aééx", limit))
	}
}
