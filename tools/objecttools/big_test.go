package objecttools

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// made is a driver of objects that nobody stores: their bytes are computed where they are read. It counts what is.
type made struct {
	object.Driver
	files map[string]madeFile
	read  int64
	asked []int64 // how long each range was
}

type madeFile struct {
	size int64
	at   func(p []byte, off int64) // fills p with what lies from off on
}

func (m *made) info(key string) (madeFile, object.Info, error) {
	f, ok := m.files[key[strings.LastIndexByte(key, '/')+1:]]
	if !ok {
		return f, object.Info{}, object.ErrNotFound
	}
	return f, object.Info{Size: f.size, ETag: `"made"`}, nil
}

func (m *made) Stat(_ context.Context, a object.Addr) (object.Info, error) {
	_, info, err := m.info(a.Key())
	return info, err
}

func (m *made) Open(_ context.Context, a object.Addr, r object.Range) (io.ReadCloser, object.Info, error) {
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
	m.asked = append(m.asked, r.Len)
	return &madeReader{m, f, r.Off, end}, info, nil
}

func (m *made) List(_ context.Context, s scope.Scope, after string, _ int) (page []object.Entry, more bool, err error) {
	for _, name := range []string{"a.csv", "a.json", "a.jsonl", "a.txt", "line.txt", "open.csv", "wide.csv"} {
		if f, ok := m.files[name]; ok && s.Prefix()+name > after {
			page = append(page, object.Entry{Key: s.Prefix() + name, Info: object.Info{Size: f.size, ETag: `"made"`}})
		}
	}
	return page, false, nil
}

type madeReader struct {
	m        *made
	f        madeFile
	off, end int64
}

func (r *madeReader) Read(p []byte) (int, error) {
	if r.off == r.end {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), r.end-r.off, 32<<10))
	r.f.at(p[:n], r.off)
	r.off += int64(n)
	r.m.read += int64(n)
	return n, nil
}

func (r *madeReader) Close() error { return nil }

// repeated is head and then unit over and over, up to a size.
func repeated(head, unit string, size int64) madeFile {
	return madeFile{size, func(p []byte, off int64) {
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

func madeDesk(t testing.TB, size int64, o *Options) (*conversation, *made) {
	m := &made{files: map[string]madeFile{
		"a.txt":    repeated("", "2026-11-25 10:00:00 INFO all is well, and nothing has happened here so far, no.\n", size),
		"a.csv":    repeated("id,name,city,note\n", "10001,\"a \"\"name\"\"\",Utrecht,\"two\nlines\"\n", size),
		"a.jsonl":  repeated("", `{"id":10001,"name":"a name","tags":["a","b"],"nested":{"x":1.5}}`+"\n", size),
		"a.json":   repeated("[", `{"id":10001,"name":"a name","tags":["a","b"],"nested":{"x":1.5}},`+"\n", size),
		"open.csv": repeated("a,b\n1,\"", "a quote that is never closed ", size),
		"wide.csv": repeated("a,b\n", ",,,,,,,,,,", size),
		"line.txt": repeated("", "all in one line of many words; ", size),
	}}
	return converse(t, object.New(m, "b", nil), sessionScope(t, "acme", "u1"), o), m
}

// A file of 10 GB takes no more memory than one of 10 KB, whatever the tool and the format, and no call reads more than
// it may. What is measured is all that is allocated, not only what is alive at once.
func TestTenGigabytesTakeNoMoreMemory(t *testing.T) {
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
		c, m := madeDesk(t, size, o)
		var listed fileList
		out := map[string]uint64{}
		measured := func(what string, f func()) {
			m.read = 0
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			f()
			runtime.ReadMemStats(&after)
			out[what] = after.TotalAlloc - before.TotalAlloc
			require.LessOrEqual(t, m.read, int64(scan+64<<10), what)
		}
		measured("list_files", func() { listed = get[fileList](c, "list_files", `{}`) })
		require.Len(t, listed.Files, len(names))
		for i, name := range names {
			for _, call := range calls {
				measured(fmt.Sprintf("%s %s %s", call.tool, name, call.args), func() {
					_, err := c.raw(call.tool, fmt.Sprintf(`{"file":"f%d"%s}`, i+1, call.args))
					require.NoError(t, err)
				})
			}
		}
		return out
	}
	allocated(small) // what is made once is made
	little, much := allocated(small), allocated(large)
	for what, n := range much {
		if raced {
			continue
		}
		require.LessOrEqual(t, n, little[what]+256<<10, "%s: %d for 10 KB, %d for 10 GB", what, little[what], n)
		t.Logf("%8d %8d %s", little[what], n, what)
	}
}

// Whatever lies in the middle of 10 GB can be reached: by offset, by the cursors of a search, by a sample.
func TestTenGigabytesAreReached(t *testing.T) {
	const scan = 2 << 20
	c, m := madeDesk(t, large, &Options{MaxScan: scan})
	get[fileList](c, "list_files", `{}`)
	out := get[chunk](c, "read_chunk", `{"file":"f4","by":"bytes","start":5000000000,"count":100}`)
	want := make([]byte, 100)
	m.files["a.txt"].at(want, 5_000_000_000)
	require.Equal(t, string(want), out.Text)

	out = get[chunk](c, "read_chunk", `{"file":"f4","by":"bytes","start":9999999990}`)
	require.Empty(t, out.Cursor)
	require.Len(t, out.Text, 10)

	rows := get[sampleResult](c, "sample", `{"file":"f1","count":20}`)
	require.Len(t, rows.Items, 20)
	for i, it := range rows.Items[:19] {
		require.Equal(t, []string{"10001", `a "name"`, "Utrecht", "two\nlines"}, it.Row, "%d", i)
		require.InDelta(t, float64(i)*large/19, float64(it.Offset), 1000)
	}
	require.Greater(t, rows.Items[19].Offset, int64(large-40_000), "the last is the last")
	require.Equal(t, rows, get[sampleResult](c, "sample", `{"file":"f1","count":20}`), "the same each time")

	lines := get[sampleResult](c, "sample", `{"file":"f5","count":5}`)
	require.Len(t, lines.Items, 5)
	for _, it := range lines.Items[1:] {
		require.True(t, it.Within)
	}

	// A search goes on where it stopped, and counts the lines on.
	found := get[searchResult](c, "search", `{"file":"f4","pattern":"warning"}`)
	require.Empty(t, found.Matches)
	require.InDelta(t, scan, float64(found.End), 1000)
	require.Contains(t, found.Notes[0], "continue with the cursor")
	next := get[searchResult](c, "search", args(t, "file", "f4", "pattern", "warning", "cursor", found.Cursor))
	require.Equal(t, found.End, next.Start)
	require.InDelta(t, 2*scan, float64(next.End), 1000)
	lineLen := int64(len("2026-11-25 10:00:00 INFO all is well, and nothing has happened here so far, no.\n"))
	cursor, line := "", int64(1)
	for range 5 {
		call := []any{"file", "f4", "pattern", "happened", "limit", 7}
		if cursor != "" {
			call = append(call, "cursor", cursor)
		}
		out := get[searchResult](c, "search", args(t, call...))
		require.Len(t, out.Matches, 7)
		for _, m := range out.Matches {
			require.Equal(t, line, m.Line)
			require.Equal(t, m.Offset/lineLen+1, m.Line)
			line++
		}
		cursor = out.Cursor
	}

	one := get[description](c, "describe_file", `{"file":"f1"}`)
	two := get[description](c, "describe_file", args(t, "file", "f1", "cursor", one.Cursor))
	require.Greater(t, *two.Rows, *one.Rows)
	require.InDelta(t, float64(two.Counted)/float64(*two.Rows), float64(one.Counted)/float64(*one.Rows), 0.1)
	require.False(t, two.Complete)
}

func TestProgress(t *testing.T) {
	c, _ := madeDesk(t, large, &Options{MaxScan: 20 << 20})
	get[fileList](c, "list_files", `{}`)
	tool, _ := c.tools.Lookup("search")
	var told []any
	_, err := tool.Call(t.Context(), tools.NewCall(tools.CallOptions{
		Scope: c.scope, State: c.state, Args: []byte(`{"file":"f4","pattern":"not there"}`), Progress: func(v any) { told = append(told, v) },
	}))
	require.NoError(t, err)
	require.Len(t, told, 2)
	last := told[1].(Progress)
	require.InDelta(t, 2*progressStep, float64(last.Read), blockLen)
	require.Equal(t, Progress{File: "f4", Read: last.Read, Size: large}, last)
}

// A call that needs little asks for little: what is not read is not asked for.
func TestRangesGrow(t *testing.T) {
	c, m := madeDesk(t, large, &Options{MaxScan: 40 << 20})
	get[fileList](c, "list_files", `{}`)
	m.asked = nil
	get[chunk](c, "read_chunk", `{"file":"f1","count":1}`)
	require.Equal(t, []int64{headLen, firstRange}, m.asked)
	m.asked = nil
	get[searchResult](c, "search", `{"file":"f4","pattern":"not there"}`)
	require.Equal(t, []int64{headLen, firstRange, 1 << 20, 4 << 20, lastRange, lastRange, 40<<20 - firstRange - 5<<20 - 2*lastRange}, m.asked)
}
