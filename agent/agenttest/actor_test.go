package agenttest

import (
	"bytes"
	"image/png"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
)

// What the suite asks for is understood, whatever the word and whatever was said before.
func TestActorUnderstands(t *testing.T) {
	for b := range wishes {
		for _, word := range []string{"alder", word(3), "x"} {
			got, w, ok := understand("Well. " + lastText(Ask(b, word)))
			require.True(t, ok, b)
			require.Equal(t, b, got)
			require.Equal(t, word, w)
		}
	}
	_, _, ok := understand("Who are you?")
	require.False(t, ok)
	require.Equal(t, failing, Act(&agent.Request{}).end)
}

func TestImageIsOne(t *testing.T) {
	_, err := png.Decode(bytes.NewReader(image().Bytes))
	require.NoError(t, err)
}
