package agui

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/sse/replay"
)

// A piece of a text costs a few allocations, also late in a long answer.
func BenchmarkText(b *testing.B) {
	translate := parse(b, asked).dialect().New()
	_, err := translate(newLog(`{"type":"run_started","run":"s.1"}`)[0])
	require.NoError(b, err)
	n := 1
	b.ReportAllocs()
	for b.Loop() {
		n++
		e := replay.Event{ID: fmt.Sprintf("%012d.0000", n), Data: []byte(`{"type":"text_delta","delta":"some words of an answer "}`)}
		if _, err := translate(e); err != nil {
			b.Fatal(err)
		}
	}
}
