package objecttools

import (
	"context"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// newTextReader reads the whole of s. If slow is true, it reads one byte at a time.
func newTextReader(s string, slow bool) *textReader {
	var r io.Reader = strings.NewReader(s)
	if slow {
		r = iotest.OneByteReader(r)
	}
	store := make([]byte, 0, 64)
	return &textReader{ctx: context.Background(), body: io.NopCloser(r), to: int64(len(s)), left: int64(len(s)), rest: int64(len(s)), final: true, store: store, buf: store}
}

// Each cursor has exactly one encoding.
func FuzzCursor(f *testing.F) {
	f.Add(encodeCursor("bind", 1, 2, 0))
	f.Add(encodeCursor("bind", 1<<62, 300, 0))
	f.Add("")
	f.Add("bAAAA")
	f.Fuzz(func(t *testing.T, s string) {
		n, err := parseCursor(s, "bind", 3)
		if err != nil {
			return
		}
		require.Equal(t, s, encodeCursor("bind", n...))
		_, err = parseCursor(s, "another", 3)
		require.Error(t, err)
		_, err = parseCursor(s, "bind", 2)
		require.Error(t, err)
	})
}

func TestAlteredCursorsAreRejected(t *testing.T) {
	t.Parallel()
	s := encodeCursor("bind", 123456, 2, 0)
	n, err := parseCursor(s, "bind", 3)
	require.NoError(t, err)
	require.Equal(t, []int64{123456, 2, 0}, n)
	for i := range s {
		for _, c := range "Ab-_" {
			if byte(c) == s[i] {
				continue
			}
			_, err := parseCursor(s[:i]+string(c)+s[i+1:], "bind", 3)
			require.Error(t, err)
		}
		_, err := parseCursor(s[:i], "bind", 3)
		require.Error(t, err)
	}
	long := []byte{0x85, 0x00, 2, 0} // 5 in two bytes
	long = append(long, cursorDigest(long, "bind")...)
	_, err = parseCursor(base64.RawURLEncoding.EncodeToString(long), "bind", 3)
	require.Error(t, err, "not the one way to write it")
	for _, bad := range []string{s + "A", s + "=", s + "\n", " " + s, strings.Repeat("A", 10_000)} {
		_, err := parseCursor(bad, "bind", 3)
		require.Error(t, err)
	}
	_, err = parseCursor(s, "bind", 2)
	require.Error(t, err)
}

// csvReader finds the same records and problems as encoding/csv, which only differs in rewriting line ends within quotes.
func FuzzCSVReader(f *testing.F) {
	for _, s := range []string{
		"a,b\n1,2\n", "a,b\r\n\"x\r\ny\",2\r\n", "\"a\"\"b\",\"\"\n", "a\"b,c\nd,e\n", "\"a\"b\nc\n", "\"never", "a,b\r", "\r", "\n\n,\n", ",,\r\n\r\n\"\"", "\"\"\"", "a\rb\n", "\"a\r", "\"a\"\r", "\"a\"\rb\n", "\xff,\xfe\n",
		"é,ü\n\"ä\",ö",
	} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, slow bool) {
		want := csv.NewReader(strings.NewReader(s))
		want.FieldsPerRecord = -1
		got := csvReader{t: newTextReader(s, slow), comma: ',', eol: '\n', keep: 1 << 20}
		for {
			row, err := want.Read()
			mine := got.next()
			if errors.Is(err, io.EOF) {
				require.ErrorIs(t, mine, io.EOF)
				return
			}
			require.NoError(t, mine)
			r := &got.rec
			require.Less(t, r.off, r.end)
			if err != nil {
				require.NotEmpty(t, r.problem, "%v", err)
				require.GreaterOrEqual(t, r.at, r.off)
				require.Less(t, r.at, int64(len(s)))
				return // encoding/csv does not define where it continues after an error
			}
			require.Empty(t, r.problem)
			require.Equal(t, len(row), r.fields)
			for i, field := range row {
				require.Equal(t, field, strings.ReplaceAll(string(r.field(i)), "\r\n", "\n"))
			}
			require.Equal(t, want.InputOffset(), r.end)
		}
	})
}

// jsonScanner accepts exactly the documents that encoding/json accepts, up to maxDepth and maxLiteral.
func FuzzJSONScanner(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,2.5e-3,"x\u00e9\n",true,false,null,{}],"b":{"c":[]}}`, `[`, `{"a"}`, `01`, `-`, `1.`, `1e`, `1e+`, `"\x"`, `"\u12g4"`, "\"\n\"", `tru`, `nulll`,
		` 1 `, `[1,]`, `{"a":1,}`, `-0.0E1`, `""`, `"`, `[[[[[]]]]]`, `{"":{"":1}}`, "[1\n,2]", `1 2`, `1`, `12`, `1.5`, `1e5`, `0`, `-0`,
	} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, slow bool) {
		if strings.Count(s, "[")+strings.Count(s, "{") > maxDepth {
			return
		}
		sc := &jsonScanner{t: newTextReader(s, slow), shape: newJSONShape(utf8Text)}
		err := sc.scanDocument()
		if err == nil {
			if _, err = sc.skipSpace(); err == nil {
				err = sc.syntaxError("more")
			} else if errors.Is(err, io.EOF) {
				err = nil
			}
		}
		if err != nil && strings.Contains(err.Error(), "a number or word of more than") {
			return
		}
		require.Equal(t, json.Valid([]byte(s)), err == nil, "%v", err)
		if e, ok := errors.AsType[*jsonError](err); ok {
			require.LessOrEqual(t, e.at, int64(len(s)))
			require.GreaterOrEqual(t, e.at, int64(0))
		}
		for _, n := range sc.shape.nodes {
			require.True(t, utf8.ValidString(n.path))
		}
	})
}

// A number of any length is read in constant memory; beyond maxLiteral it counts as malformed.
func TestLongNumbersAreMalformed(t *testing.T) {
	t.Parallel()
	for n, isValid := range map[int]bool{maxLiteral: true, maxLiteral + 1: false, 1 << 20: false} {
		s := &jsonScanner{t: newTextReader(strings.Repeat("1", n), false), shape: newJSONShape(utf8Text)}
		if err := s.scanDocument(); isValid {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, "a number or word of more than 1024 bytes at byte 0")
		}
		require.LessOrEqual(t, cap(s.scratch), 2*maxLiteral)
	}
}

// The lines with their line ends, concatenated, are the text.
func FuzzLineReader(f *testing.F) {
	f.Add("a\nb\r\nc\rd", true)
	f.Add("\r\r\n\n\r", true)
	f.Add(strings.Repeat("é", 100), false)
	f.Fuzz(func(t *testing.T, s string, slow bool) {
		l := &lineReader{t: newTextReader(s, slow), line: 1}
		if len(s) > 60 { // the buffer of newTextReader holds 64 bytes
			l.t.store = make([]byte, 0, len(s)+8)
			l.t.buf = l.t.store
		}
		all, n := "", int64(1)
		for {
			p, err := l.next()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			require.True(t, p.first && p.last)
			require.EqualValues(t, len(all), p.off)
			require.Equal(t, n, p.line)
			all += string(p.b) + string(l.t.buf[len(p.b):l.drop]) // with its line end
			n++
		}
		require.Equal(t, s, all)
	})
}
