package aisdk

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/sse/replay"
)

// BenchmarkDelta is the cost of a delta for one reader.
func BenchmarkDelta(b *testing.B) {
	t := newTranslator()
	t.beginRun(runPlace{isLast: true})
	for _, e := range logOf(started, said, step1) {
		_, err := t.translate(e)
		require.NoError(b, err)
	}
	e := replay.Event{ID: eventID(3), Data: []byte(delta("A sentence of the answer, as one commit has it."))}
	b.ReportAllocs()
	for b.Loop() {
		t.sinceStep = t.sinceStep[:0]
		if _, err := t.translate(e); err != nil {
			b.Fatal(err)
		}
	}
}
