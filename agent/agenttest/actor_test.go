package agenttest

import (
	"bytes"
	"image/png"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
)

func TestActorUnderstandsEachBehaviour(t *testing.T) {
	t.Parallel()
	for _, b := range behaviours {
		for _, word := range []string{"alder", newWord(3), "x"} {
			r := b.newRequest(word)
			parts := r.Messages[0].Parts
			parts[len(parts)-1].Text = "Well. " + parts[len(parts)-1].Text
			got, w, ok := parseBehaviour(r)
			require.True(t, ok, b)
			require.Equal(t, b, got)
			require.Equal(t, word, w)
		}
	}
	_, _, ok := parseBehaviour(&agent.Request{Messages: []agent.Message{newMessage(agent.RoleUser, "Who are you?")}})
	require.False(t, ok)
	require.Equal(t, endError, answerRequest(&agent.Request{}).end)
}

// An adapter for a model without system prompts sends the prompt in the first message.
func TestActorFindsInstructionInFirstMessage(t *testing.T) {
	t.Parallel()
	r := followSystem.newRequest("alder")
	r.Messages[0].Parts[0].Text = r.System + "\n\n" + r.Messages[0].Parts[0].Text
	r.System = ""
	b, word, ok := parseBehaviour(r)
	require.True(t, ok)
	require.Equal(t, followSystem, b)
	require.Equal(t, "alder", word)
}

func TestImageIsValid(t *testing.T) {
	t.Parallel()
	_, err := png.Decode(bytes.NewReader(newImage().Bytes))
	require.NoError(t, err)
}
