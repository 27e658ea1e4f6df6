package objecttools

import (
	"context"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/tools"
)

// The cost of a text is exactly its length in a result.
func TestJSONCostIsExact(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "plain", "\"\\/<>&", "\n\r\t\b\f", "\x00\x01\x1f\x7f", "é€😀", "\u2028\u2029", "\ufeff\ufffd", "\u0085\u00a0",
	} {
		x, err := tools.New("x", "Says it.", func(context.Context, *tools.Call, struct{}) ([]string, error) { return []string{s, s}, nil })
		require.NoError(t, err)
		res, err := x.Call(t.Context(), tools.NewCall(tools.CallOptions{Args: []byte(`{}`)}))
		require.NoError(t, err)
		require.Len(t, res.Blocks[0].JSON, len(`[]`)+2*jsonCost(s)-1, "%q", s)
	}
}

// truncateCost returns the longest prefix that fits.
func FuzzTruncateCost(f *testing.F) {
	f.Add("a\u2028\n\"é😀", 9)
	f.Fuzz(func(t *testing.T, s string, n int) {
		if !utf8.ValidString(s) || n < 3 {
			return
		}
		got := truncateCost(s, n)
		require.LessOrEqual(t, jsonCost(got), n)
		require.Equal(t, got, s[:len(got)])
		if rest := s[len(got):]; rest != "" {
			r, _ := utf8.DecodeRuneInString(rest)
			require.Greater(t, jsonCost(got)+runeCost(r), n)
		}
	})
}
