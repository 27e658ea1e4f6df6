package objecttools

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Each call reads from an object of 10 GB; list_files is behind it.
func benchmark(b *testing.B, tool, call string) {
	c, m := madeDesk(b, large, nil)
	_, err := c.raw("list_files", `{}`)
	require.NoError(b, err)
	b.ReportAllocs()
	m.read = 0
	for b.Loop() {
		if _, err := c.raw(tool, call); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(m.read / int64(b.N)) // what a call read of the object
}

func BenchmarkReadBytes(b *testing.B) {
	benchmark(b, "read_chunk", `{"file":"f4","by":"bytes","start":5000000000}`)
}

func BenchmarkReadRows(b *testing.B) { benchmark(b, "read_chunk", `{"file":"f1"}`) }

func BenchmarkSearchLiteral(b *testing.B) {
	benchmark(b, "search", `{"file":"f4","pattern":"not there"}`)
}

func BenchmarkSearchRegexp(b *testing.B) {
	benchmark(b, "search", `{"file":"f4","pattern":"(WARN|ERROR) .* failed","regexp":true}`)
}

func BenchmarkDescribeCSV(b *testing.B) {
	benchmark(b, "describe_file", `{"file":"f1"}`)
}

func BenchmarkDescribeJSON(b *testing.B) {
	benchmark(b, "describe_file", `{"file":"f2"}`)
}

func BenchmarkSample(b *testing.B) { benchmark(b, "sample", `{"file":"f1"}`) }
