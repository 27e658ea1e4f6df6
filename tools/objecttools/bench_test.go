package objecttools

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Each iteration is one call that reads an object of 10 GB.
func benchmark(b *testing.B, tool, call string) {
	c, m := newSyntheticConversation(b, large, nil)
	_, err := c.callTool("list_files", `{}`)
	require.NoError(b, err)
	b.ReportAllocs()
	m.bytesRead = 0
	for b.Loop() {
		if _, err := c.callTool(tool, call); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(m.bytesRead / int64(b.N))
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
