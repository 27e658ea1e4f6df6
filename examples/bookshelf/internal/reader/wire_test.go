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

// Behind the Converse protocol, where the bookshelf has it, the reader says and does the same.
func TestOverTheWire(t *testing.T) {
	with(t, "THE LAMPLIGHTER'S ALMANAC\nORLA VANE\n")
	server := httptest.NewServer(bedrocktest.Front(reader.New(&reader.Options{Pace: -1})))
	defer server.Close()

	photo := drawn(t, cover.Samples()[2], cover.JPEG)
	direct := newDesk(t, photo)
	landing, session := landed(t, photo)
	set, err := booktools.Tools(landing, nil)
	require.NoError(t, err)
	wire := deskWith(t, session, set)
	model, err := bedrock.New(bedrocktest.NewClient(server.URL), "reader", nil)
	require.NoError(t, err)
	a, err := agent.New(model, &agent.Options{Tools: set})
	require.NoError(t, err)
	wire.agent = a

	for _, prompt := range []string{
		reader.Prompt, "the publisher is Quiet Press and it was published in 1987", "what?",
		"the ISBN is 0486284735", "read the cover again",
	} {
		require.NoError(t, direct.say(prompt))
		require.NoError(t, wire.say(prompt))
		require.Equal(t, direct.text, wire.text)
		require.Equal(t, direct.calls, wire.calls)
		require.Equal(t, direct.metadata, wire.metadata)
	}
}
