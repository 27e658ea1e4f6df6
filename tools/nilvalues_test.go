package tools

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type inner struct {
	Marks []string `json:"marks"`
}

type hidden struct{ Inside []int }

type found struct {
	hidden
	Books   []inner          `json:"books"`
	Counts  map[string]int   `json:"counts"`
	Cover   *inner           `json:"cover"`
	None    *inner           `json:"none"`
	Any     any              `json:"any"`
	Bytes   []byte           `json:"bytes"`
	Raw     json.RawMessage  `json:"raw"`
	Pair    [2]inner         `json:"pair"`
	By      map[string]inner `json:"by"`
	Empty   []string         `json:"empty,omitempty"`
	Zero    []string         `json:"zero,omitzero"`
	ZeroIn  inner            `json:"zero_in,omitzero"`
	Skipped []string         `json:"-"`
	When    time.Time        `json:"when"`
	private []string         //nolint:unused // unexported fields are left out of results
}

// A model reads [] as "nothing found", so nil slices and maps never reach it as null.
func TestNilSlicesAreEmptyLists(t *testing.T) {
	t.Parallel()
	encoded := func(out any) string {
		res, err := encodeResult(out, &nilFiller{})
		require.NoError(t, err)
		return string(res.Blocks[0].JSON)
	}
	v := found{Books: []inner{{}, {Marks: []string{"a"}}}, Cover: &inner{}, Any: map[string]any{"list": []int(nil), "null": nil, "in": &inner{}},
		By: map[string]inner{"x": {}}}
	require.Equal(t, `{"Inside":[],"books":[{"marks":[]},{"marks":["a"]}],"counts":{},"cover":{"marks":[]},"none":null,`+
		`"any":{"in":{"marks":[]},"list":[],"null":null},"bytes":"","raw":null,"pair":[{"marks":[]},{"marks":[]}],"by":{"x":{"marks":[]}},`+
		`"when":"0001-01-01T00:00:00Z"}`, encoded(v))
	require.Nil(t, v.Books[0].Marks, "the tool's own value does not change")
	require.Nil(t, v.Cover.Marks)
	require.Nil(t, v.Any.(map[string]any)["list"])
	require.Equal(t, encoded(v), encoded(&v))

	require.Equal(t, `[]`, encoded([]int(nil)))
	require.Equal(t, `{}`, encoded(map[string]int(nil)))
	require.Equal(t, `[[],[1]]`, encoded([][]int{nil, {1}}))
	require.Equal(t, `null`, encoded((*found)(nil)))
	require.Equal(t, `[{"marks":[]},null]`, encoded([]any{inner{}, nil}))
	var nothing any
	require.Equal(t, `null`, encoded(nothing))

	// Through a tool, with an Out that is an interface.
	res, err := call(mustNew(t, func(context.Context, *Call, struct{}) (any, error) { return inner{}, nil }), `{}`)
	require.NoError(t, err)
	require.Equal(t, `{"marks":[]}`, string(res.Blocks[0].JSON))
}

type knot struct {
	Left, Right *knot
	List        []int
}

// BenchmarkEncode is a result with lists, none of them nil and one of them nil.
func BenchmarkEncode(b *testing.B) {
	for name, marks := range map[string][]string{"full": {"a"}, "nil": nil} {
		v := []inner{{[]string{"a", "b"}}, {[]string{"c"}}, {marks}}
		var nils nilFiller
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := encodeResult(v, &nils); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A value that holds itself is an error, as in encoding/json, and found at once.
func TestNilSlicesInACycleAreAnError(t *testing.T) {
	t.Parallel()
	k := &knot{List: []int{1}}
	k.Left, k.Right = k, k
	_, err := encodeResult(k, &nilFiller{})
	require.ErrorContains(t, err, "cycle")
	type loop struct {
		List []int // nil, and found before the cycle
		Next *loop
	}
	l := &loop{}
	l.Next = l
	_, err = encodeResult(l, &nilFiller{})
	require.ErrorContains(t, err, "cycle")
	require.False(t, mayHoldNil(reflect.TypeFor[struct {
		A string
		B *struct{ C int }
	}](), nil))
}

// Invalid text in a result becomes U+FFFD. Other defects are errors, so that they never reach a history.
func TestResultsAreStrictJSON(t *testing.T) {
	t.Parallel()
	half := json.RawMessage(`{"text":"\ud99c"}`)
	for name, f := range map[string]func() (any, error){
		"a block":         func() (any, error) { return Block{JSON: half}, nil },
		"blocks":          func() (any, error) { return []Block{{JSON: half}}, nil },
		"a result":        func() (any, error) { return Result{Blocks: []Block{{JSON: half}}}, nil },
		"inside a struct": func() (any, error) { return half, nil },
	} {
		for _, mw := range [][]Middleware{nil, {Truncate(256)}} {
			tool := mustNew(t, func(context.Context, *Call, struct{}) (any, error) { return f() }, mw...)
			res, err := call(tool, `{}`)
			require.NoError(t, err, name)
			require.Equal(t, `{"text":"\ufffd"}`, string(res.Blocks[0].JSON), name)
		}
	}
	require.Equal(t, `{"text":"\ud99c"}`, string(half), "the tool's own bytes do not change")
	for raw, want := range map[string]string{
		`{"a":1,"a":2}`:           `block 0 is ambiguous: the name "a" appears twice in one object`,
		`{"\ud800":1,"\udfff":2}`: `block 0 is ambiguous: the name "�" appears twice in one object`,
		strings.Repeat("[", 501):  `block 0 is nested more than 500 levels deep`,
		`{`:                       `block 0 is not valid JSON: unexpected end at byte 1`,
	} {
		_, err := call(mustNew(t, func(context.Context, *Call, struct{}) (Block, error) { return Block{JSON: []byte(raw)}, nil }), `{}`)
		require.ErrorContains(t, err, want)
	}
}
