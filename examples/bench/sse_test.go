package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkEvent writes an event of 200 B to a response that discards it, with a flush. Only carrel and the loop by
// hand set a deadline for each write. launchdarkly's figure is that of its encoder, r3labs' that of its server, from
// Publish to the flush:
//
//	cd examples/bench && GOWORK=off go test -run '^$' -bench Event -benchmem .
func BenchmarkEvent(b *testing.B) {
	for _, c := range eventWriters() {
		b.Run(c.name, func(b *testing.B) {
			w := newResponse()
			write, err := c.setUp(b.Context(), w)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if err := write(); err != nil {
					b.Fatal(err)
				}
			}
			require.Greater(b, w.written, int64(b.N*len(eventData)), "every event is written")
		})
	}
}

func TestEventTable(t *testing.T) {
	var out strings.Builder
	require.NoError(t, eventTable(t.Context(), &out, 1))
	for _, e := range eventWriters() {
		require.Regexp(t, `(?m)^ +`+e.name+` +(\S+ +)?[1-9]\d* +[1-9]\d* +\d+ +\d+ `, out.String())
	}
}
