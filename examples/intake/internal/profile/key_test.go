package profile_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

// White space between words is one space, however it was typed.
func TestKeysFoldCaseAndWhiteSpace(t *testing.T) {
	t.Parallel()
	for text, key := range map[string]string{
		"": "", "  ": "", "a": "a", " a ": "a", "A": "a", "a b": "a b", "a  b": "a b", "A \t b": "a b", "a\nb": "a b",
		"a\u00a0b": "a b", "M\u00fcller \u202f GmbH": "m\u00fcller gmbh", "Mu\u0308ller  GmbH": "m\u00fcller gmbh",
		"\u00a0a": "a", "Ab  Cd": "ab cd", "aB\tC": "ab c", "a\vb\fc\rd": "a b c d", "a-b": "a-b",
	} {
		var buf []byte
		require.Equal(t, key, string(profile.Key([]byte(text), nil)), "%q", text)
		require.Equal(t, key, string(profile.Key([]byte(text), &buf)), "%q", text)
		require.Equal(t, key, string(profile.Key([]byte(key), &buf)), "%q", text)
	}
}
