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
