package main

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestScript(t *testing.T) {
	s := script()
	require.Len(t, s, turns)
	n := 0
	for _, t := range s {
		n += len(t.Calls)
	}
	require.Equal(t, toolCalls, n)
	require.Empty(t, s[turns-1].Calls)
}

// Each of them has the whole conversation, and again.
func TestContestants(t *testing.T) {
	all, err := contestants(t.Context())
	require.NoError(t, err)
	for _, c := range all {
		for range 3 {
			require.NoError(t, c.run(t.Context()), c.name)
		}
	}
}

func TestCheckCanFail(t *testing.T) {
	var s shelf
	require.ErrorContains(t, s.check(closing()), "0 tool calls")
	for n := range toolCalls {
		_, err := s.find(t.Context(), arguments(n))
		require.NoError(t, err)
	}
	require.ErrorContains(t, s.check("Bye."), "unexpected last text")
	_, err := s.find(t.Context(), query{Subject: "ships"})
	require.ErrorContains(t, err, "unexpected arguments")
}

// BenchmarkConversation is the whole conversation; the metric us/turn is a tenth of it.
func BenchmarkConversation(b *testing.B) {
	all, err := contestants(context.Background())
	require.NoError(b, err)
	for _, c := range all {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.run(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/turns, "us/turn")
		})
	}
}

// A turn with two tool calls costs no more than eino's, although its arguments are validated. The two have conversations
// in turns, and their lower quartiles are compared: other load on the machine only ever adds to a measurement. The margin
// is for what noise is left.
func TestTurnCostsNoMoreThanEinos(t *testing.T) {
	if testing.Short() {
		t.Skip("it measures for some seconds")
	}
	const margin = 0.05
	all, err := contestants(t.Context())
	require.NoError(t, err)
	require.Equal(t, "eino", all[1].name)
	var took [2][]time.Duration
	for range 3000 {
		for i, c := range all[:2] {
			start := time.Now()
			require.NoError(t, c.run(t.Context()))
			took[i] = append(took[i], time.Since(start))
		}
	}
	quartile := func(i int) float64 { slices.Sort(took[i]); return float64(took[i][len(took[i])/4]) }
	ratio := quartile(0) / quartile(1)
	var allocs [2]float64
	for i, c := range all[:2] {
		k, err := once(t.Context(), c, 100)
		require.NoError(t, err)
		allocs[i] = k.allocs
	}
	t.Logf("time %.2f of eino's, allocations %.2f", ratio, allocs[0]/allocs[1])
	require.LessOrEqual(t, ratio, 1+margin)
	require.LessOrEqual(t, allocs[0], allocs[1])
}

func TestTable(t *testing.T) {
	var out strings.Builder
	require.NoError(t, table(t.Context(), &out, 1))
	for _, name := range []string{"carrel", "eino", "genkit", "fantasy"} {
		require.Regexp(t, `(?m)^ +`+name+` +\S+ +[1-9][0-9.]* +[1-9][0-9.]* +[1-9]\d+ +[1-9]\d+ `, out.String())
	}
}
