package scope_test

import (
	"testing"

	"github.com/carrel-go/carrel/scope"
)

func BenchmarkKey(b *testing.B) {
	s := session("acme", "u1", sessionID)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Key("cover.jpg"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPartition(b *testing.B) {
	s := session("acme", "u1", sessionID)
	b.ReportAllocs()
	for b.Loop() {
		_ = s.Partition()
	}
}

func BenchmarkParseKey(b *testing.B) {
	key := must(session("acme", "u1", sessionID).Key("cover.jpg"))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := scope.ParseKey(key); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParsePartition(b *testing.B) {
	p := session("acme", "u1", sessionID).Partition()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := scope.ParsePartition(p); err != nil {
			b.Fatal(err)
		}
	}
}

// Every operation builds or parses a key: at most one allocation, for the string.
func TestKeysCostOneAllocation(t *testing.T) { // AllocsPerRun cannot run in parallel
	s := session("acme", "u1", sessionID)
	key, p := must(s.Key("cover.jpg")), s.Partition()
	for what, f := range map[string]func(){
		"Key":            func() { _, _ = s.Key("cover.jpg") },
		"Partition":      func() { _ = s.Partition() },
		"ParseKey":       func() { _, _, _ = scope.ParseKey(key) },
		"ParsePartition": func() { _, _ = scope.ParsePartition(p) },
	} {
		if n := testing.AllocsPerRun(100, f); n > 1 {
			t.Errorf("%s makes %v allocations", what, n)
		}
	}
}
