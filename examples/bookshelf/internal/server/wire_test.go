package server_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/server"
	"github.com/carrel-go/carrel/sse/replay"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Each line of events.jsonl is an event of a run's log; frames.txt has the frame of each, or "-".
func TestFramesOfEvents(t *testing.T) {
	t.Parallel()
	logged, err := os.ReadFile(filepath.Join("testdata", "events.jsonl"))
	require.NoError(t, err)
	translate := server.Events().New()
	var got bytes.Buffer
	for i, line := range bytes.Split(bytes.TrimSpace(logged), []byte("\n")) {
		id := fmt.Sprintf("%012d.0000", i+1)
		frames, err := translate(replay.Event{ID: id, Data: line})
		require.NoError(t, err)
		if len(frames) == 0 {
			got.WriteString("-\n")
			continue
		}
		require.Len(t, frames, 1)
		require.Equal(t, id, frames[0].ID)
		require.Empty(t, frames[0].Name)
		require.True(t, json.Valid(frames[0].Data))
		fmt.Fprintf(&got, "%s\n", frames[0].Data)
	}
	golden := filepath.Join("testdata", "frames.txt")
	if *update {
		require.NoError(t, os.WriteFile(golden, got.Bytes(), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got.String())
}

func BenchmarkTextDelta(b *testing.B) {
	translate := server.Events().New()
	e := replay.Event{ID: "000000000001.0000", Data: json.RawMessage(`{"type":"text_delta","delta":"The title is "}`)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := translate(e); err != nil {
			b.Fatal(err)
		}
	}
}
