package reader_test

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	"github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/reader"
)

// The bookshelf runs the reader behind the Converse protocol. It then writes and calls the same as directly.
func TestReaderBehavesTheSameOverConverse(t *testing.T) {
	t.Parallel()
	tesseract := installTesseract(t, "THE LAMPLIGHTER'S ALMANAC\nORLA VANE\n")
	server := httptest.NewServer(bedrocktest.Front(reader.New(&reader.Options{Pace: -1})))
	defer server.Close()

	photo := renderCover(t, cover.Samples()[2], cover.JPEG)
	direct := newDesk(t, photo, tesseract)
	landing, session := newLanding(t, photo)
	set, err := booktools.Tools(landing, &booktools.Options{Tesseract: tesseract})
	require.NoError(t, err)
	wire := newDeskWith(t, session, set)
	model, err := bedrock.New(bedrocktest.NewClient(server.URL), "reader", nil)
	require.NoError(t, err)
	a, err := agent.New(model, &agent.Options{Tools: set})
	require.NoError(t, err)
	wire.agent = a

	for _, prompt := range []string{
		reader.Prompt, "the publisher is Quiet Press and it was published in 1987", "what?",
		"the ISBN is 0486284735", "read the cover again",
	} {
		require.NoError(t, direct.runPrompt(prompt))
		require.NoError(t, wire.runPrompt(prompt))
		require.Equal(t, direct.text, wire.text)
		require.Equal(t, direct.calls, wire.calls)
		require.Equal(t, direct.metadata, wire.metadata)
	}
}
