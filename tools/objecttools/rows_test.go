package objecttools

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// collectRows returns the rows of a file as text: fields with |, records as they are, problems in parentheses.
func collectRows(t *testing.T, c *conversation, handle string, o *RowsOptions) (*Rows, []string) {
	t.Helper()
	r, err := OpenRows(t.Context(), c.newCall(), c.bucket, handle, o)
	require.NoError(t, err)
	var all []string
	end := int64(0)
	for row, err := range r.All(t.Context()) {
		require.NoError(t, err)
		require.EqualValues(t, len(all)+1, row.Number)
		require.GreaterOrEqual(t, row.Offset, end-1)
		require.Greater(t, row.End, row.Offset)
		end = row.End
		var fields []string
		for _, f := range row.Fields {
			fields = append(fields, string(f))
		}
		text := strings.Join(fields, "|") + string(row.Record)
		if row.Problem != "" {
			text = "(" + row.Problem + ")"
		}
		if row.Cut {
			text += "…"
		}
		all = append(all, text)
	}
	return r, all
}

func TestRowsOfEveryFormat(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, content, format string
		columns               []string
		rows                  []string
	}{
		"csv": {"a.csv", "a;b\r\n1;\"x;\"\"y\"\"\"\r\n\r\n2;z;more\r\n", "csv", []string{"a", "b"}, []string{`1|x;"y"`, "2|z|more"}},
		"malformed": {"a.csv", "a,b\n1,x\"y\n2,z\n", "csv", []string{"a", "b"},
			[]string{"(a quote within a field that does not begin with a quote)", "2|z"}},
		"never closed": {"a.csv", "a,b\n1,\"x\n2,y\n3,z\n", "csv", []string{"a", "b"},
			[]string{"(a quote that is never closed)", "2|y", "3|z"}},
		"json lines": {"a.jsonl", "{\"a\":1}\n\n  \nnot json\n{\"a\":2}", "jsonl", nil, []string{`{"a":1}`, "not json", `{"a":2}`}},
		"array": {"a.json", ` [ {"a":[1,{"b":"]},"}]} , 7, "x, y\"]" ,null]  `, "json", nil,
			[]string{`{"a":[1,{"b":"]},"}]}`, "7", `"x, y\"]"`, "null"}},
		"within an object": {"a.json", `{"meta":{"n":[1,2]},"tags":["x"],"items":[{"a":1},{"a":2}],"more":[{"a":3}]}`, "json", nil,
			[]string{`{"a":1}`, `{"a":2}`}},
		"one object":  {"a.json", `{"a":1,"b":["x"]}`, "json", nil, []string{`{"a":1,"b":["x"]}`}},
		"empty array": {"a.json", `[]`, "json", nil, nil},
		"truncated":   {"a.json", `[{"a":1},{"a":`, "json", nil, []string{`{"a":1}`, "(the file ends within a value)"}},
		"too many ends": {"a.json", `[{"a":1}]]]}}{"a":2}`, "json", nil,
			[]string{`{"a":1}`, "(the value of the file ends at byte 9, and the text after it is not read)"}},
		"text after an object": {"a.json", "{\"a\":\n1}\n trailing", "json", nil,
			[]string{"{\"a\":\n1}", "(the value of the file ends at byte 8, and the text after it is not read)"}},
		"white space after an array": {"a.json", "[{\"a\":1}] \n ", "json", nil, []string{`{"a":1}`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conv := newConversation(t, nil)
			r, rows := collectRows(t, conv, conv.storeFile(c.file, c.content), nil)
			require.Equal(t, c.format, r.Format)
			require.Equal(t, c.columns, r.Columns)
			require.Len(t, c.columns, r.HasColumns)
			require.Equal(t, c.rows, rows)
			for range r.All(t.Context()) {
				break
			}
			for _, err := range r.All(t.Context()) {
				require.ErrorContains(t, err, "have been read")
			}
		})
	}
}

func TestRowsOfUTF16(t *testing.T) {
	t.Parallel()
	b := []byte("\xff\xfe")
	for _, u := range utf16.Encode([]rune("maß,größe\nä,😀\n")) {
		b = append(b, byte(u), byte(u>>8))
	}
	c := newConversation(t, nil)
	r, rows := collectRows(t, c, c.storeFile("a.csv", string(b)), nil)
	require.Equal(t, "UTF-16LE", r.Encoding)
	require.Equal(t, []string{"maß", "größe"}, r.Columns)
	require.Equal(t, []string{"ä|😀"}, rows)
}

func TestPartsOfJSONThatAreNotReadAreNoted(t *testing.T) {
	t.Parallel()
	const oneRow = "the whole file is read as one row, because none of its members is an array of objects"
	for content, want := range map[string]string{
		`[{"a":[{"b":1}]},{"c":{"d":[{"e":1}]}}]`:                      "",
		`{"items":[{"a":1,"b":[{"c":2}]}]}`:                            "",
		`{"data":{"items":[{"a":1}]}}`:                                 oneRow,
		`{"suppliers":[{"a":1}],"shipments":[{"a":1},{"a":2}]}`:        `the rows are the items of "suppliers"; not read: "shipments" (17 bytes)`,
		`{"po":"x,\"}:", "lines":[{"a":1}], "total":{"b":{},"c":[1]}}`: `the rows are the items of "lines"; not read: "po" (8 bytes), "total" (16 bytes)`,
		`{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":[{}],"h":7}`: `the rows are the items of "g"; not read: "a" (1 bytes), "b" (1 bytes), ` +
			`"c" (1 bytes), "d" (1 bytes), "e" (1 bytes) and 2 more`,
		`{"` + strings.Repeat("n", 100) + `":1,"b":[{}]}`: `the rows are the items of "b"; not read: "` + strings.Repeat("n", 60) + `" (1 bytes)`,
	} {
		c := newConversation(t, nil)
		r, _ := collectRows(t, c, c.storeFile("a.json", content), nil)
		require.Equal(t, want, strings.Join(r.Notes, "|"), content)
	}
}

func TestFilesWithoutRowsAreCorrections(t *testing.T) {
	t.Parallel()
	c := newConversation(t, nil)
	for name, content := range map[string]string{
		"empty.csv": "", "only a mark.csv": "\xef\xbb\xbf", "picture.csv": "\x89PNG\r\n\x1a\n\x00\x00", "archive.csv": "PK\x03\x04\x00\x00",
		"words.txt": "just words", "wide.csv": strings.Repeat("a,", 1<<20),
	} {
		_, err := OpenRows(t.Context(), c.newCall(), c.bucket, c.storeFile(name, content), nil)
		require.ErrorAs(t, err, new(*tools.CorrectionError), name)
	}
	_, err := OpenRows(t.Context(), c.newCall(), c.bucket, "f99", nil)
	require.ErrorAs(t, err, new(*tools.CorrectionError))
	for _, max := range []int{-1, 1, 1<<20 + 1} {
		_, err = OpenRows(t.Context(), c.newCall(), c.bucket, "f1", &RowsOptions{MaxRow: max})
		require.ErrorContains(t, err, "MaxRow")
	}
	_, err = OpenRows(t.Context(), c.newCall(), nil, "f1", nil)
	require.Error(t, err)
}

// Rows of any length are read whole but kept in part. The test measures all allocations and must not run in parallel.
func TestRowsKeepLittleOfALongRow(t *testing.T) {
	const size = 32 << 20
	for what, file := range map[string]struct {
		name string
		file syntheticFile
	}{
		"quotes":  {"a.csv", repeatUnit("a,b\n1,\"", "within quotes, ", size)},
		"line":    {"a.jsonl", repeatUnit(`{"a":"`, "a string that does not end ", size)},
		"string":  {"a.json", repeatUnit(`[{"a":"`, "a string that does not end ", size)},
		"nesting": {"a.json", repeatUnit(`[`, "[", size)},
		"records": {"a.json", repeatUnit(`[`, `{"a":1},`, size)},
	} {
		m := &syntheticDriver{files: map[string]syntheticFile{file.name: file.file}}
		c := startConversation(t, must.Get(object.New(m, "b", nil)), sessionScope(t, "acme", "u1"), nil)
		callAs[fileList](c, "list_files", `{}`)
		r, err := OpenRows(t.Context(), c.newCall(), c.bucket, "f1", &RowsOptions{MaxRow: 1 << 10})
		require.NoError(t, err)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		rows := 0
		for row, err := range r.All(t.Context()) {
			if err != nil || len(row.Record) > 1<<10 { // without allocations
				t.Fatal(what, err, len(row.Record))
			}
			rows++
		}
		runtime.ReadMemStats(&after)
		require.Positive(t, rows, what)
		require.InDelta(t, size, m.bytesRead-headLen, 100, what)
		if !isRace {
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(2<<20), what)
		}
	}
}

// Many quotes that are never closed do not make the file be read many times.
func TestUnclosedQuotesAreResumedAFewTimes(t *testing.T) {
	t.Parallel()
	c := newConversation(t, nil)
	handle := c.storeFile("a.csv", "a,b\n"+strings.Repeat("\"x\"\"\n", 1001))
	_, rows := collectRows(t, c, handle, nil)
	require.LessOrEqual(t, len(rows), 1001+maxResumes)
}

func TestHostsAssignAndLookUpHandles(t *testing.T) {
	t.Parallel()
	c := newConversation(t, nil)
	a, b := c.putObject("a.csv", "x"), c.putObject("b.csv", "y")
	handles, err := Assign(c.newCall(), b, a, b)
	require.NoError(t, err)
	require.Equal(t, []string{"f1", "f2", "f1"}, handles)
	listed := callAs[fileList](c, "list_files", `{}`)
	require.Equal(t, "f2", listed.Files[0].File)

	_, ref, err := Lookup(c.newCall(), c.bucket, "f2")
	require.NoError(t, err)
	require.Equal(t, a, ref)
	stranger := tools.NewCall(tools.CallOptions{Scope: sessionScope(t, "acme", "u2"), State: c.state})
	_, _, err = Lookup(stranger, c.bucket, "f2")
	require.ErrorAs(t, err, new(*tools.CorrectionError))
	_, _, unknown := Lookup(c.newCall(), c.bucket, "f3")
	require.Equal(t, strings.ReplaceAll(unknown.Error(), "f3", "f2"), err.Error(), "not to be told from a handle that does not exist")
	_, _, err = Lookup(c.newCall(), nil, "f2")
	require.Error(t, err)
	_, err = Assign(c.newCall(), a.Unpinned())
	require.ErrorContains(t, err, "not pinned")

	var refs []object.Ref
	for i := range maxFiles {
		refs = append(refs, c.putObject(fmt.Sprintf("n%d", i), "z"))
	}
	handles, err = Assign(c.newCall(), refs...)
	require.ErrorIs(t, err, ErrFull)
	require.Len(t, handles, maxFiles-2)
}

// Each record of an array of valid JSON is a row, byte by byte.
func FuzzRecords(f *testing.F) {
	f.Add(`{"a":"x,]"}`, `[1,[2]]`)
	f.Add(`"\\\""`, `-1.5e3`)
	f.Fuzz(func(t *testing.T, a, b string) {
		if !json.Valid([]byte(a)) || !json.Valid([]byte(b)) || len(a)+len(b) > 8<<10 {
			t.Skip()
		}
		s := &recordSplitter{max: 1 << 20}
		var got []string
		for _, c := range []byte("[" + a + "," + b + "]") {
			if state := s.consume(c); state == splitterEnds || state == splitterPast {
				got = append(got, strings.TrimRight(string(s.kept), " \t\r\n"))
			}
		}
		require.Equal(t, []string{strings.Trim(a, " \t\r\n"), strings.Trim(b, " \t\r\n")}, got)
	})
}
