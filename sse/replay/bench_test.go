package replay_test

import (
	"fmt"
	"testing"

	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse/replay"
)

// BenchmarkAppend is one event of 100 bytes, with its share of a commit to a table in memory.
func BenchmarkAppend(b *testing.B) {
	w, err := newStore(b, table.NewMemory(nil), nil).Open(b.Context(), newSession(b), "1")
	if err != nil {
		b.Fatal(err)
	}
	defer w.Abandon()
	data := delta(fmt.Sprintf("%060d", 0))
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Append(b.Context(), data, false); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEvents reads a log of 1,000 events in 50 segments.
func BenchmarkEvents(b *testing.B) {
	s, session := newStore(b, table.NewMemory(nil), &replay.Options{}), newSession(b)
	w, err := s.Open(b.Context(), session, "1")
	if err != nil {
		b.Fatal(err)
	}
	for n := range 1000 {
		if err := w.Append(b.Context(), delta("a word or two"), n%20 == 19); err != nil {
			b.Fatal(err)
		}
		if n%20 == 19 {
			if _, err := w.Flush(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := w.Finish(b.Context(), finished); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range s.Events(b.Context(), session, "1", "") {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
