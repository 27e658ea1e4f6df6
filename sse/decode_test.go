package sse_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/sse"
)

// vectors are streams with the events that the specification makes of them, as in the web platform tests.
var vectors = []struct {
	name, stream string
	want         []sse.Event
}{
	{"bom", "\ufeffdata:1\n\n\ufeffdata:2\n\ndata:3\n\n", events("1", "3")},
	{"two boms", "\ufeff\ufeffdata:1\n\ndata:2\n\ndata:3\n\n", events("2", "3")},
	{"comments", "data:1\r:\x00\n:\r\ndata:2\n:" + long + "\rdata:3\n:data:fail\r:" + long + "\ndata:4\n\n", events("1\n2\n3\n4")},
	{"no final empty line", "retry:1000\ndata:test1\n\nid:test\ndata:test2", events("test1")},
	{"data", "data:\n\ndata\ndata\n\ndata:test\n\n", events("", "\n", "test")},
	{"event", "event:test\ndata:x\n\ndata:x\n\n", []sse.Event{{Name: "test", Data: []byte("x")}, {Data: []byte("x")}}},
	{"empty event", "event: \ndata:data\n\n", events("data")},
	{"id", "id:…\ndata:hello\n\n", []sse.Event{{ID: "…", Data: []byte("hello")}}},
	{"id lasts", "id: 1\ndata: 1\n\ndata: 2\n\nid: 2\ndata:3\n\ndata:4\n\n", []sse.Event{
		{ID: "1", Data: []byte("1")}, {ID: "1", Data: []byte("2")}, {ID: "2", Data: []byte("3")}, {ID: "2", Data: []byte("4")}}},
	{"empty id", "id: 1\ndata: 1\n\nid:\ndata:2\n\ndata:3\n\n", []sse.Event{
		{ID: "1", Data: []byte("1")}, {Data: []byte("2")}, {Data: []byte("3")}}},
	{"id with null", "id:a\ndata:1\n\nid:x\x00y\ndata:2\n\n", []sse.Event{
		{ID: "a", Data: []byte("1")}, {ID: "a", Data: []byte("2")}}},
	{"field parsing", "data:\x00\ndata:  2\rData:1\ndata\x00:2\ndata:1\r\x00data:4\nda-ta:3\rdata_5\ndata:3\rdata:\r\n data:32\ndata:4\n\n",
		events("\x00\n 2\n1\n3\n\n4")},
	{"retry", "retry:03000\ndata:x\n\n", events("x")},
	{"bogus retry", "retry:3000\nretry:1000x\ndata:x\n\n", events("x")},
	{"empty retry", "retry\ndata:test\n\n", events("test")},
	{"unknown fields", "data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacommentyay\ndata:test\n\n", events("test\n\ntest")},
	{"leading space", "data:\ttest\rdata: \ndata:test\n\n", events("\ttest\n\ntest")},
	{"newlines", "data:test\r\ndata\ndata:test\r\n\r", events("test\n\ntest")},
	{"null", "data:\x00\n\n\n\n", events("\x00")},
	{"utf-8", "data:ok…\n\n", events("ok…")},
	{"blocks without data", "id:1\n\nevent:lost\n\ndata:x\n\n", []sse.Event{{ID: "1", Data: []byte("x")}}},
	{"only carriage returns", "data:a\rdata:b\r\rdata:c\r\r", events("a\nb", "c")},
	{"nothing", "", nil},
}

var long = strings.Repeat("x", 2048)

// events returns an event without an id for each of data.
func events(data ...string) (events []sse.Event) {
	for _, d := range data {
		events = append(events, sse.Event{Data: []byte(d)})
	}
	return events
}

// randomChunks returns at most a few bytes from each Read.
type randomChunks struct{ r io.Reader }

func (c randomChunks) Read(b []byte) (int, error) { return c.r.Read(b[:min(len(b), rand.N(7))]) }

// feeds are the ways in which a stream may arrive.
var feeds = map[string]func(io.Reader) io.Reader{
	"whole":         func(r io.Reader) io.Reader { return r },
	"byte by byte":  iotest.OneByteReader,
	"random chunks": func(r io.Reader) io.Reader { return randomChunks{r} },
	"data with EOF": iotest.DataErrReader,
}

func TestDecodeFollowsTheSpecification(t *testing.T) {
	t.Parallel()
	for _, v := range vectors {
		for feed, wrap := range feeds {
			require.Equal(t, v.want, decode(t, wrap(strings.NewReader(v.stream))), "%s, %s", v.name, feed)
		}
	}
}

// A server that ends its lines with CR may send the next byte much later.
func TestDecodeDoesNotWaitForTheByteAfterCR(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	defer w.Close()
	go func() { _, _ = io.WriteString(w, "data: x\r\r") }()
	for e, err := range sse.Decode(r, 0) {
		require.NoError(t, err)
		require.Equal(t, "x", string(e.Data))
		break
	}
}

func TestDecodeLimitsTheSizeOfAnEvent(t *testing.T) {
	t.Parallel()
	last := func(stream string) (n int, err error) {
		for _, err = range sse.Decode(strings.NewReader(stream), 10_000) {
			n++
		}
		return n, err
	}
	line := strings.Repeat("x", 4999) + "\n"
	for stream, fits := range map[string]bool{
		"data: " + strings.Repeat("x", 10_000) + "\n\n":                      true,
		"data: " + strings.Repeat("x", 10_001) + "\n\n":                      false,
		"data: " + line + "data: " + line + "data: \n\n":                     true,
		"data: " + line + "data: " + line + "data: x\n\n":                    false,
		strings.Repeat("data\n", 10_002) + "\n":                              false,
		strings.Repeat("data: "+line+"\n", 10):                               true,
		"data: x\n:" + strings.Repeat("x", 20_000) + "\n\n":                  false,
		"data: x\nevent: " + strings.Repeat("x", 20_000) + "\n\n":            false,
		"data: x\nid: " + strings.Repeat("x", 20_000) + "\n\n":               false,
		"data: " + strings.Repeat("x", 20_000) /* and no end of the line */ : false,
	} {
		n, err := last(stream)
		if fits {
			require.NoError(t, err)
			require.NotZero(t, n)
		} else {
			require.ErrorIs(t, err, sse.ErrTooLarge)
		}
	}
}

func TestDecodeReportsABrokenStream(t *testing.T) {
	t.Parallel()
	var got []sse.Event
	var last error
	for e, err := range sse.Decode(io.MultiReader(strings.NewReader("data: 1\n\ndata: 2\n"), iotest.ErrReader(io.ErrUnexpectedEOF)), 0) {
		if last = err; err == nil {
			got = append(got, e)
		}
	}
	require.Equal(t, events("1"), got)
	require.ErrorIs(t, last, io.ErrUnexpectedEOF)

	for _, err := range sse.Decode(stalled{}, 0) {
		require.ErrorIs(t, err, io.ErrNoProgress)
	}
}

type stalled struct{}

func (stalled) Read([]byte) (int, error) { return 0, nil }

// A reader returns any data as it was sent, but with LF at the ends of lines, and nothing else.
func FuzzEvent(f *testing.F) {
	f.Add("0.1", "n", []byte("a\r\nb"))
	f.Add("", "", []byte("\n\nid: 1\n\ndata: x"))
	f.Add("1", "", []byte("\r\r\n\n\r"))
	f.Fuzz(func(t *testing.T, id, name string, data []byte) {
		rec := httptest.NewRecorder()
		w := must.Get(sse.NewWriter(rec, nil))
		defer w.Close()
		e := sse.Event{ID: id, Name: name, Data: data}
		if err := w.Send(e, sse.Event{}, e); err != nil {
			require.ErrorIs(t, err, sse.ErrField)
			require.Empty(t, rec.Body.Bytes())
			return
		}
		e.Data = []byte(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data)))
		want := []sse.Event{e, {ID: id, Data: []byte{}}, e}
		for feed, wrap := range feeds {
			require.Equal(t, want, decode(t, wrap(bytes.NewReader(rec.Body.Bytes()))), feed)
		}
	})
}

// A hostile stream yields the same events however it arrives, and they survive a Writer.
func FuzzDecode(f *testing.F) {
	for _, v := range vectors {
		f.Add([]byte(v.stream))
	}
	f.Add([]byte("event:\x00\ndata:\n\n"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		const limit = 1000
		decode := func(r io.Reader) (events []sse.Event, last error) {
			for e, err := range sse.Decode(r, limit) {
				if last = err; err == nil {
					events = append(events, e)
				}
			}
			return events, last
		}
		want, wantErr := decode(bytes.NewReader(stream))
		if len(stream) <= limit {
			require.NoError(t, wantErr)
		}
		for feed, wrap := range feeds {
			got, err := decode(wrap(bytes.NewReader(stream)))
			if wantErr == nil && err == nil {
				require.Equal(t, want, got, feed)
			}
			require.True(t, err == nil || errors.Is(err, sse.ErrTooLarge), feed)
		}
		rec := httptest.NewRecorder()
		w := must.Get(sse.NewWriter(rec, nil))
		defer w.Close()
		for i := range want {
			if want[i].ID == "" && i > 0 {
				want[i].ID = want[i-1].ID // a Writer does not void ids
			}
			want[i].Name = strings.ReplaceAll(want[i].Name, "\x00", "") // valid for a reader; a Writer rejects it
			require.LessOrEqual(t, len(want[i].Data), limit)
		}
		require.NoError(t, w.Send(want...))
		again, err := decode(rec.Body)
		require.NoError(t, err)
		require.Equal(t, want, again)
	})
}
