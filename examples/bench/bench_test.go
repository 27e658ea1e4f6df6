package main

import (
	"context"
	"strings"
	"testing"

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

func TestTable(t *testing.T) {
	var out strings.Builder
	require.NoError(t, table(t.Context(), &out, 1))
	for _, name := range []string{"carrel", "eino", "genkit", "fantasy"} {
		require.Regexp(t, `(?m)^ +`+name+` +\S+ +[1-9][0-9.]* +[1-9][0-9.]* +[1-9]\d+ +[1-9]\d+ `, out.String())
	}
}
