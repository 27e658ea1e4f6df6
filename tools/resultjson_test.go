package tools

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func testRoot(t testing.TB, tenant string) *object.Root {
	t.Helper()
	acme, err := scope.Tenant(tenant)
	require.NoError(t, err)
	user, err := acme.User("u1")
	require.NoError(t, err)
	root, err := must.Get(object.New(object.NewMemory(), "files", nil)).In(user)
	require.NoError(t, err)
	return root
}

// fullResult returns a result with every kind of block.
func fullResult(t testing.TB) Result {
	t.Helper()
	ref, err := testRoot(t, "acme").Ref("cover.png")
	require.NoError(t, err)
	return Result{Blocks: []Block{
		{Text: "a <cover>"}, {}, {JSON: json.RawMessage(`{"n":[1,null]}`)}, {JSON: json.RawMessage(`null`)},
		{Image: &Media{Format: "png", Object: ref}}, {Document: &Media{Format: "md", Bytes: []byte("# A")}},
		{Video: &Media{Format: "three_gp", Bytes: []byte("x")}},
	}, Summary: "a cover", IsError: true}
}

func TestResultJSONIsTheDocumentedForm(t *testing.T) {
	t.Parallel()
	want := fullResult(t)
	raw, err := json.Marshal(want)
	require.NoError(t, err)
	var pretty bytes.Buffer
	require.NoError(t, json.Indent(&pretty, raw, "", "  "))
	pretty.WriteByte('\n')
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile("testdata/result.json", pretty.Bytes(), 0o644))
	}
	golden, err := os.ReadFile("testdata/result.json")
	require.NoError(t, err)
	require.Equal(t, string(golden), pretty.String())

	var got Result
	require.NoError(t, strictjson.Decode(raw, &got))
	again, err := json.Marshal(got)
	require.NoError(t, err)
	require.Equal(t, string(raw), string(again), "unresolved objects keep their form")
	resolved, err := got.Resolve(testRoot(t, "globex"), testRoot(t, "acme"))
	require.NoError(t, err)
	require.Equal(t, want, resolved)
	require.Empty(t, got.Blocks[4].Image.Object.Key(), "the decoded result does not change")

	raw, err = json.Marshal(Result{})
	require.NoError(t, err)
	require.Equal(t, `{}`, string(raw))
}

func TestResolveReturnsErrOutsideForForeignObjects(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(fullResult(t))
	require.NoError(t, err)
	var got Result
	require.NoError(t, json.Unmarshal(raw, &got))
	_, err = got.Resolve(testRoot(t, "globex"))
	require.ErrorIs(t, err, object.ErrOutside)
	require.ErrorContains(t, err, "block 4")
	_, err = got.Resolve()
	require.ErrorIs(t, err, object.ErrInvalid)
	_, err = Result{Blocks: []Block{{Text: "a"}}}.Resolve()
	require.NoError(t, err)
}

func TestBlockJSONIsExactlyOneKind(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`{}`:                        "holds 0 things",
		`null`:                      "not a JSON object",
		`{"text":"a","json":1}`:     "holds 2 things",
		`{"text":"a","text":"b"}`:   "appears twice",
		`{"text":null}`:             "text is null",
		`{"image":null}`:            "image is null",
		`{"Text":"a"}`:              "unknown field",
		`{"url":"http://a/"}`:       "unknown field",
		`{"text":1}`:                "not acceptable",
		`{"text":"\ud800"}`:         "surrogate pair",
		`{"image":{"url":"x"}}`:     "unknown field",
		`{"image":{"bytes":"?"}}`:   "illegal base64",
		`{"video":{"object":null}}`: "not a JSON object",
	} {
		var b Block
		require.ErrorContains(t, json.Unmarshal([]byte(`[`+raw+`]`), &[]Block{}), want, raw)
		require.ErrorContains(t, b.UnmarshalJSON([]byte(raw)), want, raw)
		require.Zero(t, b)
	}
	for _, b := range []Block{{Text: "a", JSON: json.RawMessage(`1`)}, {JSON: json.RawMessage{}}, {JSON: json.RawMessage(`{`)}} {
		_, err := json.Marshal(b)
		require.Error(t, err)
	}
}

func FuzzResultJSON(f *testing.F) {
	raw, err := json.Marshal(fullResult(f))
	require.NoError(f, err)
	f.Add(raw)
	f.Add([]byte(`{"blocks":[{"text":""},{"json":null}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var one, two Result
		if strictjson.Decode(raw, &one) != nil {
			return
		}
		b, err := json.Marshal(one)
		require.NoError(t, err)
		require.NoError(t, strictjson.Decode(b, &two))
		again, err := json.Marshal(two)
		require.NoError(t, err)
		require.Equal(t, string(b), string(again))
		require.Equal(t, one.Check() == nil, two.Check() == nil)
		for _, block := range two.Blocks {
			if block.Image != nil {
				require.Empty(t, block.Image.Object.Key())
			}
		}
	})
}
