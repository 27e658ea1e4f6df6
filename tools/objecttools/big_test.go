package objecttools

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// syntheticDriver serves objects whose bytes are computed when they are read, and counts the bytes.
type syntheticDriver struct {
	object.Driver
	files     map[string]syntheticFile
	bytesRead int64
	rangeLens []int64
}

type syntheticFile struct {
	size int64
	at   func(p []byte, off int64) // fills p with the bytes at off
}

func (m *syntheticDriver) info(key string) (syntheticFile, object.Info, error) {
	f, ok := m.files[key[strings.LastIndexByte(key, '/')+1:]]
	if !ok {
		return f, object.Info{}, object.ErrNotFound
	}
	return f, object.Info{Size: f.size, ETag: `"made"`}, nil
}

func (m *syntheticDriver) Stat(_ context.Context, a object.Addr) (object.Info, error) {
	_, info, err := m.info(a.Key())
	return info, err
}

func (m *syntheticDriver) Open(_ context.Context, a object.Addr, r object.Range) (io.ReadCloser, object.Info, error) {
	f, info, err := m.info(a.Key())
	if err != nil {
		return nil, info, err
	}
	if r.Off >= f.size {
		return nil, info, object.ErrRange
	}
	end := f.size
	if r.Len > 0 {
		end = min(end, r.Off+r.Len)
	}
	m.rangeLens = append(m.rangeLens, r.Len)
	return &syntheticReader{m, f, r.Off, end}, info, nil
}

func (m *syntheticDriver) List(_ context.Context, s scope.Scope, after string, _ int) (page []object.Entry, more bool, err error) {
	for _, name := range []string{"a.csv", "a.json", "a.jsonl", "a.txt", "line.txt", "open.csv", "wide.csv"} {
		if f, ok := m.files[name]; ok && s.Prefix()+name > after {
			page = append(page, object.Entry{Key: s.Prefix() + name, Info: object.Info{Size: f.size, ETag: `"made"`}})
		}
	}
	return page, false, nil
}

type syntheticReader struct {
	m        *syntheticDriver
	f        syntheticFile
	off, end int64
}

func (r *syntheticReader) Read(p []byte) (int, error) {
	if r.off == r.end {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), r.end-r.off, 32<<10))
	r.f.at(p[:n], r.off)
	r.off += int64(n)
	r.m.bytesRead += int64(n)
	return n, nil
}

func (r *syntheticReader) Close() error { return nil }

// repeatUnit returns a file of head and then unit, repeated up to a size.
func repeatUnit(head, unit string, size int64) syntheticFile {
	return syntheticFile{size, func(p []byte, off int64) {
		for len(p) > 0 {
			var n int
			if off < int64(len(head)) {
				n = copy(p, head[off:])
			} else {
				n = copy(p, unit[(off-int64(len(head)))%int64(len(unit)):])
			}
			p, off = p[n:], off+int64(n)
		}
	}}
}

const (
	small = 10_000
	large = 10_000_000_000
)

func newSyntheticConversation(t testing.TB, size int64, o *Options) (*conversation, *syntheticDriver) {
	m := &syntheticDriver{files: map[string]syntheticFile{
		"a.txt":    repeatUnit("", "2026-11-25 10:00:00 INFO all is well, and nothing has happened here so far, no.\n", size),
		"a.csv":    repeatUnit("id,name,city,note\n", "10001,\"a \"\"name\"\"\",Utrecht,\"two\nlines\"\n", size),
		"a.jsonl":  repeatUnit("", `{"id":10001,"name":"a name","tags":["a","b"],"nested":{"x":1.5}}`+"\n", size),
		"a.json":   repeatUnit("[", `{"id":10001,"name":"a name","tags":["a","b"],"nested":{"x":1.5}},`+"\n", size),
		"open.csv": repeatUnit("a,b\n1,\"", "a quote that is never closed ", size),
		"wide.csv": repeatUnit("a,b\n", ",,,,,,,,,,", size),
		"line.txt": repeatUnit("", "all in one line of many words; ", size),
	}}
	return startConversation(t, must.Get(object.New(m, "b", nil)), sessionScope(t, "acme", "u1"), o), m
}

// A file of 10 GB takes as much memory as one of 10 KB with every tool and format, and no call reads more than MaxScan.
// The test measures all allocations, not only live memory. It must not run in parallel.
func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	const scan = 2 << 20
	o := &Options{MaxScan: scan}
	calls := []struct{ tool, args string }{
		{"describe_file", ``},
		{"read_chunk", ``},
		{"read_chunk", `,"by":"bytes"`},
		{"read_chunk", `,"by":"lines"`},
		{"search", `,"pattern":"not to be found"`},
		{"search", `,"pattern":"NOT to be (found|seen)","regexp":true,"context":2`},
		{"search", `,"pattern":"a","limit":100,"context":2`},
		{"sample", `,"count":20`},
		{"sample", `,"from":"head"`},
		{"sample", `,"from":"tail"`},
	}
	names := []string{"a.csv", "a.json", "a.jsonl", "a.txt", "line.txt", "open.csv", "wide.csv"}
	allocated := func(size int64) map[string]uint64 {
		c, m := newSyntheticConversation(t, size, o)
		var listed fileList
		out := map[string]uint64{}
		measured := func(what string, f func()) {
			m.bytesRead = 0
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			f()
			runtime.ReadMemStats(&after)
			out[what] = after.TotalAlloc - before.TotalAlloc
			require.LessOrEqual(t, m.bytesRead, int64(scan+64<<10), what)
		}
		measured("list_files", func() { listed = callAs[fileList](c, "list_files", `{}`) })
		require.Len(t, listed.Files, len(names))
		for i, name := range names {
			for _, call := range calls {
				measured(fmt.Sprintf("%s %s %s", call.tool, name, call.args), func() {
					_, err := c.callTool(call.tool, fmt.Sprintf(`{"file":"f%d"%s}`, i+1, call.args))
					require.NoError(t, err)
				})
			}
		}
		return out
	}
	allocated(small) // fills caches and pools
	little, much := allocated(small), allocated(large)
	for what, n := range much {
		if isRace {
			continue
		}
		require.LessOrEqual(t, n, little[what]+256<<10, "%s: %d for 10 KB, %d for 10 GB", what, little[what], n)
		t.Logf("%8d %8d %s", little[what], n, what)
	}
}

// The middle of 10 GB can be reached by an offset, by the cursors of a search and by a sample.
func TestEveryPartOfTenGigabytesCanBeRead(t *testing.T) {
	t.Parallel()
	const scan = 2 << 20
	c, m := newSyntheticConversation(t, large, &Options{MaxScan: scan})
	callAs[fileList](c, "list_files", `{}`)
	out := callAs[chunk](c, "read_chunk", `{"file":"f4","by":"bytes","start":5000000000,"count":100}`)
	want := make([]byte, 100)
	m.files["a.txt"].at(want, 5_000_000_000)
	require.Equal(t, string(want), out.Text)

	out = callAs[chunk](c, "read_chunk", `{"file":"f4","by":"bytes","start":9999999990}`)
	require.Empty(t, out.Cursor)
	require.Len(t, out.Text, 10)

	rows := callAs[sampleResult](c, "sample", `{"file":"f1","count":20}`)
	require.Len(t, rows.Items, 20)
	for i, it := range rows.Items[:19] {
		require.Equal(t, []string{"10001", `a "name"`, "Utrecht", "two\nlines"}, it.Row, "%d", i)
		require.InDelta(t, float64(i)*large/19, float64(it.Offset), 1000)
	}
	require.Greater(t, rows.Items[19].Offset, int64(large-40_000), "the last is the last")
	require.Equal(t, rows, callAs[sampleResult](c, "sample", `{"file":"f1","count":20}`), "the same each time")

	lines := callAs[sampleResult](c, "sample", `{"file":"f5","count":5}`)
	require.Len(t, lines.Items, 5)
	for _, it := range lines.Items[1:] {
		require.True(t, it.Within)
	}

	// A search continues at its cursor and continues to count lines.
	found := callAs[searchResult](c, "search", `{"file":"f4","pattern":"warning"}`)
	require.Empty(t, found.Matches)
	require.InDelta(t, scan, float64(found.End), 1000)
	require.Contains(t, found.Notes[0], "continue with the cursor")
	next := callAs[searchResult](c, "search", encodeArgs(t, "file", "f4", "pattern", "warning", "cursor", found.Cursor))
	require.Equal(t, found.End, next.Start)
	require.InDelta(t, 2*scan, float64(next.End), 1000)
	lineLen := int64(len("2026-11-25 10:00:00 INFO all is well, and nothing has happened here so far, no.\n"))
	cursor, line := "", int64(1)
	for range 5 {
		call := []any{"file", "f4", "pattern", "happened", "limit", 7}
		if cursor != "" {
			call = append(call, "cursor", cursor)
		}
		out := callAs[searchResult](c, "search", encodeArgs(t, call...))
		require.Len(t, out.Matches, 7)
		for _, m := range out.Matches {
			require.Equal(t, line, m.Line)
			require.Equal(t, m.Offset/lineLen+1, m.Line)
			line++
		}
		cursor = out.Cursor
	}

	one := callAs[description](c, "describe_file", `{"file":"f1"}`)
	two := callAs[description](c, "describe_file", encodeArgs(t, "file", "f1", "cursor", one.Cursor))
	require.Greater(t, *two.Rows, *one.Rows)
	require.InDelta(t, float64(two.Counted)/float64(*two.Rows), float64(one.Counted)/float64(*one.Rows), 0.1)
	require.False(t, two.Complete)
}

func TestProgressIsReportedEvery8MiB(t *testing.T) {
	t.Parallel()
	c, _ := newSyntheticConversation(t, large, &Options{MaxScan: 20 << 20})
	callAs[fileList](c, "list_files", `{}`)
	tool, _ := c.tools.Lookup("search")
	var told []any
	_, err := tool.Call(t.Context(), tools.NewCall(tools.CallOptions{
		Scope: c.scope, State: c.state, Args: []byte(`{"file":"f4","pattern":"not there"}`), Progress: func(v any) { told = append(told, v) },
	}))
	require.NoError(t, err)
	require.Len(t, told, 2)
	last := told[1].(progress)
	require.InDelta(t, 2*progressStep, float64(last.Read), blockLen)
	require.Equal(t, progress{File: "f4", Read: last.Read, Size: large}, last)
}

// A call that needs little sends a short range request.
func TestRangeRequestsGrow(t *testing.T) {
	t.Parallel()
	c, m := newSyntheticConversation(t, large, &Options{MaxScan: 40 << 20})
	callAs[fileList](c, "list_files", `{}`)
	m.rangeLens = nil
	callAs[chunk](c, "read_chunk", `{"file":"f1","count":1}`)
	require.Equal(t, []int64{headLen, firstRange}, m.rangeLens)
	m.rangeLens = nil
	callAs[searchResult](c, "search", `{"file":"f4","pattern":"not there"}`)
	require.Equal(t, []int64{headLen, firstRange, 1 << 20, 4 << 20, lastRange, lastRange, 40<<20 - firstRange - 5<<20 - 2*lastRange}, m.rangeLens)
}
