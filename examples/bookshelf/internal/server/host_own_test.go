package server_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/server"
)

// The names are those that packages runner, history and replay document.
func TestOwnObjects(t *testing.T) {
	t.Parallel()
	digest := strings.Repeat("0a", 32)
	for _, kind := range []string{"run", "turn", "event"} {
		require.True(t, server.IsOwnObject(kind+"-"+digest+".json"))
	}
	for _, name := range []string{"", "cover.png", "run-.json", "run-" + digest, "run-" + digest + ".png", "x-" + digest + ".json"} {
		require.False(t, server.IsOwnObject(name), name)
	}
}
