package tools

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/strictjson"
)

func TestTruncateKeepsResultsWithinTheLimit(t *testing.T) {
	t.Parallel()
	image := Block{Image: &Media{Format: "png", Bytes: make([]byte, 9999)}}
	run := func(blocks ...Block) []Block {
		res, err := call(mustNew(t, func(context.Context, *Call, struct{}) ([]Block, error) { return blocks, nil }, Truncate(300)), `{}`)
		require.NoError(t, err)
		require.NoError(t, res.Check())
		size := 0
		for _, b := range res.Blocks {
			size += len(b.Text) + len(b.JSON)
		}
		require.LessOrEqual(t, size, 300)
		return res.Blocks
	}
	a, ü := strings.Repeat("a", 150), strings.Repeat("ü", 150)
	fits := []Block{{Text: a}, image, {Text: a}}
	require.Equal(t, fits, run(fits...), "300 bytes of text")
	require.Equal(t, []Block{{Text: a}, {Text: a[:22]}, image, {Text: "[Cut to fit: 172 of 301 bytes are shown, and the last value may be incomplete.]"}}, run(Block{Text: a}, Block{Text: a}, image, Block{Text: "b"}))
	require.Equal(t, []Block{{Text: a[:1]}, {Text: ü[:170]}, {Text: "[Cut to fit: 171 of 301 bytes are shown, and the last value may be incomplete.]"}}, run(Block{Text: "a"}, Block{Text: ü}))

	// JSON stays JSON: it ends earlier.
	var list []map[string]any
	for i := range 50 {
		list = append(list, map[string]any{"n": i, "title": "a, [b] {c}: \"d\\"})
	}
	raw, err := json.Marshal(map[string]any{"books": list, "more": true})
	require.NoError(t, err)
	got := run(Block{JSON: raw})
	require.Equal(t, `{"books":[{"n":0,"title":"a, [b] {c}: \"d\\"},{"n":1,"title":"a, [b] {c}: \"d\\"},{"n":2,"title":"a, [b] {c}: \"d\\"},{"n":3,"title":"a, [b] {c}: \"d\\"},{"n":4}]}`, string(got[0].JSON))
	require.Contains(t, got[1].Text, "[Cut to fit: ")

	got = run(Block{JSON: []byte(`{"text":"` + strings.Repeat(`ü\n`, 200) + `"}`)})
	require.Equal(t, `{"text":"`+strings.Repeat(`ü\n`, 39)+`ü…"}`, string(got[0].JSON))
	got = run(Block{JSON: []byte("1" + strings.Repeat("0", 305))})
	require.Equal(t, []Block{{Text: "[Cut to fit: 0 of 306 bytes are shown, and the last value may be incomplete.]"}}, got)

	// Invalid JSON is not made to look valid.
	_, err = call(mustNew(t, noop[struct{}], Truncate(256), func(Handler) Handler {
		return func(context.Context, *Call) (Result, error) {
			return Result{Blocks: []Block{{JSON: []byte(strings.Repeat("}", 300))}}}, nil
		}
	}), `{}`)
	require.ErrorContains(t, err, "block 0 is not valid JSON")

	// An error is not a result to be cut, and the summary is of the whole.
	res, err := call(mustNew(t, func(context.Context, *Call, struct{}) (string, error) { return "one\n" + a + a, nil }, Truncate(256)), `{}`)
	require.NoError(t, err)
	require.Equal(t, "one…", res.Summary)
}

// For all JSON and limits, the rest is JSON within the limit, with all values that fit.
func FuzzCutJSON(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,2,{"b":"c"}],"d":null}`, `[[[[]]]]`, `"` + strings.Repeat("x", 100) + `"`,
		`["` + strings.Repeat(`\ud83d\ude00`, 30) + `","` + strings.Repeat(`\u00fcé\\\"`, 30) + `"]`,
		`{"` + strings.Repeat("k", 100) + `":1}`, ` [ 1 , "a" ] `, `12345`, `{}`,
	} {
		for n := range 40 {
			f.Add([]byte(s), n*3)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte, n int) {
		if strictjson.Check(raw) != nil || n < 0 || n >= len(raw) {
			return
		}
		got := cutJSON(raw, n)
		require.LessOrEqual(t, len(got), n)
		if got == nil {
			return
		}
		require.NoError(t, strictjson.Check(got), "%s of %s", got, raw)
		require.True(t, utf8.Valid(got))
	})
}

// A call with Truncate returns an error, or a valid result within the limit.
func FuzzTruncate(f *testing.F) {
	for _, s := range []string{
		`{"a":"\ud99c` + strings.Repeat(`\ud83d\ude00`, 60) + `"}`, `["` + strings.Repeat(`\ude00`, 90) + `"]`,
		"[\"" + strings.Repeat("\xff", 250) + "\"]", `{"a":1,"a":` + strings.Repeat("1", 300) + `}`, `{"\ud800":1,"\udfff":2}`,
		strings.Repeat("[", 600) + strings.Repeat("]", 600), `["` + strings.Repeat(`\\`, 200), "[" + strings.Repeat(`{"a":[1e400,"x"]},`, 40) + "1]",
	} {
		f.Add(s, "", 0)
		f.Add(s, strings.Repeat("ü", 200), 7)
	}
	f.Fuzz(func(t *testing.T, doc, text string, more int) {
		n := 256 + more&0xff
		res, err := call(mustNew(t, func(context.Context, *Call, struct{}) ([]Block, error) {
			return []Block{{Text: text}, {JSON: json.RawMessage(doc)}}, nil
		}, Truncate(n)), `{}`)
		if err != nil {
			return
		}
		require.NoError(t, res.Check())
		size := 0
		for _, b := range res.Blocks {
			size += len(b.Text) + len(b.JSON)
		}
		require.LessOrEqual(t, size, n)
	})
}
