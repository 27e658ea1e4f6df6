package objecttools

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Each call reads from an object of 10 GB; list_files is behind it.
func benchmark(b *testing.B, tool, call string, bytes int64) {
	c, _ := madeDesk(b, large, nil)
	_, err := c.raw("list_files", `{}`)
	require.NoError(b, err)
	b.SetBytes(bytes)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.raw(tool, call); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadBytes(b *testing.B) {
	benchmark(b, "read_chunk", `{"file":"f4","by":"bytes","start":5000000000}`, 13_000)
}

func BenchmarkReadRows(b *testing.B) { benchmark(b, "read_chunk", `{"file":"f1"}`, 9_000) }

func BenchmarkSearchLiteral(b *testing.B) {
	benchmark(b, "search", `{"file":"f4","pattern":"not there"}`, DefaultMaxScan)
}

func BenchmarkSearchRegexp(b *testing.B) {
	benchmark(b, "search", `{"file":"f4","pattern":"(WARN|ERROR) .* failed","regexp":true}`, DefaultMaxScan)
}

func BenchmarkDescribeCSV(b *testing.B) {
	benchmark(b, "describe_file", `{"file":"f1"}`, DefaultMaxScan)
}

func BenchmarkDescribeJSON(b *testing.B) {
	benchmark(b, "describe_file", `{"file":"f2"}`, DefaultMaxScan)
}

func BenchmarkSample(b *testing.B) { benchmark(b, "sample", `{"file":"f1"}`, 10*probeLen) }
